//! Makes void the copies that can never leave, so that they do not hold up the copies behind them.

use std::sync::Arc;

use rovuma_envelope::Jws;
use rovuma_schemas::{Timestamp, VoidReason};
use rovuma_store::WriteError;
use tracing::error;

use super::{
    host::{MovedCopy, RelayHost},
    read::LoadedCopy,
    seal::fits_a_bundle,
    void::Voidable,
};
use crate::Outbox;

/// The chosen copies that can leave.
#[derive(Debug, Default)]
pub(crate) struct Sendable {
    pub(crate) copies: Vec<(i64, MovedCopy)>,
    /// Their signed bytes, in the same order.
    pub(crate) messages: Vec<Jws>,
    /// The number of chosen copies that were made void instead.
    pub(crate) voided: usize,
}

/// Why a copy can never leave. Statuses name its void number with this reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unsendable {
    /// Its stored bytes do not read back.
    Damaged,
    /// Its stored bytes were erased at the end of their retention. Its recipient had it, and has lost it since.
    Erased,
    /// No bundle holds it.
    TooLarge,
}

impl Unsendable {
    const ALL: [Self; 3] = [Self::Damaged, Self::Erased, Self::TooLarge];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Erased => "erased",
            Self::TooLarge => "too_large",
        }
    }
}

impl Outbox {
    /// Makes void the copies of `loaded` that can never leave, whether they have left before or not, and returns the others.
    /// One that a receipt settled while it was loaded stays settled, unless its recipient has requested it again.
    pub(crate) async fn void_unsendable(
        &self,
        host: &Arc<dyn RelayHost>,
        loaded: Vec<LoadedCopy>,
        now: Timestamp,
    ) -> Result<Sendable, WriteError<sqlx::Error>> {
        let (mut sendable, mut unsendable) = (Sendable::default(), Vec::new());
        for LoadedCopy { position, copy, jws, is_erased } in loaded {
            match check(jws, is_erased) {
                Ok(jws) => {
                    sendable.messages.push(jws);
                    sendable.copies.push((position, copy));
                }
                Err(why) => {
                    error!(message.id = %copy.message, recipient = %copy.recipient, lane = %copy.lane,
                        reason = why.as_str(), "a message can never leave: its number is made void");
                    unsendable.push((position, why));
                }
            }
        }
        for why in Unsendable::ALL {
            let of_this = unsendable.iter().filter(|(_, known)| *known == why);
            let positions: Vec<i64> = of_this.map(|(position, _)| *position).collect();
            if !positions.is_empty() {
                sendable.voided += self.void_because(host, positions, why, now).await?;
            }
        }
        Ok(sendable)
    }

    async fn void_because(
        &self,
        host: &Arc<dyn RelayHost>,
        positions: Vec<i64>,
        why: Unsendable,
        now: Timestamp,
    ) -> Result<usize, WriteError<sqlx::Error>> {
        let reason = VoidReason::Other(why.as_str().to_owned());
        let copies = self.void(host, positions, Voidable::Requested, reason, now).await?;
        metrics::counter!("rovuma_outbox_set_aside_total", "reason" => why.as_str())
            .increment(u64::try_from(copies).unwrap_or(u64::MAX));
        Ok(copies)
    }
}

fn check(jws: Option<Jws>, is_erased: bool) -> Result<Jws, Unsendable> {
    let jws = jws.ok_or(if is_erased { Unsendable::Erased } else { Unsendable::Damaged })?;
    if fits_a_bundle(&jws) { Ok(jws) } else { Err(Unsendable::TooLarge) }
}
