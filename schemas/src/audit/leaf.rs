//! The leaf of an audit event in its country's Merkle log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AuditAction, AuditEvent, AuditObject, AuditOutcome};
use crate::{AgencyCode, Digest, Epoch, MessageId, Timestamp};

/// The version of the leaf's format that this build writes.
pub const LEAF_VERSION: u16 = 1;

/// Maximum bytes of a leaf. Texts are cut so that a leaf stays below it: a partner's witness, an auditor's laptop and a bundle of
/// 256 can rely on it.
pub const LEAF_MAX_BYTES: usize = 1024;

/// Maximum bytes of a pseudonymous name as JSON; our services write names half as long.
const NAME_MAX_BYTES: usize = 64;

/// Maximum bytes of the kind of an object as JSON.
const KIND_MAX_BYTES: usize = 32;

/// Maximum bytes of an object's identifier as JSON.
const ID_MAX_BYTES: usize = 128;

/// Marks where a text was cut. The event itself has the whole text.
const CUT: char = '…';

/// The leaf of an event: identifiers, times and codes, and a commitment to the event itself. It stays in the log for ever and has
/// no personal data: when the event's content is erased, the leaf and every proof of it still hold.
///
/// The log hashes the bytes of [`AuditLeaf::to_bytes`]. A leaf has exactly one such form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditLeaf {
    /// The version of this format, [`LEAF_VERSION`].
    pub version: u16,
    /// The event's id.
    pub id: MessageId,
    /// The service that wrote it, `mz.gateway`.
    pub source: String,
    /// The epoch of that service's store.
    pub epoch: Epoch,
    /// The number within (source, epoch), from 1 and without gaps.
    pub sequence: u64,
    /// When it happened.
    pub time: Timestamp,
    /// The actor: a pseudonymous subject, or a service's name.
    pub actor: String,
    /// The actor's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The agency for which the actor acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<AgencyCode>,
    /// The act.
    pub action: AuditAction,
    /// The object of the act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<AuditObject>,
    /// The purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The outcome.
    pub outcome: AuditOutcome,
    /// SHA-256 of the signed message that it is about, where it has one: the detail `digest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Digest>,
    /// Of `receipt.accept`: the SHA-256 of the signed receipt, the detail `receipt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Digest>,
    /// Of an order of erasure: the root (RFC 6962) of the list of the leaves whose events it erased, the detail `erased`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<Digest>,
    /// SHA-256 of a random salt of 32 bytes followed by the event's exact JSON bytes.
    pub commit: Digest,
}

/// Why bytes are not a leaf.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeafFault {
    /// They are more than a leaf may have.
    #[error("a leaf of {size_bytes} bytes: at most {LEAF_MAX_BYTES} are read")]
    TooLarge {
        /// Their number.
        size_bytes: usize,
    },
    /// They are not the JSON of a leaf.
    #[error("not a leaf: {0}")]
    Malformed(String),
    /// They are a leaf of a version that this build does not read.
    #[error("a leaf of version {got}: this build reads {LEAF_VERSION}")]
    Version {
        /// The version.
        got: u16,
    },
    /// They are another form of a leaf than the one that this build writes, or a leaf with sequence 0.
    #[error("a leaf in another form than the one that is written")]
    NotCanonical,
}

impl AuditLeaf {
    /// The leaf of an event, with the commitment to it.
    pub fn of(event: &AuditEvent, commit: Digest) -> Self {
        let name = |text: &String| cut(text, NAME_MAX_BYTES);
        let digest = |detail| event.details.get(detail).and_then(|digest| digest.parse().ok());
        Self {
            version: LEAF_VERSION,
            id: event.id,
            source: name(&event.source),
            epoch: event.epoch,
            sequence: event.sequence,
            time: event.time,
            actor: name(&event.actor),
            session: event.session.as_ref().map(name),
            agency: event.agency.clone(),
            action: event.action.clone(),
            object: event.object.as_ref().map(|object| {
                AuditObject::new(cut(&object.kind, KIND_MAX_BYTES), cut(&object.id, ID_MAX_BYTES))
            }),
            purpose: event.purpose.as_ref().map(name),
            outcome: event.outcome,
            message: digest("digest"),
            receipt: digest("receipt").filter(|_| event.action == AuditAction::ReceiptAccept),
            erased: digest("erased").filter(|_| event.action == AuditAction::Erase),
            commit,
        }
    }

    /// The leaf's bytes: JSON without white space, with the members in the order of this type and absent members left out.
    pub fn to_bytes(&self) -> Vec<u8> {
        // A struct of texts and numbers always serialises.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a leaf's bytes.
    ///
    /// # Errors
    /// [`LeafFault`] when they are not a leaf in the form of [`AuditLeaf::to_bytes`].
    pub fn from_bytes(unverified_bytes: &[u8]) -> Result<Self, LeafFault> {
        if unverified_bytes.len() > LEAF_MAX_BYTES {
            return Err(LeafFault::TooLarge { size_bytes: unverified_bytes.len() });
        }
        let leaf: Self = serde_json::from_slice(unverified_bytes)
            .map_err(|fault| LeafFault::Malformed(fault.to_string()))?;
        if leaf.version != LEAF_VERSION {
            return Err(LeafFault::Version { got: leaf.version });
        }
        if leaf.sequence == 0 || leaf.to_bytes() != unverified_bytes {
            return Err(LeafFault::NotCanonical);
        }
        Ok(leaf)
    }

    /// Whether this leaf agrees with the event. The caller must check whether it commits to the event's bytes.
    pub fn agrees_with(&self, event: &AuditEvent) -> bool {
        *self == Self::of(event, self.commit)
    }
}

/// The text, cut where its JSON would be longer than `max_bytes`.
fn cut(text: &str, max_bytes: usize) -> String {
    let mut length = 0;
    let fits = |length: &mut usize, sign: char, max: usize| {
        *length += json_bytes(sign);
        *length <= max
    };
    if text.chars().all(|sign| fits(&mut length, sign, max_bytes)) {
        return text.to_owned();
    }
    length = 0;
    let left = max_bytes - CUT.len_utf8();
    text.chars().take_while(|sign| fits(&mut length, *sign, left)).chain([CUT]).collect()
}

/// The bytes of a character within a JSON text (RFC 8259, section 7), as serde_json writes it.
fn json_bytes(sign: char) -> usize {
    match sign {
        '"' | '\\' | '\u{8}' | '\t' | '\n' | '\u{c}' | '\r' => 2,
        '\0'..='\u{1f}' => 6,
        sign => sign.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, str::FromStr};

    use proptest::prelude::*;

    use super::*;
    use crate::{AGENCY_NAME_MAX, StoreId, audit::FIRST_PREVIOUS};

    fn event() -> AuditEvent {
        let time: Timestamp = "2026-03-01T08:30:00.123456Z".parse().expect("a time");
        let digest = Digest::from_bytes([9; 32]).to_string();
        AuditEvent {
            version: 1,
            id: "01968f3e-7b5a-7c3d-8e4f-0123456789ab".parse().expect("an id"),
            source: "mz.gateway".to_owned(),
            epoch: StoreId::from_slice(&[7; 16]).expect("16 bytes"),
            sequence: 12,
            previous: FIRST_PREVIOUS,
            time,
            actor: "u-5f2c".to_owned(),
            session: Some("s-1".to_owned()),
            agency: Some("mz.prm".parse().expect("an agency")),
            action: AuditAction::MessageSend,
            object: Some(AuditObject::new("message", "01968f3e-7b5a-7c3d-8e4f-0123456789ab")),
            purpose: Some("case".to_owned()),
            outcome: AuditOutcome::Success,
            reason: None,
            blind: None,
            details: BTreeMap::from([
                ("digest".to_owned(), digest),
                ("type".to_owned(), "alert.issue".to_owned()),
            ]),
        }
    }

    fn leaf() -> AuditLeaf {
        AuditLeaf::of(&event(), Digest::from_bytes([3; 32]))
    }

    /// The bytes are hashed into logs that are kept for decades.
    #[test]
    fn a_leaf_is_written_as_it_was_in_the_first_log() {
        let text = String::from_utf8(leaf().to_bytes()).expect("UTF-8");
        let expected = concat!(
            r#"{"version":1,"id":"01968f3e-7b5a-7c3d-8e4f-0123456789ab","source":"mz.gateway","#,
            r#""epoch":"07070707070707070707070707070707","sequence":12,"time":"2026-03-01T08:30:00.123456Z","#,
            r#""actor":"u-5f2c","session":"s-1","agency":"mz.prm","action":"message.send","#,
            r#""object":{"kind":"message","id":"01968f3e-7b5a-7c3d-8e4f-0123456789ab"},"purpose":"case","#,
            r#""outcome":"success","message":"CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk","#,
            r#""commit":"AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM"}"#,
        );
        assert_eq!(text, expected);
        assert_eq!(AuditLeaf::from_bytes(text.as_bytes()), Ok(leaf()));
        assert!(leaf().agrees_with(&event()));
    }

    #[test]
    fn what_says_a_leaf_in_another_way_is_none() {
        let text = String::from_utf8(leaf().to_bytes()).expect("UTF-8");
        for (what, bent) in [
            ("another version", text.replacen(r#""version":1"#, r#""version":2"#, 1)),
            ("the number 0", text.replacen(r#""sequence":12"#, r#""sequence":0"#, 1)),
            ("a space", text.replacen(',', ", ", 1)),
            ("another order", text.replacen(r#""version":1,"#, "", 1).replacen('}', r#","version":1}"#, 2)),
            ("an escape", text.replacen("mz.gateway", r"mz\u002egateway", 1)),
            ("a name twice", text.replacen(r#""version":1,"#, r#""version":1,"version":1,"#, 1)),
            ("a member more", text.replacen(r#""version":1,"#, r#""version":1,"name":"x","#, 1)),
            ("null for what is absent", text.replacen(r#""session":"s-1""#, r#""session":null"#, 1)),
            (
                "no commitment",
                text.replacen(r#","commit":"AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM""#, "", 1),
            ),
            ("a time with its zone", text.replacen("123456Z", "123456+00:00", 1)),
            ("something after it", format!("{text} ")),
            ("half of it", text[..100].to_owned()),
        ] {
            assert_ne!(bent, text, "{what}");
            assert!(AuditLeaf::from_bytes(bent.as_bytes()).is_err(), "{what} was taken");
        }
        let large = format!("{text}{}", " ".repeat(LEAF_MAX_BYTES));
        assert!(matches!(AuditLeaf::from_bytes(large.as_bytes()), Err(LeafFault::TooLarge { .. })));
    }

    #[test]
    fn a_leaf_says_its_event_and_no_other() {
        let bends: [fn(&mut AuditEvent); 13] = [
            |event| event.id = "01968f3e-7b5a-7c3d-8e4f-0123456789ac".parse().expect("an id"),
            |event| event.source = "tz.gateway".to_owned(),
            |event| event.epoch = StoreId::from_slice(&[8; 16]).expect("16 bytes"),
            |event| event.sequence += 1,
            |event| event.time = event.time.plus(std::time::Duration::from_micros(1)),
            |event| event.actor.push('x'),
            |event| event.session = None,
            |event| event.agency = None,
            |event| event.action = AuditAction::MessageReceive,
            |event| event.object = Some(AuditObject::new("message", "another")),
            |event| event.purpose = None,
            |event| event.outcome = AuditOutcome::Refused,
            |event| drop(event.details.remove("digest")),
        ];
        for (place, bend) in bends.into_iter().enumerate() {
            let mut event = event();
            bend(&mut event);
            assert!(!leaf().agrees_with(&event), "bend {place}");
        }
    }

    #[test]
    fn a_receipts_digest_and_what_an_order_erased_stay_when_the_event_is_erased() {
        let named = Digest::from_bytes([5; 32]);
        for (action, receipt, erased) in [
            (AuditAction::ReceiptAccept, Some(named), None),
            (AuditAction::Erase, None, Some(named)),
            (AuditAction::ReceiptRefuse, None, None),
        ] {
            let mut event = AuditEvent { action: action.clone(), ..event() };
            for detail in ["receipt", "erased"] {
                event.details.insert(detail.to_owned(), named.to_string());
            }
            let leaf = AuditLeaf::of(&event, Digest::from_bytes([3; 32]));
            assert_eq!((leaf.receipt, leaf.erased), (receipt, erased), "{action}");
            assert_eq!(AuditLeaf::from_bytes(&leaf.to_bytes()), Ok(leaf.clone()), "{action}");
            event.details.retain(|name, _| name == "digest");
            assert_eq!(leaf.agrees_with(&event), receipt.or(erased).is_none(), "{action}");
        }
    }

    proptest! {
        #[test]
        fn whatever_an_event_says_its_leaf_is_small_and_reads_back(
            texts in prop::array::uniform6("(?s).{0,300}"), controls in "[\\x00-\\x1f\"]{0,200}", sequence in 1..=u64::MAX,
        ) {
            let mut event = event();
            let [source, actor, session, kind, id, purpose] = texts;
            event.sequence = sequence;
            event.source = source;
            event.actor = format!("{controls}{actor}");
            event.session = Some(session);
            event.object = Some(AuditObject::new(kind, format!("{controls}{id}")));
            event.purpose = Some(purpose);
            event.agency = Some(format!("mz.{}", "a".repeat(AGENCY_NAME_MAX)).parse().expect("the longest agency"));
            event.action = match sequence % 3 {
                0 => AuditAction::ReceiptAccept,
                1 => AuditAction::Erase,
                _ => AuditAction::from_str(&"a".repeat(48)).expect("the longest code word"),
            };
            for detail in ["receipt", "erased"] {
                event.details.insert(detail.to_owned(), Digest::from_bytes([255; 32]).to_string());
            }
            let leaf = AuditLeaf::of(&event, Digest::from_bytes([255; 32]));
            let bytes = leaf.to_bytes();
            prop_assert!(bytes.len() <= LEAF_MAX_BYTES, "{} bytes", bytes.len());
            prop_assert_eq!(AuditLeaf::from_bytes(&bytes), Ok(leaf));
        }
    }

    #[test]
    fn a_text_is_cut_where_its_json_would_be_too_long() {
        assert_eq!(cut("just so", 7), "just so");
        assert_eq!(cut("too long", 7), "too …");
        assert_eq!(cut("\"quoted\"", 8), "\"quo…");
        assert_eq!(cut("éé", 4), "éé");
        assert_eq!(cut("ééé", 5), "é…");
    }
}
