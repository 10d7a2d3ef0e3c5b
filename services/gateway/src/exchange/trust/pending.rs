//! The work that must follow a new list. Work that fails, because the store is full or busy, is tried again at every reload.
//! A restart loads every list anew, and with it all this work.

use std::{collections::VecDeque, sync::Arc};

use super::{
    compromised,
    record::{self, Loaded},
};
use crate::{
    exchange::Exchange,
    exchange::{held, reissue},
};

/// The work that is still to do after lists were loaded.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Lists that are not recorded in audit log and store yet, oldest first.
    unrecorded: VecDeque<Loaded>,
    /// Raise an alarm if our own country's list calls a key compromised with which we sign.
    alarm_own: bool,
    /// Reissue the messages that such a key signed.
    reissue: bool,
    /// Flag stored messages that a key signed which is now called compromised.
    flag: bool,
    /// Try held messages again: the new list may decide them.
    retry_held: bool,
}

impl Pending {
    /// Adds the work that must follow this list.
    pub(super) fn add(&mut self, exchange: &Exchange, loaded: Loaded) {
        let is_own = loaded.country == exchange.base.country;
        self.alarm_own |= is_own;
        self.reissue |= is_own;
        self.unrecorded.push_back(loaded);
        self.flag = true;
        self.retry_held = true;
    }

    /// Does the work. A part that fails stays pending and does not stop the others.
    pub(super) async fn run(&mut self, exchange: &Arc<Exchange>) {
        self.record(exchange).await;
        if self.alarm_own {
            match compromised::alarm_own(exchange).await {
                Ok(()) => self.alarm_own = false,
                Err(fault) => {
                    tracing::error!(%fault, "own keys were not checked for compromise; the next reload tries again")
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
                    tracing::error!(%fault, "messages of compromised keys were not flagged; the next reload tries again");
                }
            }
        }
        if self.retry_held {
            match held::retry(exchange).await {
                Ok(decided) => {
                    self.retry_held = false;
                    if decided > 0 {
                        tracing::info!(decided, "the new list decided held messages");
                    }
                }
                Err(fault) => {
                    tracing::error!(%fault, "held messages were not tried; the next reload tries again")
                }
            }
        }
    }

    async fn reissue(&mut self, exchange: &Arc<Exchange>) {
        match reissue::all_agencies(exchange).await {
            Ok(reissued) => {
                self.reissue = reissued.must_wait;
                if reissued.messages > 0 {
                    tracing::warn!(
                        messages = reissued.messages,
                        "reissued messages that a compromised key had signed"
                    );
                }
            }
            Err(fault) => tracing::error!(
                %fault,
                "messages that a compromised key signed were not reissued; the next reload tries again"
            ),
        }
    }

    async fn record(&mut self, exchange: &Exchange) {
        while let Some(loaded) = self.unrecorded.front().copied() {
            if let Err(fault) = record::loaded(exchange, loaded).await {
                let Loaded { country, serial, .. } = loaded;
                tracing::error!(%country, serial, %fault, "a trust list in force is not recorded; the next reload tries again");
                return;
            }
            self.unrecorded.pop_front();
        }
    }
}
