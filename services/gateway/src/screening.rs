//! The alerts that a watchlist screens against: those that an agency issued or received and that are in force, each with the content of
//! its version in force. The list is led by an index, and a page is bounded in rows and in bytes. The hits on them are in `hits.rs`.

pub(crate) mod hits;
pub(crate) mod report;

use std::collections::BTreeSet;

use rovuma_api::page::Window;
use rovuma_policy::{Permit, act};
use rovuma_schemas::{
    AgencyCode, CaseId, Family, MessageId, MessageType, Timestamp,
    alert::{Flag, Issue},
};
use rovuma_store::{Conn, RowExt};
use sqlx::{Row, any::AnyRow};

use crate::{
    cases::{
        fold::rules::Effect,
        folded::{CaseMessages, FoldedCase},
        kept::{self, CaseKey, KeptMessage},
        list::state_now,
        signed::{self, Payloads},
    },
    error::DbError,
    families::{
        self, CaseDetails,
        alert::{self, AlertState, AlertView},
    },
};

/// Maximum bytes of the signed messages that a page is read from, unless one message alone has more: an alert has up to 64 subjects. The
/// answer says less than the messages.
pub(crate) const PAGE_MAX_BYTES: usize = 1024 * 1024;

/// The alerts that are folded, and whose messages are read, at once: it bounds the memory of a page.
const FOLDED_AT_ONCE: usize = 16;

/// The reason of a flag whose message is not here any more.
const NOT_STATED: &str = "not_stated";

/// A character after all that an agency's code may have.
const AFTER_ALL: &str = "\u{10ffff}";

/// An alert, or a hit, in a list.
#[derive(Clone, Debug)]
pub(crate) struct ScreenedRow {
    pub(crate) case: CaseId,
    pub(crate) status: Option<String>,
    pub(crate) short_reference: Option<String>,
    opened_at: Timestamp,
}

/// An alert with what identifies its subjects.
#[derive(Debug)]
pub(crate) struct ScreenedCase {
    pub(crate) row: ScreenedRow,
    pub(crate) alert: AlertView,
    /// The content of the version in force, of an alert that is active or suspended.
    pub(crate) content: Option<Box<Issue>>,
    /// Why it is not executed in this country, where an agency of this country flagged it.
    pub(crate) flagged_reason: Option<String>,
}

/// A page of alerts.
#[derive(Debug, Default)]
pub(crate) struct ScreenedPage {
    /// The alerts.
    pub(crate) cases: Vec<ScreenedCase>,
    /// Where the next page begins; none at the last page.
    pub(crate) next: Option<Position>,
}

/// The place of a case in its list. Two agencies may open cases under one id in one transaction, so that its owner belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    opened_at: i64,
    id: MessageId,
    owner: AgencyCode,
}

impl Position {
    fn of(row: &ScreenedRow) -> Self {
        Self { opened_at: row.opened_at.as_micros(), id: row.case.id, owner: row.case.owner.clone() }
    }

    /// The position as a text for a cursor.
    pub(crate) fn write(&self) -> String {
        format!("{} {} {}", self.opened_at, self.id, self.owner)
    }

    /// The position with this text.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ' ');
        let opened_at = parts.next()?.parse().ok()?;
        Some(Self { opened_at, id: parts.next()?.parse().ok()?, owner: parts.next()?.parse().ok()? })
    }
}

macro_rules! page_of {
    ($condition:expr, $order:literal) => {
        concat!(
            "SELECT f.owner, f.case_id, f.kind, f.status, f.short_reference, f.opened_at FROM case_file AS f
             WHERE ",
            $condition,
            " ORDER BY ",
            $order,
            " LIMIT $6"
        )
    };
}

use page_of;

/// The alerts that are active or suspended at `$4`, the last opened first. Time alone leads an alert out of these states and never into
/// them, so the index has every one of them.
pub(crate) const IN_FORCE: &str = page_of!(
    concat!(
        "f.agency = $1 AND f.kind = 'alert' AND f.state IN ('active', 'suspended') AND (f.opened_at, f.case_id, f.owner) < ($2, $3, $5) AND ",
        state_now!(),
        " IN ('active', 'suspended')"
    ),
    "f.opened_at DESC, f.case_id DESC, f.owner DESC"
);

/// The alerts with the id `$3`, whatever their state: one of each owner that used it.
pub(crate) const OF_ID: &str =
    page_of!("f.agency = $1 AND f.kind = 'alert' AND f.case_id = $3 AND f.owner < $5", "f.owner DESC");

/// A page of the alerts of the permit's agency that are active or suspended at `now`; or, if `id` is given, of its alerts under this id.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn page(
    conn: &mut Conn,
    permit: &Permit<act::ScreeningRead>,
    id: Option<MessageId>,
    window: &Window<Position>,
    now: Timestamp,
) -> Result<ScreenedPage, DbError> {
    let agency = permit.resource().owner();
    let statement = if id.is_some() { OF_ID } else { IN_FORCE };
    let mut rows = rows(conn, statement, agency, (id, window), now).await?;
    let has_more = window.cut(&mut rows);
    let (mut page, mut size_bytes) = (ScreenedPage::default(), 0);
    for chunk in rows.chunks(FOLDED_AT_ONCE) {
        for (case, case_bytes) in screened(conn, agency, chunk, now).await? {
            if !page.cases.is_empty() && size_bytes + case_bytes > PAGE_MAX_BYTES {
                page.next = page.cases.last().map(|last| Position::of(&last.row));
                return Ok(page);
            }
            size_bytes += case_bytes;
            page.cases.push(case);
        }
    }
    page.next = page.cases.last().filter(|_| has_more).map(|last| Position::of(&last.row));
    Ok(page)
}

/// The rows of a page, of a statement of this module; `at` is its `$4`.
async fn rows(
    conn: &mut Conn,
    statement: &'static str,
    agency: &AgencyCode,
    (id, window): (Option<MessageId>, &Window<Position>),
    at: Timestamp,
) -> Result<Vec<ScreenedRow>, DbError> {
    let after = window.after.as_ref();
    let bytes = |id: MessageId| id.as_bytes().to_vec();
    let rows = sqlx::query(statement)
        .bind(agency.as_str())
        .bind(after.map_or(i64::MAX, |after| after.opened_at))
        .bind(id.or(after.map(|after| after.id)).map(bytes).unwrap_or_default())
        .bind(at.as_micros())
        .bind(after.map_or(AFTER_ALL, |after| after.owner.as_str()))
        .bind(window.fetch())
        .fetch_all(conn)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<ScreenedRow, DbError> {
    let text = |column: &str| {
        let text: String = row.try_get(column)?;
        Ok::<_, DbError>(Some(text).filter(|text| !text.is_empty()))
    };
    Ok(ScreenedRow {
        case: CaseId {
            kind: row.try_get("kind")?,
            owner: row.parsed("owner")?,
            id: row.message_id("case_id")?,
        },
        status: text("status")?,
        short_reference: text("short_reference")?,
        opened_at: row.instant("opened_at")?,
    })
}

/// The alerts of these rows, each with the bytes of the signed messages that it was read from.
async fn screened(
    conn: &mut Conn,
    agency: &AgencyCode,
    rows: &[ScreenedRow],
    now: Timestamp,
) -> Result<Vec<(ScreenedCase, usize)>, DbError> {
    let key = |row: &ScreenedRow| CaseKey::new(agency, &row.case);
    let keys: Vec<CaseKey> = rows.iter().map(key).collect();
    let messages = kept::load(conn, &keys).await?;
    let folded: Vec<Option<FoldedAlert>> = keys
        .iter()
        .map(|key| FoldedAlert::of(key, messages.get(key).map_or(&[], Vec::as_slice), now))
        .collect();
    let wanted: BTreeSet<(AgencyCode, MessageId)> =
        folded.iter().flatten().flat_map(FoldedAlert::messages).collect();
    let payloads = signed::payloads(conn, agency, &wanted).await?;
    let folded = rows.iter().zip(folded).filter_map(|(row, folded)| Some((row.clone(), folded?)));
    Ok(folded.map(|(row, folded)| folded.screened(row, &payloads)).collect())
}

/// A message of a case, known by all its ids.
#[derive(Debug)]
struct SaidMessage {
    message_type: MessageType,
    sender: AgencyCode,
    ids: Vec<MessageId>,
}

/// Folds the messages of a case of this family, and reads what the fold says.
fn folded<T>(
    family: Family,
    key: &CaseKey,
    messages: &[KeptMessage],
    read: &dyn Fn(&dyn FoldedCase) -> Option<T>,
) -> Option<T> {
    let case = CaseMessages { owner: &key.owner, kept: messages, state_beside: None };
    let mut found = None;
    families::rules(family).fold(&case, &mut |fold| found = read(fold));
    found
}

/// The last message of a case that changed its state and is of the wanted type and sender.
fn last_applied(
    fold: &dyn FoldedCase,
    is_wanted: &dyn Fn(MessageType, &AgencyCode) -> bool,
) -> Option<SaidMessage> {
    fold.lines().into_iter().rev().filter(|line| line.effect == Effect::Applied).find_map(|line| {
        let message_type = line.message_type.parse().ok().filter(|kind| is_wanted(*kind, line.sender))?;
        Some(SaidMessage { message_type, sender: line.sender.clone(), ids: line.ids.to_vec() })
    })
}

/// What the fold says of an alert, and the messages that say the rest.
#[derive(Debug)]
struct FoldedAlert {
    view: AlertView,
    /// The message that brought the version in force.
    content: Option<SaidMessage>,
    /// The message by which an agency of this country flagged it.
    flag: Option<SaidMessage>,
}

impl FoldedAlert {
    /// Folds the messages of an alert at `now`. Of one that nobody acts on, neither content nor flag is read.
    fn of(key: &CaseKey, messages: &[KeptMessage], now: Timestamp) -> Option<Self> {
        folded(Family::Alert, key, messages, &|fold| Self::of_fold(key, fold, now))
    }

    fn of_fold(key: &CaseKey, fold: &dyn FoldedCase, now: Timestamp) -> Option<Self> {
        let CaseDetails::Alert(view) = fold.at(now).state.details else { return None };
        if !matches!(view.state, AlertState::Active | AlertState::Suspended) {
            return Some(Self { view: *view, content: None, flag: None });
        }
        let is_ours =
            |sender: &AgencyCode| sender.country() == key.agency.country() && view.flagged.contains(sender);
        // An older version that comes late is not applied, so the last that was is in force.
        let content = last_applied(fold, &|kind, sender| alert::brings_content(kind) && *sender == key.owner);
        // The last word of an agency that has a flag on it put the flag on.
        let flag = last_applied(fold, &|kind, sender| kind == MessageType::AlertFlag && is_ours(sender));
        Some(Self { content, flag, view: *view })
    }

    fn messages(&self) -> impl Iterator<Item = (AgencyCode, MessageId)> {
        let messages = self.content.iter().chain(&self.flag);
        messages.flat_map(|message| message.ids.iter().map(|id| (message.sender.clone(), *id)))
    }

    fn screened(self, row: ScreenedRow, payloads: &Payloads) -> (ScreenedCase, usize) {
        let Self { view, content, flag } = self;
        let payload = |message: &SaidMessage| payloads.of(&message.sender, &message.ids);
        let signed = content.as_ref().and_then(payload).unwrap_or_default();
        let content =
            content.as_ref().and_then(|message| alert::content_of(message.message_type, payload(message)?));
        if content.is_none() && view.state == AlertState::Active {
            // It was erased at the end of its retention before its issuer prolonged it, or its row is damaged.
            tracing::warn!(case = %row.case, "the content of an alert in force is not here: it cannot be screened");
        }
        let reason = |message: &SaidMessage| signed::body::<Flag>(payload(message)?)?.reason;
        let flagged_reason = flag.as_ref().map(|message| {
            reason(message).map_or_else(|| NOT_STATED.to_owned(), |reason| reason.to_string())
        });
        (ScreenedCase { row, alert: view, content: content.map(Box::new), flagged_reason }, signed.len())
    }
}
