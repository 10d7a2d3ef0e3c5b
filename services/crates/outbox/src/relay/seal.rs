//! Packs signed messages into one bundle and seals it.

use rovuma_envelope::{
    BUNDLE_BYTES_MAX, Bundle, Jws, PackFault, SealFault, SealingRecipient, TrustStore, seal, trust,
};
use rovuma_schemas::{AgencyCode, Timestamp};

/// The content type of a sealed bundle.
pub const BUNDLE_CONTENT_TYPE: &str = "application/vnd.rovuma.bundle";

/// The trust lists in force have no way to seal to a recipient. A new list may have, so its copies keep waiting.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CannotSeal {
    #[error(transparent)]
    Key(#[from] trust::NoSealingKey),
    #[error(transparent)]
    Format(#[from] trust::NoBundleFormat),
}

/// A bundle could not be packed or sealed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error(transparent)]
    Pack(#[from] PackFault),
    #[error(transparent)]
    Seal(#[from] SealFault),
    #[error("sealing was broken off")]
    BrokenOff,
}

/// The present sealing key of a recipient, which must accept our bundle format.
pub(crate) fn sealing_key(
    trust: &TrustStore,
    to: &AgencyCode,
    now: Timestamp,
) -> Result<SealingRecipient, CannotSeal> {
    trust.bundle_format_for(to)?;
    Ok(trust.sealing_recipient(to, now)?.clone())
}

/// Whether [`Bundle::pack`] would take this message, without packing it.
pub(crate) fn fits_a_bundle(jws: &Jws) -> bool {
    Bundle::packed_len(jws) <= BUNDLE_BYTES_MAX && u16::try_from(jws.protected().len()).is_ok()
}

/// Packs and seals on a blocking thread, since both take processor time.
pub(crate) async fn pack_and_seal(messages: Vec<Jws>, to: SealingRecipient) -> Result<Vec<u8>, SealError> {
    let work = move || Ok(seal(&Bundle::pack(&messages)?, &to)?);
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(SealError::BrokenOff))
}

#[cfg(test)]
mod tests {
    use rovuma_envelope::Signature;

    use super::*;

    #[test]
    fn what_fits_is_what_packs() {
        let jws = |protected: usize, payload: usize| {
            let signature = Signature::from_bytes([7; Signature::LEN]);
            Jws::from_segments(vec![b' '; protected], vec![b'x'; payload], signature)
        };
        let header = 100;
        let room = BUNDLE_BYTES_MAX - Bundle::packed_len(&jws(header, 0));
        let (longest, too_long) = (usize::from(u16::MAX), usize::from(u16::MAX) + 1);
        for (protected, payload, fits) in [
            (header, 500, true),
            (header, room, true),
            (header, room + 1, false),
            (longest, 1, true),
            (too_long, 1, false),
        ] {
            let jws = jws(protected, payload);
            assert_eq!(fits_a_bundle(&jws), fits, "{protected} and {payload} bytes");
            assert_eq!(Bundle::pack(&[jws]).is_ok(), fits, "{protected} and {payload} bytes");
        }
    }
}
