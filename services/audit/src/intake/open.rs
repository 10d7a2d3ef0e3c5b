//! Opens a delivery and verifies its batch.

use rovuma_broker::{Delivery, HeaderFault, topology::names::audit_event_key};
use rovuma_envelope::{Jws, Typ, open};
use rovuma_schemas::{Epoch, audit::AuditBatch};

use super::keys::IntakeKeys;
use crate::log::LogEvent;

/// Maximum size of an opened batch. 256 events of a few hundred bytes are far below, and a delivery cannot
/// make the service allocate more.
pub(super) const BATCH_MAX_BYTES: usize = 8 * 1024 * 1024;

/// A batch that its source signed: all its events name the same source and epoch, and their sequences are
/// consecutive. Whether they continue the stored chain is not checked yet.
#[derive(Debug)]
pub(super) struct VerifiedBatch {
    pub(super) source: String,
    pub(super) epoch: Epoch,
    pub(super) events: Vec<LogEvent>,
    /// The signed batch as a compact JWS: the evidence if it does not continue the chain.
    pub(super) jws: String,
}

/// Why a delivery goes to the quarantine.
#[derive(Debug, thiserror::Error)]
pub(super) enum QuarantineReason {
    /// The broker's properties or headers of it were not read: no source writes such ones.
    #[error("has headers that no source writes: {0}")]
    Header(HeaderFault),
    /// None of the sealing keys opens it.
    #[error("cannot be opened: {0}")]
    Sealed(String),
    /// The opened text is not the JWS of an audit batch.
    #[error("is not a signed batch: {0}")]
    NotSigned(String),
    /// Its key belongs to no configured source.
    #[error("is signed by key {0}, which no configured source has")]
    UnknownKey(String),
    /// The signature is wrong.
    #[error("names a key of {source_name}, whose signature is wrong: {fault}")]
    Forged {
        /// The source whose key the delivery names.
        source_name: String,
        /// The failure of the signature check.
        fault: String,
    },
    /// One source signed it, but the batch or the routing key names another.
    #[error("is signed by {source_name} in the name of {claimed:?}")]
    WrongSource {
        /// The source that signed.
        source_name: String,
        /// The source that the batch or its routing key names.
        claimed: String,
    },
    /// Its source signed it, but the content is not a batch.
    #[error("is signed by {source_name} but is not a batch: {fault}")]
    Malformed {
        /// The source that signed.
        source_name: String,
        /// Why not.
        fault: String,
    },
}

impl QuarantineReason {
    /// The word for the quarantine, the metric and the log.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Header(_) => "header",
            Self::Sealed(_) => "sealed",
            Self::NotSigned(_) => "not_signed",
            Self::UnknownKey(_) => "unknown_key",
            Self::Forged { .. } => "forged",
            Self::WrongSource { .. } => "wrong_source",
            Self::Malformed { .. } => "malformed",
        }
    }
}

/// Opens a delivery, verifies its signature, and parses its batch.
///
/// # Errors
/// [`QuarantineReason`]: the delivery goes to the quarantine.
pub(super) fn open_batch(keys: &IntakeKeys, delivery: &Delivery) -> Result<VerifiedBatch, QuarantineReason> {
    if let Some(fault) = delivery.header_fault {
        return Err(QuarantineReason::Header(fault));
    }
    let opened = open(&delivery.body, &keys.sealing(), BATCH_MAX_BYTES)
        .map_err(|fault| QuarantineReason::Sealed(fault.to_string()))?;
    let jws = String::from_utf8(opened).map_err(|_| QuarantineReason::NotSigned("not text".to_owned()))?;
    let signed = Jws::from_compact(&jws).map_err(|fault| QuarantineReason::NotSigned(fault.to_string()))?;
    let (source, payload) = verify(keys, &signed)?;
    if delivery.routing_key != audit_event_key(source) {
        let claimed = delivery.routing_key.clone();
        return Err(QuarantineReason::WrongSource { source_name: source.to_owned(), claimed });
    }
    parse(source, payload, jws.clone())
}

/// The source whose key signed, and the signed payload.
fn verify<'a>(keys: &'a IntakeKeys, signed: &'a Jws) -> Result<(&'a str, &'a [u8]), QuarantineReason> {
    let key_id = signed
        .unverified_key_id(Typ::AUDIT)
        .map_err(|fault| QuarantineReason::NotSigned(fault.to_string()))?;
    let (source, key) =
        keys.producer(&key_id).ok_or_else(|| QuarantineReason::UnknownKey(key_id.to_string()))?;
    let payload = signed.verify_with(key, Typ::AUDIT).map_err(|fault| QuarantineReason::Forged {
        source_name: source.to_owned(),
        fault: fault.to_string(),
    })?;
    Ok((source, payload))
}

fn parse(source: &str, payload: &[u8], jws: String) -> Result<VerifiedBatch, QuarantineReason> {
    let malformed = |fault: String| QuarantineReason::Malformed { source_name: source.to_owned(), fault };
    let batch: AuditBatch = serde_json::from_slice(payload).map_err(|fault| malformed(fault.to_string()))?;
    if batch.source != source {
        return Err(QuarantineReason::WrongSource { source_name: source.to_owned(), claimed: batch.source });
    }
    let AuditBatch { epoch, first, last, events, .. } = batch;
    if events.is_empty() {
        return Err(malformed("it has no event".to_owned()));
    }
    let declared = last.checked_sub(first).and_then(|span| span.checked_add(1));
    if declared != u64::try_from(events.len()).ok() {
        return Err(malformed(format!("it declares {first} to {last} but has {} events", events.len())));
    }
    let events = events
        .into_iter()
        .zip(first..=last)
        .map(|(bytes, sequence)| parse_event(source, epoch, sequence, bytes).map_err(malformed))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(VerifiedBatch { source: source.to_owned(), epoch, events, jws })
}

/// Parses an event, which must have the source, epoch and sequence that its batch declares.
fn parse_event(source: &str, epoch: Epoch, sequence: u64, bytes: String) -> Result<LogEvent, String> {
    let event = LogEvent::parse(bytes).map_err(|fault| fault.to_string())?;
    let parsed = event.event();
    if parsed.source != source || parsed.epoch != epoch || parsed.sequence != sequence {
        return Err(format!(
            "event {sequence} names {}, epoch {}, sequence {}",
            parsed.source, parsed.epoch, parsed.sequence
        ));
    }
    Ok(event)
}
