//! From signed messages to one sealed bundle.

use rovuma_envelope::{Bundle, Jws, PackFault, SealFault, SealingRecipient, TrustStore, seal, trust};
use rovuma_schemas::{AgencyCode, Timestamp};

/// The content type of a sealed bundle.
pub const BUNDLE_CONTENT_TYPE: &str = "application/vnd.rovuma.bundle";

/// Nothing can be sealed to a recipient now. A new trust list may mend it, so what waits keeps waiting.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSeal {
    #[error(transparent)]
    Key(#[from] trust::NoSealingKey),
    #[error(transparent)]
    Format(#[from] trust::NoBundleFormat),
}

/// A bundle cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error(transparent)]
    Pack(#[from] PackFault),
    #[error(transparent)]
    Seal(#[from] SealFault),
    #[error("sealing was broken off")]
    BrokenOff,
}

/// The present key of a recipient that takes the bundles we make.
pub(crate) fn key_for(
    trust: &TrustStore,
    to: &AgencyCode,
    now: Timestamp,
) -> Result<SealingRecipient, NoSeal> {
    trust.bundle_format_for(to)?;
    Ok(trust.sealing_recipient(to, now)?.clone())
}

/// Packs and seals, beside the tasks that must answer quickly.
pub(crate) async fn sealed(messages: Vec<Jws>, to: SealingRecipient) -> Result<Vec<u8>, SealError> {
    let work = move || Ok(seal(&Bundle::pack(&messages)?, &to)?);
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(SealError::BrokenOff))
}
