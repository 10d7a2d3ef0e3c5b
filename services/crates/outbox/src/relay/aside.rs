//! Copies that can never leave: they must not hold up what waits behind them.

use std::sync::Arc;

use rovuma_envelope::Jws;
use rovuma_schemas::{Timestamp, VoidReason};
use rovuma_store::WriteError;
use tracing::error;

use super::{
    host::{MovedCopy, RelayHost},
    read::Loaded,
    seal::fits_a_bundle,
    void::Voidable,
};
use crate::Outbox;

/// What of the chosen can leave.
#[derive(Debug, Default)]
pub(crate) struct Fit {
    pub(crate) copies: Vec<(i64, MovedCopy)>,
    /// Their signed bytes, in the same order.
    pub(crate) messages: Vec<Jws>,
    /// How many copies were made void instead.
    pub(crate) set_aside: usize,
}

/// Why a copy can never leave: the reason that its void number is told with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unfit {
    /// Its stored bytes do not read back.
    Damaged,
    /// No bundle holds it.
    TooLarge,
}

impl Unfit {
    const ALL: [Self; 2] = [Self::Damaged, Self::TooLarge];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::TooLarge => "too_large",
        }
    }
}

impl Outbox {
    /// Makes void what of `loaded` can never leave, whether it has left before or not.
    pub(crate) async fn set_unfit_aside(
        &self,
        host: &Arc<dyn RelayHost>,
        loaded: Vec<Loaded>,
        now: Timestamp,
    ) -> Result<Fit, WriteError<sqlx::Error>> {
        let (mut fit, mut unfit) = (Fit::default(), Vec::new());
        for Loaded { position, copy, jws } in loaded {
            match fitting(jws) {
                Ok(jws) => {
                    fit.messages.push(jws);
                    fit.copies.push((position, copy));
                }
                Err(why) => {
                    error!(message.id = %copy.message, recipient = %copy.recipient, lane = %copy.lane,
                        reason = why.as_str(), "a message can never leave: set aside");
                    unfit.push((position, why));
                }
            }
        }
        for why in Unfit::ALL {
            let of_this = unfit.iter().filter(|(_, known)| *known == why);
            let positions: Vec<i64> = of_this.map(|(position, _)| *position).collect();
            if !positions.is_empty() {
                fit.set_aside += self.set_aside(host, positions, why, now).await?;
            }
        }
        Ok(fit)
    }

    async fn set_aside(
        &self,
        host: &Arc<dyn RelayHost>,
        positions: Vec<i64>,
        why: Unfit,
        now: Timestamp,
    ) -> Result<usize, WriteError<sqlx::Error>> {
        let reason = VoidReason::Other(why.as_str().to_owned());
        let copies = self.void(host, positions, Voidable::Unsettled, reason, now).await?;
        metrics::counter!("rovuma_outbox_set_aside_total", "reason" => why.as_str())
            .increment(u64::try_from(copies).unwrap_or(u64::MAX));
        Ok(copies)
    }
}

fn fitting(jws: Option<Jws>) -> Result<Jws, Unfit> {
    let jws = jws.ok_or(Unfit::Damaged)?;
    if fits_a_bundle(&jws) { Ok(jws) } else { Err(Unfit::TooLarge) }
}
