//! The numbers of streams: each is given out once and there is no gap.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rovuma_schemas::{AgencyCode, Lane, StreamId};
use rovuma_store::{BoxFuture, Conn, DeferredWriter, FutureExt, RowExt, Store};

use crate::{Outbox, StreamPosition, model::to_column};

/// The numbers that the running transaction gives out. A stream's first is taken in the store, those after it in
/// memory, and where they end is written at the end of the transaction.
#[derive(Debug, Default)]
pub(crate) struct Numbers(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    now: Streams,
    /// How it was when the job began: the way back.
    at_job: Streams,
}

#[derive(Clone, Debug, Default)]
struct Streams {
    /// How often a store of this process had been renamed when these were read: another name, other streams.
    renames: u64,
    last: HashMap<Way, Last>,
}

/// From whom to whom, and how fast.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Way {
    sender: AgencyCode,
    recipient: AgencyCode,
    lane: Lane,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    stream: StreamId,
    /// The last number as the store has it.
    written: u64,
    /// The last number given out.
    given: u64,
}

impl Outbox {
    /// Gives out the next number of a stream, in the caller's transaction, which is that of [`Store::write`]: if that
    /// is taken back so is the number, and the stream has no gap.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn next_stream_position(
        &self,
        tx: &mut Conn,
        sender: &AgencyCode,
        recipient: &AgencyCode,
        lane: Lane,
    ) -> sqlx::Result<StreamPosition> {
        self.numbers().next(tx, Way { sender: sender.clone(), recipient: recipient.clone(), lane }).await
    }
}

impl Numbers {
    /// Those of `store`.
    pub(crate) fn of(store: &Store) -> Arc<Self> {
        let numbers = Arc::new(Self::default());
        store.add_deferred(numbers.clone());
        numbers
    }

    /// The next place in the stream of the store's present name.
    async fn next(&self, tx: &mut Conn, way: Way) -> sqlx::Result<StreamPosition> {
        let renames = rovuma_store::identity_generation();
        if self.state().now.renames != renames {
            self.write_all(tx).await?;
            self.state().now.renames = renames;
        }
        if let Some(last) = self.state().now.last.get_mut(&way) {
            last.given += 1;
            return Ok(StreamPosition { stream: last.stream, number: last.given });
        }
        let place = take(tx, &way).await?;
        let last = Last { stream: place.stream, written: place.number, given: place.number };
        self.state().now.last.insert(way, last);
        Ok(place)
    }

    /// Writes where every stream ends, and forgets it.
    async fn write_all(&self, tx: &mut Conn) -> sqlx::Result<()> {
        let streams = std::mem::take(&mut self.state().now.last);
        for (way, last) in streams.iter().filter(|(_, last)| last.given > last.written) {
            advance(tx, way, last).await?;
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeferredWriter for Numbers {
    fn job_begins(&self) {
        let mut state = self.state();
        state.at_job = state.now.clone();
    }

    fn job_rolled_back(&self) {
        let mut state = self.state();
        state.now = state.at_job.clone();
    }

    fn write<'t>(&'t self, tx: &'t mut Conn) -> BoxFuture<'t, sqlx::Result<()>> {
        self.write_all(tx).boxed()
    }

    fn transaction_ended(&self) {
        *self.state() = State::default();
    }
}

/// Takes the next number in the store.
async fn take(tx: &mut Conn, way: &Way) -> sqlx::Result<StreamPosition> {
    // `WHERE true` keeps SQLite from reading ON as the beginning of a join.
    let row = sqlx::query(
        "INSERT INTO outbox_stream (stream, sender, recipient, lane, last)
         SELECT identity, $1, $2, $3, 1 FROM store WHERE true
         ON CONFLICT (stream, sender, recipient, lane) DO UPDATE SET last = outbox_stream.last + 1
         RETURNING stream, last",
    )
    .bind(way.sender.as_str())
    .bind(way.recipient.as_str())
    .bind(way.lane.as_str())
    .fetch_one(tx)
    .await?;
    Ok(StreamPosition { stream: row.store_id("stream")?, number: row.count("last")? })
}

/// Moves a stream's end in the store.
///
/// # Errors
/// Also when the store has another end than was read from it: somebody gave out numbers past these, and two
/// messages would have the same.
async fn advance(tx: &mut Conn, way: &Way, last: &Last) -> sqlx::Result<()> {
    let moved = sqlx::query(
        "UPDATE outbox_stream SET last = $6
         WHERE stream = $1 AND sender = $2 AND recipient = $3 AND lane = $4 AND last = $5",
    )
    .bind(last.stream.as_bytes().as_slice())
    .bind(way.sender.as_str())
    .bind(way.recipient.as_str())
    .bind(way.lane.as_str())
    .bind(to_column(last.written))
    .bind(to_column(last.given))
    .execute(tx)
    .await?;
    if moved.rows_affected() == 1 {
        return Ok(());
    }
    let fault = format!("the stream from {} to {} was moved by somebody else", way.sender, way.recipient);
    Err(sqlx::Error::Encode(fault.into()))
}
