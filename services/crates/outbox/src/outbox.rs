//! The outbox: shared by whoever writes into it and the relay that empties it.

use std::sync::Arc;

use rovuma_schemas::{AgencyCode, Lane};
use rovuma_store::{Commits, Migrations, Store};
use tokio::sync::watch;

use crate::{OutboxSettings, enqueue::Entering, model::LaneKey, numbers::Numbers, wake::Marks};

/// The outbox's tables, for [`Store::open`].
pub const MIGRATIONS: Migrations = rovuma_store::migrations!(201 "outbox");

/// The outbox of one store. Clones speak of the same one.
#[derive(Clone, Debug)]
pub struct Outbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    settings: OutboxSettings,
    marks: Marks,
    entering: Entering,
    numbers: Arc<Numbers>,
}

impl Outbox {
    /// The outbox in `store`, which was opened with [`MIGRATIONS`].
    pub fn new(store: Store, settings: OutboxSettings) -> Self {
        let (numbers, entering) = (Numbers::of(&store), Entering::of(&store));
        Self(Arc::new(Inner { store, settings, marks: Marks::default(), entering, numbers }))
    }

    pub(crate) fn entering(&self) -> &Entering {
        &self.0.entering
    }

    pub(crate) fn numbers(&self) -> &Numbers {
        &self.0.numbers
    }

    /// The store it is in.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// What the installation set.
    pub fn settings(&self) -> &OutboxSettings {
        &self.0.settings
    }

    /// Tells the relay to look at a lane once the running transaction is committed.
    pub(crate) fn mark(&self, recipient: &AgencyCode, lane: Lane) {
        self.0.marks.set(LaneKey::new(recipient, lane), self.0.store.commit_count());
    }

    /// The lanes to look at, as far as committed.
    pub(crate) fn take_marks(&self) -> Vec<LaneKey> {
        self.0.marks.take(self.0.store.commit_count())
    }

    /// Changes with every commit.
    pub(crate) fn commits(&self) -> watch::Receiver<Commits> {
        self.0.store.commits()
    }
}
