//! The handle of an outbox, shared by those who put messages in and the relay that publishes them.

use std::sync::Arc;

use rovuma_schemas::{AgencyCode, Lane};
use rovuma_store::{Commits, Migrations, Store};
use tokio::sync::watch;

use crate::{
    OutboxSettings, enqueue::NewRows, marks::LaneMarks, model::RecipientLane, numbers::StreamNumbers,
};

/// The outbox's tables, for [`Store::open`].
pub const MIGRATIONS: Migrations = rovuma_store::migrations!(201 "outbox");

/// The outbox of one store. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Outbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    settings: OutboxSettings,
    marks: LaneMarks,
    new_rows: NewRows,
    numbers: Arc<StreamNumbers>,
}

impl Outbox {
    /// The outbox in `store`, which was opened with [`MIGRATIONS`].
    pub fn new(store: Store, settings: OutboxSettings) -> Self {
        let (numbers, new_rows) = (StreamNumbers::new(&store), NewRows::new(&store));
        Self(Arc::new(Inner { store, settings, marks: LaneMarks::default(), new_rows, numbers }))
    }

    pub(crate) fn new_rows(&self) -> &NewRows {
        &self.0.new_rows
    }

    pub(crate) fn numbers(&self) -> &StreamNumbers {
        &self.0.numbers
    }

    /// The store that holds the outbox.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The settings of the installation.
    pub fn settings(&self) -> &OutboxSettings {
        &self.0.settings
    }

    /// Makes the relay serve a lane once the running transaction is committed.
    pub(crate) fn mark(&self, recipient: &AgencyCode, lane: Lane) {
        self.0.marks.set(RecipientLane::new(recipient, lane), self.0.store.commit_count());
    }

    /// Takes the lanes that committed transactions have marked.
    pub(crate) fn take_marks(&self) -> Vec<RecipientLane> {
        self.0.marks.take(self.0.store.commit_count())
    }

    /// The store's counts of commits, which change with every commit.
    pub(crate) fn commits(&self) -> watch::Receiver<Commits> {
        self.0.store.commits()
    }
}
