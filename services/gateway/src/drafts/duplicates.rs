//! Duplicates: what is live already about the same person or thing as a draft. Its author is shown them, and releases the draft all the
//! same only with a reason.
//!
//! Looked up are the cases of the author's agency, its own and those of others, that officers act on now, and the agency's open
//! drafts, of the draft's status: an exercise is no duplicate of what is in earnest. An identifier that the case of the draft has had in
//! any version is not looked up: a newer version is no duplicate of its own case, nor shown again what was accepted before.

use rovuma_schemas::{AgencyCode, CaseId, Identifier, IdentifierKind, MessageId, MessageType, Timestamp};
use rovuma_store::{Conn, Insert, RowExt, padded_list, with_rows};
use sqlx::{Row, any::AnyRow};

use super::{content::Content, draft::Draft};
use crate::{
    cases::{identifiers::StoredIdentifier, list},
    error::DbError,
    families,
};

/// Why a draft is released all the same: a code or file reference, because the audit log records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatedReason(String);

impl StatedReason {
    /// Maximum characters.
    pub(crate) const MAX: usize = 64;

    /// The stated reason, if it is a code or reference: letters, digits and `. _ - /`.
    pub(crate) fn read(unverified_text: &str) -> Option<Self> {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/');
        let fits =
            (1..=Self::MAX).contains(&unverified_text.len()) && unverified_text.bytes().all(is_allowed);
        fits.then(|| Self(unverified_text.to_owned()))
    }

    /// The reason.
    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// A case or a draft that is a duplicate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Duplicate {
    /// What it is.
    pub(crate) of: Duplicated,
    /// The agency that opened the case, or writes the draft.
    pub(crate) owner: AgencyCode,
    /// Its state now.
    pub(crate) state: String,
    /// Since when it is here.
    pub(crate) since: Timestamp,
    /// What is the same.
    pub(crate) same: Vec<SameSubject>,
}

/// What a duplicate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Duplicated {
    /// A case that officers act on.
    Case {
        /// Its name.
        case: CaseId,
        /// For paper and telephone.
        short_reference: Option<String>,
    },
    /// An open draft.
    Draft {
        /// Its id.
        id: MessageId,
        /// Who writes it.
        author: String,
        /// Its type.
        message_type: MessageType,
    },
}

/// A subject that both are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SameSubject {
    /// What is the same.
    pub(crate) kind: IdentifierKind,
    /// The key of the subject there; empty where it has none.
    pub(crate) subject: String,
    /// The place of the subject in the draft that is checked.
    pub(crate) pointer: String,
}

/// Every duplicate of a draft, as far as [`ROWS_MAX`] rows go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Duplicates {
    /// Those that were found.
    pub(crate) found: Vec<Duplicate>,
    /// Whether there are more.
    pub(crate) are_more: bool,
}

/// Maximum rows that one look-up reads, an identifier of a case or draft each.
const ROWS_MAX: i64 = 100;

/// Maximum identifiers that one statement looks up.
const ASKED_MAX: usize = 64;

/// The cases and drafts with these identifiers. Each half is led by the key of its table of identifiers.
pub(crate) const FIND: &str = concat!(
    "WITH asked (a_what, a_digest, a_qualifier) AS (VALUES {}),
     wanted AS (SELECT DISTINCT a_what, a_digest, a_qualifier FROM asked
                WHERE NOT EXISTS (SELECT 1 FROM case_identifier AS own
                                  WHERE own.agency = $1 AND own.what = a_what AND own.value_digest = a_digest
                                    AND own.owner = $5 AND own.case_id = $6 AND own.kind = $7))
     SELECT i.what, i.value_digest, i.qualifier, i.subject, f.kind, f.owner, f.case_id AS id, f.short_reference,
            f.opened_at AS since, '' AS author, '' AS message_type, ",
    list::state_now!(),
    " AS state_now
     FROM wanted CROSS JOIN case_identifier AS i CROSS JOIN case_file AS f
     WHERE i.agency = $1 AND i.what = a_what AND i.value_digest = a_digest
       AND (substr(i.qualifier, 1, length(a_qualifier)) = a_qualifier
            OR substr(a_qualifier, 1, length(i.qualifier)) = i.qualifier)
       AND f.agency = i.agency AND f.owner = i.owner AND f.case_id = i.case_id AND f.kind = i.kind
       AND f.version = i.version AND f.status = $2 AND ",
    list::state_now!(),
    " IN (",
    families::live_states!(),
    ")
     UNION ALL
     SELECT i.what, i.value_digest, i.qualifier, i.subject, '', d.agency, d.id, '',
            d.created_at, d.author, d.message_type, d.state
     FROM wanted CROSS JOIN draft_identifier AS i CROSS JOIN draft AS d
     WHERE i.agency = $1 AND i.what = a_what AND i.value_digest = a_digest
       AND (substr(i.qualifier, 1, length(a_qualifier)) = a_qualifier
            OR substr(a_qualifier, 1, length(i.qualifier)) = i.qualifier)
       AND d.id = i.draft_id AND d.agency = i.agency AND d.id <> $3 AND d.status = $2
       AND d.state IN ('draft', 'pending_release', 'returned')
     LIMIT $8"
);

/// The duplicates of a draft of `agency` with this content; `id` is the draft's own. Asks nothing where the content has no identifier.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn find(
    conn: &mut Conn,
    agency: &AgencyCode,
    content: &Content,
    id: MessageId,
    now: Timestamp,
) -> Result<Duplicates, DbError> {
    let Some(status) = content.checked().status() else { return Ok(Duplicates::default()) };
    let identifiers = content.compared();
    let own = content.checked().case();
    let mut duplicates = Duplicates::default();
    for asked in identifiers.chunks(ASKED_MAX) {
        let query = sqlx::query(with_rows(FIND, (9, 3), asked.len()))
            .bind(agency.as_str())
            .bind(status.as_str())
            .bind(id.as_bytes().to_vec())
            .bind(now.as_micros())
            .bind(own.as_ref().map_or("", |case| case.owner.as_str()))
            .bind(own.as_ref().map(|case| case.id.as_bytes().to_vec()).unwrap_or_default())
            .bind(own.as_ref().map_or("", |case| case.kind.as_str()))
            .bind(ROWS_MAX);
        let query = padded_list(asked).fold(query, |query, identifier| {
            query
                .bind(identifier.kind.as_str())
                .bind(identifier.value.as_bytes().to_vec())
                .bind(identifier.qualifier)
        });
        let rows = query.fetch_all(&mut *conn).await?;
        duplicates.are_more |= i64::try_from(rows.len()).is_ok_and(|rows| rows >= ROWS_MAX);
        for row in &rows {
            duplicates.add(row, asked)?;
        }
    }
    Ok(duplicates)
}

impl Duplicates {
    /// Adds a row of [`FIND`] for one of the identifiers that were asked for.
    fn add(&mut self, row: &AnyRow, asked: &[StoredIdentifier]) -> Result<(), DbError> {
        let text = |column: &str| row.try_get::<String, _>(column);
        let (owner, id, kind) = (row.parsed("owner")?, row.message_id("id")?, text("kind")?);
        let of = if kind.is_empty() {
            Duplicated::Draft { id, author: text("author")?, message_type: row.parsed("message_type")? }
        } else {
            let short_reference = Some(text("short_reference")?).filter(|text| !text.is_empty());
            let case = CaseId { kind, owner: AgencyCode::clone(&owner), id };
            Duplicated::Case { case, short_reference }
        };
        let (what, value, subject) = (text("what")?, row.digest("value_digest")?, text("subject")?);
        let qualifier = text("qualifier")?;
        let is_it = |one: &&StoredIdentifier| {
            one.kind.as_str() == what
                && one.value == value
                && Identifier::qualifiers_agree(&one.qualifier, &qualifier)
        };
        let same = asked.iter().filter(is_it).map(|one| SameSubject {
            kind: one.kind,
            subject: subject.clone(),
            pointer: one.pointer.clone(),
        });
        let known = self.found.iter_mut().find(|known| known.of == of);
        let duplicate = match known {
            Some(known) => known,
            None => {
                let (state, since) = (text("state_now")?, row.instant("since")?);
                self.found.push(Duplicate { of, owner, state, since, same: Vec::new() });
                let Some(added) = self.found.last_mut() else { return Ok(()) };
                added
            }
        };
        for one in same {
            if !duplicate.same.contains(&one) {
                duplicate.same.push(one);
            }
        }
        Ok(())
    }
}

const NEW: Insert = Insert {
    into: "INSERT INTO draft_identifier (agency, draft_id, what, value_digest, qualifier, subject)",
    columns: 6,
    then: "ON CONFLICT (agency, what, value_digest, draft_id, qualifier) DO NOTHING",
};

/// Stores what an open draft is about, so that other drafts find it.
pub(super) async fn keep(
    tx: &mut Conn,
    draft: &Draft,
    identifiers: &[StoredIdentifier],
) -> Result<(), DbError> {
    NEW.rows(tx, identifiers, |query, identifier| {
        identifier.bind(query.bind(draft.agency.as_str()).bind(draft.id.as_bytes().to_vec()))
    })
    .await?;
    Ok(())
}

/// Erases what a draft is about: it changes, or is open no longer.
pub(super) async fn forget(tx: &mut Conn, id: MessageId) -> Result<(), DbError> {
    let query = sqlx::query("DELETE FROM draft_identifier WHERE draft_id = $1");
    query.bind(id.as_bytes().to_vec()).execute(tx).await?;
    Ok(())
}
