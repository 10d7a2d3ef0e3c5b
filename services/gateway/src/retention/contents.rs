//! The content of a case in one agency's view: the rows whose bytes are erased.

use std::collections::BTreeSet;

use rovuma_schemas::{AgencyCode, CountryCode, Digest, MessageId, MessageType};
use rovuma_store::{Conn, RowExt, padded_list, with_list};
use serde_json::Value;
use sqlx::Row;

use crate::{
    cases::kept::{self, CaseKey},
    error::DbError,
    exchange::stored_jws,
};

/// The rows of a case that hold content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CaseContents {
    /// Messages of ours: the id, the country that they were signed for, the digest.
    pub(super) sent: Vec<(MessageId, CountryCode, Digest)>,
    /// Received copies: the number of the row, the id, the digest.
    pub(super) received: Vec<(i64, MessageId, Digest)>,
    /// Messages in conflict with one of the case, or naming the case: the id, the digest.
    pub(super) conflicts: Vec<(MessageId, Digest)>,
}

impl CaseContents {
    /// Whether nothing of it is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.sent.is_empty() && self.received.is_empty() && self.conflicts.is_empty()
    }

    /// The ids of its messages.
    pub(crate) fn ids(&self) -> BTreeSet<MessageId> {
        let sent = self.sent.iter().map(|(id, ..)| *id);
        let received = self.received.iter().map(|(_, id, _)| *id);
        sent.chain(received).chain(self.conflicts.iter().map(|(id, _)| *id)).collect()
    }

    /// The digests of its signed messages, one for each country that a message of ours was signed for.
    pub(super) fn digests(&self) -> BTreeSet<[u8; 32]> {
        let sent = self.sent.iter().map(|(.., digest)| *digest);
        let received = self.received.iter().map(|(.., digest)| *digest);
        let all = sent.chain(received).chain(self.conflicts.iter().map(|(_, digest)| *digest));
        all.map(|digest| *digest.as_bytes()).collect()
    }
}

/// Messages of ours in the case. Only of a certificate are the bytes wanted, to see whether it says anything in words.
pub(crate) const SENT: &str = "
    SELECT id, country, digest, message_type, CASE WHEN message_type = $5 THEN jws END AS certificate FROM sent
    WHERE agency = $1 AND case_owner = $2 AND case_id = $3 AND case_kind = $4 AND erased_at IS NULL";

/// Received messages that name the case, whether they stand in it or expired on the way.
pub(crate) const RECEIVED: &str = "
    SELECT seq, id, digest, sender, message_type, CASE WHEN message_type = $5 THEN jws END AS certificate FROM received
    WHERE recipient = $1 AND case_owner = $2 AND case_id = $3 AND case_kind = $4 AND erased_at IS NULL";

/// Received messages that stand in the case, though they were not accepted and their rows name none.
pub(crate) const NOT_ACCEPTED: &str = "
    SELECT received.seq, received.id, received.digest, received.sender, received.message_type,
           CASE WHEN received.message_type = $5 THEN received.jws END AS certificate
    FROM case_message AS m CROSS JOIN received
    WHERE m.agency = $1 AND m.owner = $2 AND m.case_id = $3 AND m.kind = $4 AND m.sender <> m.agency
      AND received.recipient = $1 AND received.sender = m.sender AND received.id = m.id AND received.case_id IS NULL
      AND received.erased_at IS NULL";

/// Conflicting messages that name the case.
pub(crate) const CONFLICTS: &str = "
    SELECT id, digest FROM conflict
    WHERE recipient = $1 AND case_owner = $2 AND case_id = $3 AND case_kind = $4 AND erased_at IS NULL";

/// Conflicting messages under the id of a message of the case.
pub(crate) const CONFLICTS_UNDER: &str =
    "SELECT id, digest, sender FROM conflict WHERE recipient = $1 AND erased_at IS NULL AND id IN ({})";

/// Maximum messages that one statement looks up.
pub(super) const LOOK_UP_MAX: usize = 64;

/// Finds what is left of the content of a case.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn find(conn: &mut Conn, key: &CaseKey) -> Result<CaseContents, DbError> {
    let mut found = CaseContents::default();
    for row in &key.bind(sqlx::query(SENT)).bind(CERTIFICATE).fetch_all(&mut *conn).await? {
        if !is_bare_certificate(row)? {
            found.sent.push((row.message_id("id")?, row.parsed("country")?, row.digest("digest")?));
        }
    }
    let mut signed: BTreeSet<(MessageId, AgencyCode)> = BTreeSet::new();
    for statement in [RECEIVED, NOT_ACCEPTED] {
        let query = key.bind(sqlx::query(statement)).bind(CERTIFICATE);
        for row in &query.fetch_all(&mut *conn).await? {
            let copy = (row.try_get("seq")?, row.message_id("id")?, row.digest("digest")?);
            signed.insert((copy.1, row.parsed("sender")?));
            if !found.received.contains(&copy) && !is_bare_certificate(row)? {
                found.received.push(copy);
            }
        }
    }
    let mut conflicts = BTreeSet::new();
    for row in &key.bind(sqlx::query(CONFLICTS)).fetch_all(&mut *conn).await? {
        conflicts.insert((row.message_id("id")?, *row.digest("digest")?.as_bytes()));
    }
    let ids: Vec<MessageId> = found.received.iter().map(|(_, id, _)| *id).collect();
    for ids in ids.chunks(LOOK_UP_MAX) {
        let query = sqlx::query(with_list(CONFLICTS_UNDER, 2, ids.len())).bind(key.agency.as_str());
        let query = padded_list(ids).fold(query, |query, id| query.bind(id.as_bytes().to_vec()));
        for row in &query.fetch_all(&mut *conn).await? {
            // Another agency may have used the same id: what it signed is no part of this case.
            let id = row.message_id("id")?;
            if signed.contains(&(id, row.parsed("sender")?)) {
                conflicts.insert((id, *row.digest("digest")?.as_bytes()));
            }
        }
    }
    found.conflicts = conflicts.into_iter().map(|(id, digest)| (id, Digest::from_bytes(digest))).collect();
    Ok(found)
}

const CERTIFICATE: &str = MessageType::PurgeCertify.as_str();

/// Whether the row is that of a certificate in codes alone, which is kept.
fn is_bare_certificate(row: &sqlx::any::AnyRow) -> Result<bool, DbError> {
    let Some(certificate) = row.try_get::<Option<Vec<u8>>, _>("certificate")? else { return Ok(false) };
    let message_type: String = row.try_get("message_type")?;
    let payload: Option<Value> = serde_json::from_slice(stored_jws(&certificate)?.unverified_payload()).ok();
    Ok(payload.is_some_and(|payload| kept::is_bare_certificate(&message_type, &payload)))
}
