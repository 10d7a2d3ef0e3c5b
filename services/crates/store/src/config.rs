//! The `[store]` section of a service's configuration.

use std::fmt;

use serde::Deserialize;

/// Where a service keeps its state.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// `sqlite:/var/lib/rovuma/gateway.db`: a file, created when it is not there, in a directory that is.
    pub url: String,
    /// How many connections read side by side.
    #[serde(default = "default_readers")]
    pub readers: u32,
}

/// Enough for the parallel requests of a national node; each costs a thread and 2 MiB of page cache.
const fn default_readers() -> u32 {
    4
}

impl StoreConfig {
    /// The store at `url`, with the default number of readers.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), readers: default_readers() }
    }
}

impl fmt::Debug for StoreConfig {
    /// Leaves out what stands before an `@` in the address: it may be a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = match self.url.rsplit_once('@') {
            Some((_, place)) => format!("…@{place}"),
            None => self.url.clone(),
        };
        f.debug_struct("StoreConfig").field("url", &shown).field("readers", &self.readers).finish()
    }
}
