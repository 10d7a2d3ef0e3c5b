//! What a draft would hand on that another agency sent under a handling code: a message under `H2` or `H3` is quoted and forwarded only
//! with its sender's leave, and then only to those whom the leave names.
//!
//! A gateway cannot see where a sentence comes from, but it sees documents, plates, numbers, and names with birth dates. Where a
//! draft to somebody else has one of them that this agency knows from such a message alone, it is not released without leave. An author
//! who knows it from a source of the agency's own says so by a file reference; then a second person releases it, and the log has both.

use std::collections::BTreeSet;

use rovuma_schemas::{AgencyCode, CaseId, MessageId, Timestamp};
use rovuma_store::{Conn, RowExt, padded_list, with_rows};
use sqlx::Row;

use super::content::Content;
use crate::{
    cases::identifiers::StoredIdentifier,
    error::DbError,
    families::{self, Restricted},
};

/// A message of another agency from which a draft would hand something on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RestrictedSource {
    /// Who sent it, and may give leave.
    pub(crate) sender: AgencyCode,
    /// Its case.
    pub(crate) case: CaseId,
    /// Its id.
    pub(crate) message: MessageId,
}

/// Maximum messages that one look-up reads: one is enough to refuse, and nobody quotes from so many. Where there are more, no leave is
/// looked for.
const ROWS_MAX: usize = 64;

/// Maximum identifiers that one statement looks up.
const ASKED_MAX: usize = 64;

/// The messages of others than `$3` that mention these identifiers and are not handed on without leave; without those identifiers that
/// our agency had said itself before, or knows from an alert that may be handed on, and those of which `$3` told us itself.
pub(crate) const FIND: &str = "
    WITH asked (a_what, a_digest, a_qualifier) AS (VALUES {}),
     wanted AS (SELECT DISTINCT a_what, a_digest, a_qualifier FROM asked)
    SELECT DISTINCT m.sender, m.owner, m.case_id, m.kind, m.message
    FROM wanted CROSS JOIN mentioned_identifier AS m
    WHERE m.agency = $1 AND m.what = a_what AND m.value_digest = a_digest
      AND (substr(m.qualifier, 1, length(a_qualifier)) = a_qualifier
           OR substr(a_qualifier, 1, length(m.qualifier)) = m.qualifier)
      AND (m.sender || '') <> $1 AND (m.sender || '') <> $3
      AND NOT EXISTS (SELECT 1 FROM mentioned_identifier AS own
                      WHERE own.agency = $1 AND own.what = a_what AND own.value_digest = a_digest
                        AND (substr(own.qualifier, 1, length(a_qualifier)) = a_qualifier
                             OR substr(a_qualifier, 1, length(own.qualifier)) = own.qualifier)
                        AND (own.sender || '') = $1 AND own.known_at < m.known_at)
      AND NOT EXISTS (SELECT 1 FROM case_identifier AS said CROSS JOIN case_file AS f
                      WHERE said.agency = $1 AND said.what = a_what AND said.value_digest = a_digest
                        AND f.agency = said.agency AND f.owner = said.owner AND f.case_id = said.case_id
                        AND f.kind = said.kind
                        AND (substr(said.qualifier, 1, length(a_qualifier)) = a_qualifier
                             OR substr(a_qualifier, 1, length(said.qualifier)) = said.qualifier)
                        AND (f.handling IN ('H0', 'H1') AND (f.owner || '') <> $1
                             OR (f.owner || '') = $3
                             OR (f.owner || '') = $1 AND said.version = 1 AND (f.opened_at + 0) < m.known_at))
    LIMIT $2";

/// Those messages from which `content` would hand something on to somebody else than their sender, and whose sender has given no leave
/// to do so. `to` are the recipients.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(super) async fn without_leave(
    conn: &mut Conn,
    agency: &AgencyCode,
    content: &Content,
    to: &[AgencyCode],
    now: Timestamp,
) -> Result<BTreeSet<RestrictedSource>, DbError> {
    // Nobody is told anything by its own words. Among several recipients the others are.
    let only_to = match to {
        [only] => only.as_str(),
        _ => "",
    };
    let (mut sources, are_more) = sources(conn, agency, only_to, content.identifiers()).await?;
    sources.retain(|source| to.iter().any(|recipient| *recipient != source.sender));
    if are_more {
        return Ok(sources);
    }
    let mut left = BTreeSet::new();
    for source in sources {
        let message = Restricted { agency, sender: &source.sender, id: source.message, case: &source.case };
        let others = to.iter().filter(|recipient| **recipient != source.sender);
        let mut has_leave = true;
        for recipient in others {
            has_leave &= families::may_hand_on(conn, message, recipient, now).await?;
        }
        if !has_leave {
            left.insert(source);
        }
    }
    Ok(left)
}

async fn sources(
    conn: &mut Conn,
    agency: &AgencyCode,
    only_to: &str,
    identifiers: &[StoredIdentifier],
) -> Result<(BTreeSet<RestrictedSource>, bool), DbError> {
    let (mut sources, mut are_more) = (BTreeSet::new(), false);
    for asked in identifiers.chunks(ASKED_MAX) {
        let query = sqlx::query(with_rows(FIND, (4, 3), asked.len())).bind(agency.as_str());
        let query = query.bind(i64::try_from(ROWS_MAX + 1).unwrap_or(i64::MAX)).bind(only_to);
        let query = padded_list(asked).fold(query, |query, identifier| {
            query
                .bind(identifier.kind.as_str())
                .bind(identifier.value.as_bytes().to_vec())
                .bind(identifier.qualifier)
        });
        let rows = query.fetch_all(&mut *conn).await?;
        are_more |= rows.len() > ROWS_MAX;
        for row in &rows {
            let case = CaseId {
                kind: row.try_get("kind")?,
                owner: row.parsed("owner")?,
                id: row.message_id("case_id")?,
            };
            sources.insert(RestrictedSource {
                sender: row.parsed("sender")?,
                case,
                message: row.message_id("message")?,
            });
        }
    }
    Ok((sources, are_more))
}
