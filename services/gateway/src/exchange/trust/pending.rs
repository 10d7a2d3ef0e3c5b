//! What must follow a new list. A store that is full or busy puts it off, never out of mind: what is left is
//! tried again at every look. A restart takes every list anew, and with it all that must follow.

use std::{collections::VecDeque, sync::Arc};

use super::{
    compromised,
    record::{self, Loaded},
};
use crate::{
    exchange::Exchange,
    exchange::{held, reissue},
};

/// What is still to be done after lists that were taken.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Lists of which neither the audit log nor the store knows yet, oldest first.
    unrecorded: VecDeque<Loaded>,
    /// Our own country's list may call a key compromised that we sign with.
    alarm_own: bool,
    /// What such a key signed may wait to be issued again.
    reissue: bool,
    /// Stored messages may be signed by a key that is now called compromised.
    flag: bool,
    /// A held message may be decided by the new list.
    retry_held: bool,
}

impl Pending {
    /// Notes all that must follow this list.
    pub(super) fn add(&mut self, exchange: &Exchange, loaded: Loaded) {
        let is_own = loaded.country == exchange.base.country;
        self.alarm_own |= is_own;
        self.reissue |= is_own;
        self.unrecorded.push_back(loaded);
        self.flag = true;
        self.retry_held = true;
    }

    /// Does what is left, each apart from the others: one that fails does not keep the others waiting.
    pub(super) async fn settle(&mut self, exchange: &Arc<Exchange>) {
        self.record(exchange).await;
        if self.alarm_own {
            match compromised::alarm_own(exchange).await {
                Ok(()) => self.alarm_own = false,
                Err(fault) => {
                    tracing::error!(%fault, "own keys were not looked at; the next look tries again")
                }
            }
        }
        if self.reissue {
            self.reissue(exchange).await;
        }
        if self.flag {
            match compromised::flag(exchange).await {
                Ok(()) => self.flag = false,
                Err(fault) => {
                    tracing::error!(%fault, "messages of compromised keys were not flagged; the next look tries again");
                }
            }
        }
        if self.retry_held {
            match held::retry(exchange).await {
                Ok(freed) => {
                    self.retry_held = false;
                    if freed > 0 {
                        tracing::info!(freed, "held messages were decided by the new list");
                    }
                }
                Err(fault) => tracing::error!(%fault, "held messages stay held; the next look tries again"),
            }
        }
    }

    async fn reissue(&mut self, exchange: &Arc<Exchange>) {
        match reissue::all(exchange).await {
            Ok(reissued) => {
                self.reissue = reissued.must_wait;
                if reissued.messages > 0 {
                    tracing::warn!(
                        messages = reissued.messages,
                        "issued again what a compromised key had signed"
                    );
                }
            }
            Err(fault) => tracing::error!(
                %fault,
                "messages that a compromised key signed were not issued again; the next look tries again"
            ),
        }
    }

    async fn record(&mut self, exchange: &Exchange) {
        while let Some(loaded) = self.unrecorded.front().copied() {
            if let Err(fault) = record::loaded(exchange, loaded).await {
                let Loaded { country, serial, .. } = loaded;
                tracing::error!(%country, serial, %fault, "a trust list in force is not recorded; the next look tries again");
                return;
            }
            self.unrecorded.pop_front();
        }
    }
}
