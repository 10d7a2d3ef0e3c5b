//! Gives out the numbers of streams: each number once, and without a gap.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rovuma_schemas::{AgencyCode, Lane, StreamId};
use rovuma_store::{BoxFuture, Conn, DeferredWriter, FutureExt, RowExt, Store};

use crate::{Outbox, StreamPosition, model::to_column};

/// The numbers that the running transaction gives out. The first number of a stream is taken in the store, the following
/// ones in memory; the last one is written at the end of the transaction.
#[derive(Debug, Default)]
pub(crate) struct StreamNumbers(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    streams: Streams,
    /// The streams as they were when the present job began, restored when it is rolled back.
    at_job: Streams,
}

#[derive(Clone, Debug, Default)]
struct Streams {
    /// [`rovuma_store::identity_generation`] when these were read: a store with another identity has other streams.
    generation: u64,
    last: HashMap<StreamKey, LastNumber>,
}

/// The sender, recipient and lane of a stream of the store's present identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct StreamKey {
    sender: AgencyCode,
    recipient: AgencyCode,
    lane: Lane,
}

/// The last number of a stream.
#[derive(Clone, Copy, Debug)]
struct LastNumber {
    stream: StreamId,
    /// As the store has it.
    written: u64,
    /// As it was given out.
    given: u64,
}

impl Outbox {
    /// Gives out the next number of a stream, in the caller's transaction, which must be that of [`Store::write`]: when
    /// the caller's job is rolled back the number is given out again, so the stream has no gap.
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
        self.numbers()
            .next(tx, StreamKey { sender: sender.clone(), recipient: recipient.clone(), lane })
            .await
    }
}

impl StreamNumbers {
    /// The numbers of `store`, which writes them at the end of each transaction.
    pub(crate) fn new(store: &Store) -> Arc<Self> {
        let numbers = Arc::new(Self::default());
        store.add_deferred(numbers.clone());
        numbers
    }

    /// The next position in the stream of the store's present identity.
    async fn next(&self, tx: &mut Conn, key: StreamKey) -> sqlx::Result<StreamPosition> {
        let generation = rovuma_store::identity_generation();
        if self.state().streams.generation != generation {
            self.write_all(tx).await?;
            self.state().streams.generation = generation;
        }
        if let Some(last) = self.state().streams.last.get_mut(&key) {
            last.given += 1;
            return Ok(StreamPosition { stream: last.stream, number: last.given });
        }
        let first = take(tx, &key).await?;
        let last = LastNumber { stream: first.stream, written: first.number, given: first.number };
        self.state().streams.last.insert(key, last);
        Ok(first)
    }

    /// Writes the last number of every stream, and forgets the streams.
    async fn write_all(&self, tx: &mut Conn) -> sqlx::Result<()> {
        let streams = std::mem::take(&mut self.state().streams.last);
        for (key, last) in streams.iter().filter(|(_, last)| last.given > last.written) {
            advance(tx, key, last).await?;
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeferredWriter for StreamNumbers {
    fn job_begins(&self) {
        let mut state = self.state();
        state.at_job = state.streams.clone();
    }

    fn job_rolled_back(&self) {
        let mut state = self.state();
        state.streams = state.at_job.clone();
    }

    fn write<'t>(&'t self, tx: &'t mut Conn) -> BoxFuture<'t, sqlx::Result<()>> {
        self.write_all(tx).boxed()
    }

    fn transaction_ended(&self) {
        *self.state() = State::default();
    }
}

/// Takes the next number of a stream in the store.
async fn take(tx: &mut Conn, key: &StreamKey) -> sqlx::Result<StreamPosition> {
    // `WHERE true` keeps SQLite from reading ON as the beginning of a join.
    let row = sqlx::query(
        "INSERT INTO outbox_stream (stream, sender, recipient, lane, last)
         SELECT identity, $1, $2, $3, 1 FROM store WHERE true
         ON CONFLICT (stream, sender, recipient, lane) DO UPDATE SET last = outbox_stream.last + 1
         RETURNING stream, last",
    )
    .bind(key.sender.as_str())
    .bind(key.recipient.as_str())
    .bind(key.lane.as_str())
    .fetch_one(tx)
    .await?;
    Ok(StreamPosition { stream: row.store_id("stream")?, number: row.count("last")? })
}

/// Advances the last number of a stream in the store.
///
/// Fails also when the store has another last number than was read from it: then somebody else gave out the same
/// numbers, and two messages would have one.
async fn advance(tx: &mut Conn, key: &StreamKey, last: &LastNumber) -> sqlx::Result<()> {
    let advanced = sqlx::query(
        "UPDATE outbox_stream SET last = $6
         WHERE stream = $1 AND sender = $2 AND recipient = $3 AND lane = $4 AND last = $5",
    )
    .bind(last.stream.as_bytes().as_slice())
    .bind(key.sender.as_str())
    .bind(key.recipient.as_str())
    .bind(key.lane.as_str())
    .bind(to_column(last.written))
    .bind(to_column(last.given))
    .execute(tx)
    .await?;
    if advanced.rows_affected() == 1 {
        return Ok(());
    }
    let fault = format!("the stream from {} to {} was numbered by somebody else", key.sender, key.recipient);
    Err(sqlx::Error::Encode(fault.into()))
}
