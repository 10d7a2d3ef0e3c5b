//! Events of the running transaction: each has its place in the chain at once, and all are written at the end.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rovuma_envelope::digest;
use rovuma_schemas::{Timestamp, audit::AuditPosition};
use rovuma_store::{BoxFuture, Conn, DeferredWriter, FutureExt, Insert};

use crate::{
    AuditRecord,
    head::{Head, to_column},
};

const EVENTS: Insert =
    Insert { into: "INSERT INTO trail_event (source, epoch, sequence, time_at, body)", columns: 5, then: "" };

/// The events of one source that the running transaction has recorded and not written.
#[derive(Debug)]
pub(crate) struct Pending {
    source: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    chain: Option<Chain>,
    /// How the chain stood when the job began: the way back.
    at_job: Option<Mark>,
    /// The chain that the job put down first, because the store was renamed.
    put_down: Option<Chain>,
}

/// The end of the chain within the transaction.
#[derive(Clone, Debug)]
struct Chain {
    /// Where it ends in the store.
    written: Head,
    /// Where it ends with what is not written.
    head: Head,
    /// How often a store of this process had been renamed when it was read.
    renames: u64,
    events: Vec<Event>,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    head: Head,
    events: usize,
}

#[derive(Clone, Debug)]
struct Event {
    sequence: u64,
    time: Timestamp,
    body: String,
}

impl Pending {
    pub(crate) fn new(source: String) -> Self {
        Self { source, state: Mutex::default() }
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Gives an act the next place of the chain.
    pub(crate) async fn record(&self, tx: &mut Conn, act: &AuditRecord) -> sqlx::Result<AuditPosition> {
        loop {
            if let Some(position) = self.append(act)? {
                return Ok(position);
            }
            self.begin(tx).await?;
        }
    }

    /// `None`: the transaction has not read the chain's end yet, or the store may have another name since.
    fn append(&self, act: &AuditRecord) -> sqlx::Result<Option<AuditPosition>> {
        let mut state = self.state();
        let known = state.chain.as_mut().filter(|chain| chain.renames == rovuma_store::identity_generation());
        let Some(chain) = known else { return Ok(None) };
        let head = chain.head;
        let body = serde_json::to_string(&act.after(&head, &self.source))
            .map_err(|fault| sqlx::Error::Encode(Box::new(fault)))?;
        let sequence = head.sequence + 1;
        chain.head = Head { sequence, digest: digest(body.as_bytes()), ..head };
        chain.events.push(Event { sequence, time: act.time, body });
        Ok(Some(AuditPosition { source: self.source.clone(), epoch: head.epoch, sequence }))
    }

    /// Reads the chain's end. What is pending under a former name of the store is written before.
    async fn begin(&self, tx: &mut Conn) -> sqlx::Result<()> {
        let renames = rovuma_store::identity_generation();
        let former = self.state().chain.clone();
        if let Some(former) = former {
            // It stays until it is written: whoever goes on after a failure must meet it again at the end.
            self.write(tx, &former).await?;
            let mut state = self.state();
            state.chain = None;
            state.put_down.get_or_insert(former);
        }
        let head = Head::load(tx, &self.source).await?;
        self.state().chain = Some(Chain { written: head, head, renames, events: Vec::new() });
        Ok(())
    }

    /// Writes the events of a chain and moves the store's head to its end.
    async fn write(&self, tx: &mut Conn, chain: &Chain) -> sqlx::Result<()> {
        if chain.events.is_empty() {
            return Ok(());
        }
        let epoch = chain.head.epoch;
        let insert = EVENTS.rows(tx, &chain.events, |query, event| {
            query
                .bind(self.source.as_str())
                .bind(epoch.as_bytes().to_vec())
                .bind(to_column(event.sequence))
                .bind(event.time.as_micros())
                .bind(event.body.as_str())
        });
        insert.await?;
        if chain.written.advance(tx, &self.source, &chain.head).await? {
            return Ok(());
        }
        // Somebody recorded under this source in the same transaction, past this trail: nobody may have the place
        // of another.
        Err(sqlx::Error::Encode(
            format!("the audit chain of {} was moved by somebody else", self.source).into(),
        ))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeferredWriter for Pending {
    fn job_begins(&self) {
        let mut state = self.state();
        state.at_job =
            state.chain.as_ref().map(|chain| Mark { head: chain.head, events: chain.events.len() });
        state.put_down = None;
    }

    fn job_rolled_back(&self) {
        let mut state = self.state();
        // Of a chain that the job put down the rows are taken back as well, those of earlier jobs among them.
        let chain = state.put_down.take().or_else(|| state.chain.take());
        state.chain = state.at_job.take().zip(chain).map(|(mark, mut chain)| {
            chain.events.truncate(mark.events);
            Chain { head: mark.head, ..chain }
        });
    }

    fn write<'t>(&'t self, tx: &'t mut Conn) -> BoxFuture<'t, sqlx::Result<()>> {
        async move {
            let chain = self.state().chain.take();
            match chain {
                Some(chain) => self.write(tx, &chain).await,
                None => Ok(()),
            }
        }
        .boxed()
    }

    fn transaction_ended(&self) {
        *self.state() = State::default();
    }
}
