//! What the messages of cases are about, as identifiers that are compared. The table `case_identifier` has those of every version of
//! a case's content.
//!
//! A value is stored as its SHA-256. That keeps rows short and of one size, and is no protection: who tries all plates finds the
//! one. So the rows are personal data like the message, and [`forget`] erases them with the case.

use rovuma_schemas::{Digest, Identifier, IdentifierKind, MessageType};
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
}

impl ContentIdentifiers {
    /// What the body of a message of this type is about; nothing if it brings no content.
    pub(crate) fn of(message_type: &str, body: &Value) -> Self {
        let Ok(message_type) = message_type.parse::<MessageType>() else { return Self::default() };
        let Some(version) = message_type.content_version(body) else { return Self::default() };
        let identifiers = message_type.identifiers(body).into_iter().map(StoredIdentifier::from).collect();
        Self { version, identifiers }
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
    let query = sqlx::query(
        "DELETE FROM case_identifier WHERE agency = $1 AND owner = $2 AND case_id = $3 AND kind = $4",
    );
    key.bind(query).execute(tx).await?;
    Ok(())
}
