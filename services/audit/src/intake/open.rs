//! From a delivery to a batch whose signer is known.

use rovuma_broker::{Delivery, topology::names::audit_event_key};
use rovuma_envelope::{Jws, Typ, open};
use rovuma_schemas::{Epoch, audit::AuditBatch};

use super::keys::Keys;
use crate::log::LogEvent;

/// A batch is at most this large once opened: 256 events of a few hundred bytes are far below, and a
/// delivery cannot make the service allocate more.
pub(super) const BATCH_MAX_BYTES: usize = 8 * 1024 * 1024;

/// A batch that its source signed: every event in it says the same source and epoch, and they are
/// consecutive. Whether they continue what is stored is another question.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) source: String,
    pub(super) epoch: Epoch,
    pub(super) events: Vec<LogEvent>,
    /// The signed batch as a compact JWS: evidence, should the chain not hold.
    pub(super) jws: String,
}

/// Why a delivery is nobody's batch.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    /// None of our keys opens it.
    #[error("cannot be opened: {0}")]
    Sealed(String),
    /// What was sealed is not a JWS of an audit batch.
    #[error("is not a signed batch: {0}")]
    NotSigned(String),
    /// Signed by a key that no configured source has.
    #[error("is signed by {0}, which no configured source has")]
    UnknownKey(String),
    /// The signature does not hold.
    #[error("is not what {source_name} signed: {fault}")]
    Forged {
        /// The source whose key it names.
        source_name: String,
        /// What does not hold.
        fault: String,
    },
    /// Signed by one source in the name of another, or sent by the way of another.
    #[error("is signed by {source_name} in the name of {claimed:?}")]
    WrongSource {
        /// The source that signed.
        source_name: String,
        /// The source that the batch or its routing key names.
        claimed: String,
    },
    /// Signed by its source, and not a batch all the same.
    #[error("is signed by {source_name} but is not a batch: {fault}")]
    Malformed {
        /// The source that signed.
        source_name: String,
        /// What is wrong.
        fault: String,
    },
}

impl Unfit {
    /// The word in the quarantine, the metric and the log.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Sealed(_) => "sealed",
            Self::NotSigned(_) => "not_signed",
            Self::UnknownKey(_) => "unknown_key",
            Self::Forged { .. } => "forged",
            Self::WrongSource { .. } => "wrong_source",
            Self::Malformed { .. } => "malformed",
        }
    }
}

/// Opens a delivery, checks who signed it, and reads it.
///
/// # Errors
/// [`Unfit`]: the delivery goes to the quarantine.
pub(super) fn batch(keys: &Keys, delivery: &Delivery) -> Result<Batch, Unfit> {
    let opened = open(&delivery.body, &keys.sealing(), BATCH_MAX_BYTES)
        .map_err(|fault| Unfit::Sealed(fault.to_string()))?;
    let jws = String::from_utf8(opened).map_err(|_| Unfit::NotSigned("not text".to_owned()))?;
    let signed = Jws::from_compact(&jws).map_err(|fault| Unfit::NotSigned(fault.to_string()))?;
    let (source, payload) = verify(keys, &signed)?;
    if delivery.routing_key != audit_event_key(source) {
        let claimed = delivery.routing_key.clone();
        return Err(Unfit::WrongSource { source_name: source.to_owned(), claimed });
    }
    read(source, payload, jws.clone())
}

/// The source whose key signed, and what it signed.
fn verify<'a>(keys: &'a Keys, signed: &'a Jws) -> Result<(&'a str, &'a [u8]), Unfit> {
    let key_id = signed.unverified_key_id(Typ::AUDIT).map_err(|fault| Unfit::NotSigned(fault.to_string()))?;
    let (source, key) = keys.producer(&key_id).ok_or_else(|| Unfit::UnknownKey(key_id.to_string()))?;
    let payload = signed
        .verify_with(key, Typ::AUDIT)
        .map_err(|fault| Unfit::Forged { source_name: source.to_owned(), fault: fault.to_string() })?;
    Ok((source, payload))
}

fn read(source: &str, payload: &[u8], jws: String) -> Result<Batch, Unfit> {
    let malformed = |fault: String| Unfit::Malformed { source_name: source.to_owned(), fault };
    let batch: AuditBatch = serde_json::from_slice(payload).map_err(|fault| malformed(fault.to_string()))?;
    if batch.source != source {
        return Err(Unfit::WrongSource { source_name: source.to_owned(), claimed: batch.source });
    }
    let AuditBatch { epoch, first, last, events, .. } = batch;
    if events.is_empty() {
        return Err(malformed("it holds no event".to_owned()));
    }
    let declared = last.checked_sub(first).and_then(|span| span.checked_add(1));
    if declared != u64::try_from(events.len()).ok() {
        return Err(malformed(format!("it says {first} to {last} and holds {} events", events.len())));
    }
    let events = events
        .into_iter()
        .zip(first..=last)
        .map(|(bytes, sequence)| read_event(source, epoch, sequence, bytes).map_err(malformed))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Batch { source: source.to_owned(), epoch, events, jws })
}

/// An event has to say what its batch says of it.
fn read_event(source: &str, epoch: Epoch, sequence: u64, bytes: String) -> Result<LogEvent, String> {
    let event = LogEvent::read(bytes).map_err(|fault| fault.to_string())?;
    let said = event.event();
    if said.source != source || said.epoch != epoch || said.sequence != sequence {
        return Err(format!(
            "event {sequence} says it is {}, epoch {}, {}",
            said.source, said.epoch, said.sequence
        ));
    }
    Ok(event)
}
