//! Events of the running transaction: each gets its position in the chain at once, and all are written at the end.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rovuma_envelope::digest;
use rovuma_schemas::{Timestamp, audit::AuditPosition};
use rovuma_store::{BoxFuture, Conn, DeferredWriter, FutureExt, Insert};

use crate::{
    AuditRecord,
    chain_end::{ChainEnd, to_column},
};

const EVENTS: Insert =
    Insert { into: "INSERT INTO trail_event (source, epoch, sequence, time_at, body)", columns: 5, then: "" };

/// The events of one source that the running transaction has recorded and not yet written.
#[derive(Debug)]
pub(crate) struct PendingEvents {
    source: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    chain: Option<Chain>,
    /// The end of the chain when the present job began, restored when the job is rolled back.
    at_job: Option<ChainMark>,
    /// The first chain that the present job replaced, because the store got a new identity; restored when the job is rolled
    /// back.
    replaced: Option<Chain>,
}

/// The end of the chain, with the events that are not yet written.
#[derive(Clone, Debug)]
struct Chain {
    /// The last event in the store.
    written: ChainEnd,
    /// The last event, written or not.
    end: ChainEnd,
    /// [`rovuma_store::identity_generation`] when the chain was read.
    generation: u64,
    events: Vec<EventRow>,
}

/// An end of the chain to go back to.
#[derive(Clone, Copy, Debug)]
struct ChainMark {
    end: ChainEnd,
    events: usize,
}

/// An event with its position, as its row will be.
#[derive(Clone, Debug)]
struct EventRow {
    sequence: u64,
    time: Timestamp,
    body: String,
}

impl PendingEvents {
    pub(crate) fn new(source: String) -> Self {
        Self { source, state: Mutex::default() }
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Appends an event to the chain and returns its position.
    pub(crate) async fn record(&self, tx: &mut Conn, record: &AuditRecord) -> sqlx::Result<AuditPosition> {
        loop {
            if let Some(position) = self.append(record)? {
                return Ok(position);
            }
            self.begin(tx).await?;
        }
    }

    /// `None`: the transaction has not read the chain's end yet, or the store may have got a new identity since.
    fn append(&self, record: &AuditRecord) -> sqlx::Result<Option<AuditPosition>> {
        let mut state = self.state();
        let generation = rovuma_store::identity_generation();
        let chain = state.chain.as_mut().filter(|chain| chain.generation == generation);
        let Some(chain) = chain else { return Ok(None) };
        let end = chain.end;
        let body = serde_json::to_string(&record.event_after(&end, &self.source))
            .map_err(|fault| sqlx::Error::Encode(Box::new(fault)))?;
        let sequence = end.sequence + 1;
        chain.end = ChainEnd { sequence, digest: digest(body.as_bytes()), ..end };
        chain.events.push(EventRow { sequence, time: record.time, body });
        Ok(Some(AuditPosition { source: self.source.clone(), epoch: end.epoch, sequence }))
    }

    /// Reads the chain's end. Writes pending events of the store's former identity before that.
    async fn begin(&self, tx: &mut Conn) -> sqlx::Result<()> {
        let generation = rovuma_store::identity_generation();
        let former = self.state().chain.clone();
        if let Some(former) = former {
            // The chain stays in the state until it is written: a job that goes on after this fails must fail again at the
            // end of the transaction.
            self.write(tx, &former).await?;
            let mut state = self.state();
            state.chain = None;
            state.replaced.get_or_insert(former);
        }
        let end = ChainEnd::load(tx, &self.source).await?;
        self.state().chain = Some(Chain { written: end, end, generation, events: Vec::new() });
        Ok(())
    }

    /// Writes the events of a chain and moves the store's end to the last of them.
    async fn write(&self, tx: &mut Conn, chain: &Chain) -> sqlx::Result<()> {
        if chain.events.is_empty() {
            return Ok(());
        }
        let epoch = chain.end.epoch;
        let insert = EVENTS.rows(tx, &chain.events, |query, event| {
            query
                .bind(self.source.as_str())
                .bind(epoch.as_bytes().to_vec())
                .bind(to_column(event.sequence))
                .bind(event.time.as_micros())
                .bind(event.body.as_str())
        });
        insert.await?;
        if chain.written.advance(tx, &self.source, &chain.end).await? {
            return Ok(());
        }
        // Somebody recorded events of this source in the same transaction, without this trail: two events would have one
        // position.
        Err(sqlx::Error::Encode(
            format!("the audit chain of {} was continued by somebody else", self.source).into(),
        ))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeferredWriter for PendingEvents {
    fn job_begins(&self) {
        let mut state = self.state();
        state.at_job =
            state.chain.as_ref().map(|chain| ChainMark { end: chain.end, events: chain.events.len() });
        state.replaced = None;
    }

    fn job_rolled_back(&self) {
        let mut state = self.state();
        // The rows of a chain that the job replaced are rolled back with the job, those of earlier jobs among them: they
        // must be written again.
        let chain = state.replaced.take().or_else(|| state.chain.take());
        state.chain = state.at_job.take().zip(chain).map(|(mark, mut chain)| {
            chain.events.truncate(mark.events);
            Chain { end: mark.end, ..chain }
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
