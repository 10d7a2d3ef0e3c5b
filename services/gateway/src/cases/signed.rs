//! The signed content of messages of cases, read again from the stored bytes. The fold keeps only what a state depends on.

use std::collections::{BTreeMap, BTreeSet};

use rovuma_schemas::{AgencyCode, MessageId};
use rovuma_store::{Conn, RowExt, padded_list, with_list};
use serde::{Deserialize, de::DeserializeOwned};
use sqlx::Row;

use crate::{error::DbError, exchange::stored_jws};

/// The bytes of the messages that `$1` sent. The ids alone lead: of one agency there are many messages.
pub(crate) const SENT: &str =
    "SELECT agency AS sender, id, jws FROM sent WHERE (agency || '') = $1 AND id IN ({})";

/// The bytes of the messages that `$1` received.
pub(crate) const RECEIVED: &str =
    "SELECT sender, id, jws FROM received WHERE (recipient || '') = $1 AND id IN ({})";

/// Maximum messages that one statement reads.
const READ_MAX: usize = 64;

/// The signed JSON of messages, by sender and id.
#[derive(Debug, Default)]
pub(crate) struct Payloads(BTreeMap<(AgencyCode, MessageId), Vec<u8>>);

impl Payloads {
    /// The JSON of the message of `sender` that came under these ids; none where it was erased.
    pub(crate) fn of(&self, sender: &AgencyCode, ids: &[MessageId]) -> Option<&[u8]> {
        ids.iter().find_map(|id| self.0.get(&(sender.clone(), *id))).map(Vec::as_slice)
    }
}

/// Reads the signed JSON of these messages in the view of `agency`. What was erased is left out, and so is what is damaged: one bad row
/// must not hide all others.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn payloads(
    conn: &mut Conn,
    agency: &AgencyCode,
    wanted: &BTreeSet<(AgencyCode, MessageId)>,
) -> Result<Payloads, DbError> {
    let (own, others): (Vec<_>, Vec<_>) = wanted.iter().partition(|(sender, _)| sender == agency);
    let mut found = Payloads::default();
    for (statement, messages) in [(SENT, own), (RECEIVED, others)] {
        let ids: Vec<MessageId> = messages.iter().map(|(_, id)| *id).collect();
        for chunk in ids.chunks(READ_MAX) {
            let query = sqlx::query(with_list(statement, 2, chunk.len())).bind(agency.as_str());
            let query = padded_list(chunk).fold(query, |query, id| query.bind(id.as_bytes().to_vec()));
            for row in &query.fetch_all(&mut *conn).await? {
                let key = (row.parsed::<AgencyCode>("sender")?, row.message_id("id")?);
                let compact: Option<Vec<u8>> = row.try_get("jws")?;
                let Some(compact) = compact.filter(|compact| !compact.is_empty()) else { continue };
                // An agency may use another's id: only the bytes of the sender in question count.
                if !wanted.contains(&key) {
                    continue;
                }
                match stored_jws(&compact) {
                    Ok(jws) => drop(found.0.insert(key, jws.unverified_payload().to_vec())),
                    Err(fault) => tracing::error!(%fault, message.id = %key.1, "a stored message is damaged"),
                }
            }
        }
    }
    Ok(found)
}

/// The body in the signed JSON of a message; none where it is not one of this type. The message was checked when it was stored.
pub(crate) fn body<B: DeserializeOwned>(payload: &[u8]) -> Option<B> {
    #[derive(Deserialize)]
    struct Signed<B> {
        body: B,
    }
    serde_json::from_slice::<Signed<B>>(payload).ok().map(|signed| signed.body)
}
