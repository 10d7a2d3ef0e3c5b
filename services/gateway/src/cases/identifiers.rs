//! What the messages of cases are about, as identifiers that are compared. The table `case_identifier` has those of every version of
//! a case's content, `mentioned_identifier` those that other messages mention and that matter when a handling code is kept.
//!
//! A value is stored as its SHA-256. That keeps rows short and of one size, and is no protection: who tries all plates finds the
//! one. So the rows are personal data like the message, and [`forget`] erases them with the case.

use rovuma_schemas::{
    AgencyCode, Digest, HandlingCode, Identifier, IdentifierKind, MessageId, MessageType, Timestamp,
};
use rovuma_store::{Binding, Conn, Insert};
use serde_json::Value;

use super::kept::CaseKey;
use crate::error::DbError;

/// An identifier as the store compares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredIdentifier {
    /// Its kind.
    pub(crate) kind: IdentifierKind,
    /// The digest of its value.
    pub(crate) value: Digest,
    /// What tells equal values apart; empty where the message does not say.
    pub(crate) qualifier: String,
    /// The key of the subject; empty where it has none.
    pub(crate) subject: String,
    /// The place of the subject in the message.
    pub(crate) pointer: String,
}

impl From<Identifier> for StoredIdentifier {
    fn from(identifier: Identifier) -> Self {
        let Identifier { kind, value, qualifier, subject, pointer } = identifier;
        Self {
            kind,
            value: rovuma_envelope::digest(value.as_bytes()),
            qualifier,
            subject: subject.map(|key| key.to_string()).unwrap_or_default(),
            pointer,
        }
    }
}

/// What a version of a case's content is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContentIdentifiers {
    version: u32,
    identifiers: Vec<StoredIdentifier>,
    /// Whether its handling code keeps recipients from handing it on without leave.
    is_restricted: bool,
}

impl ContentIdentifiers {
    /// What the body of a message of this type is about; nothing of a type that names nobody and nothing.
    pub(crate) fn of(message_type: &str, body: &Value, handling: HandlingCode) -> Self {
        let Ok(message_type) = message_type.parse::<MessageType>() else { return Self::default() };
        Self {
            version: message_type.content_version(body).unwrap_or_default(),
            identifiers: message_type.identifiers(body).into_iter().map(StoredIdentifier::from).collect(),
            is_restricted: handling.needs_leave_to_share(),
        }
    }

    /// Whether it is a version of its case's content.
    const fn is_version(&self) -> bool {
        self.version > 0
    }
}

const NEW: Insert = Insert {
    into: "INSERT INTO case_identifier (agency, owner, case_id, kind, version, what, value_digest, qualifier, subject)",
    columns: 9,
    // A message that was issued again says the same again.
    then: "ON CONFLICT (agency, what, value_digest, owner, case_id, kind, version, qualifier) DO NOTHING",
};

/// Inserts what messages that are stored now are about.
pub(crate) async fn insert(
    tx: &mut Conn,
    contents: &[(&CaseKey, &ContentIdentifiers)],
) -> Result<(), DbError> {
    let rows: Vec<_> = contents
        .iter()
        .filter(|(_, content)| content.is_version())
        .flat_map(|(key, content)| {
            content.identifiers.iter().map(|identifier| (*key, content.version, identifier))
        })
        .collect();
    NEW.rows(tx, &rows, |query, (key, version, identifier)| {
        identifier.bind(key.bind(query).bind(i64::from(*version)))
    })
    .await?;
    Ok(())
}

const MENTIONED: Insert = Insert {
    into: "INSERT INTO mentioned_identifier (agency, what, value_digest, owner, case_id, kind, sender, message, qualifier, known_at)",
    columns: 10,
    then: "ON CONFLICT (agency, what, value_digest, owner, case_id, kind, sender, message, qualifier) DO NOTHING",
};

/// A message that mentions persons and things.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mention<'a> {
    /// Its case.
    pub(crate) key: &'a CaseKey,
    /// Its sender.
    pub(crate) sender: &'a AgencyCode,
    /// Its id.
    pub(crate) message: MessageId,
    /// What it is about.
    pub(crate) content: &'a ContentIdentifiers,
}

/// Inserts what messages mention: of others those that are not handed on without leave; of our own those that are no version of a
/// case's content, so that what our agency has said itself is known.
pub(crate) async fn insert_mentions(
    tx: &mut Conn,
    mentions: &[Mention<'_>],
    now: Timestamp,
) -> Result<(), DbError> {
    let is_kept = |mention: &&Mention<'_>| match *mention.sender == mention.key.agency {
        true => !mention.content.is_version(),
        false => mention.content.is_restricted,
    };
    let rows: Vec<_> = mentions
        .iter()
        .filter(is_kept)
        .flat_map(|mention| mention.content.identifiers.iter().map(move |identifier| (mention, identifier)))
        .collect();
    MENTIONED
        .rows(tx, &rows, |query, (mention, identifier)| {
            let key = mention.key;
            query
                .bind(key.agency.as_str())
                .bind(identifier.kind.as_str())
                .bind(identifier.value.as_bytes().to_vec())
                .bind(key.owner.as_str())
                .bind(key.id.as_bytes().to_vec())
                .bind(key.kind.as_str())
                .bind(mention.sender.as_str())
                .bind(mention.message.as_bytes().to_vec())
                .bind(identifier.qualifier.as_str())
                .bind(now.as_micros())
        })
        .await?;
    Ok(())
}

impl StoredIdentifier {
    /// Binds kind, digest, qualifier and subject.
    pub(crate) fn bind<'q>(&'q self, query: Binding<'q>) -> Binding<'q> {
        query
            .bind(self.kind.as_str())
            .bind(self.value.as_bytes().to_vec())
            .bind(self.qualifier.as_str())
            .bind(self.subject.as_str())
    }
}

/// Erases what a case is about.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn forget(tx: &mut Conn, key: &CaseKey) -> Result<(), DbError> {
    const FORGET: [&str; 2] = [
        "DELETE FROM case_identifier WHERE agency = $1 AND owner = $2 AND case_id = $3 AND kind = $4",
        "DELETE FROM mentioned_identifier WHERE agency = $1 AND owner = $2 AND case_id = $3 AND kind = $4",
    ];
    for statement in FORGET {
        key.bind(sqlx::query(statement)).execute(&mut *tx).await?;
    }
    Ok(())
}
