//! The hits that others reported on the agency's own alerts: the watchlist tells the next border post whom it may expect.

use std::{collections::BTreeSet, time::Duration};

use rovuma_api::page::Window;
use rovuma_policy::{Permit, act};
use rovuma_schemas::{AgencyCode, Family, MessageId, MessageType, Timestamp, hit::Notify};
use rovuma_store::Conn;

use super::{FOLDED_AT_ONCE, Position, SaidMessage, ScreenedRow, folded, last_applied, page_of, rows};
use crate::{
    cases::{
        folded::FoldedCase,
        kept::{self, CaseKey, KeptMessage},
        signed::{self, Payloads},
    },
    error::DbError,
    families::{CaseDetails, hit::WholeHit},
};

/// How long a hit is in the list: what left one side has come to the other by then, or is not coming. A ferry takes 45 minutes.
pub(crate) const LISTED_FOR: Duration = Duration::from_secs(6 * 60 * 60);

/// A hit on an alert of the agency.
#[derive(Debug)]
pub(crate) struct ReportedHit {
    pub(crate) row: ScreenedRow,
    pub(crate) hit: WholeHit,
    /// The number that was found; none where the notice was erased.
    pub(crate) value: Option<String>,
}

/// A page of hits.
#[derive(Debug)]
pub(crate) struct HitPage {
    /// The hits.
    pub(crate) hits: Vec<ReportedHit>,
    /// Where the next page begins; none at the last page.
    pub(crate) next: Option<Position>,
}

/// The hits on alerts of `$1` that were opened at `$4` or later, the last opened first.
pub(crate) const RECENT: &str = page_of!(
    "f.agency = $1 AND f.kind = 'hit' AND (f.about_owner || '') = $1 AND f.opened_at >= $4 AND (f.opened_at, f.case_id, f.owner) < ($2, $3, $5)",
    "f.opened_at DESC, f.case_id DESC, f.owner DESC"
);

/// The hits on alerts of `$1` with the id `$3`, however old: one of each owner that used it. The id alone leads.
pub(crate) const OF_ID: &str = page_of!(
    "(f.agency || '') = $1 AND (f.kind || '') = 'hit' AND (f.about_owner || '') = $1 AND f.case_id = $3 AND f.owner < $5",
    "f.owner DESC"
);

/// A page of the hits on alerts of the permit's agency that were opened within [`LISTED_FOR`]; or, if `id` is given, of those under this id.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn page(
    conn: &mut Conn,
    permit: &Permit<act::ScreeningRead>,
    id: Option<MessageId>,
    window: &Window<Position>,
    now: Timestamp,
) -> Result<HitPage, DbError> {
    let agency = permit.resource().owner();
    let statement = if id.is_some() { OF_ID } else { RECENT };
    let mut rows = rows(conn, statement, agency, (id, window), now.minus(LISTED_FOR)).await?;
    let has_more = window.cut(&mut rows);
    let next = rows.last().filter(|_| has_more).map(Position::of);
    let mut hits = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(FOLDED_AT_ONCE) {
        hits.extend(reported(conn, agency, chunk, now).await?);
    }
    Ok(HitPage { hits, next })
}

/// The hits of these rows.
async fn reported(
    conn: &mut Conn,
    agency: &AgencyCode,
    rows: &[ScreenedRow],
    now: Timestamp,
) -> Result<Vec<ReportedHit>, DbError> {
    let keys: Vec<CaseKey> = rows.iter().map(|row| CaseKey::new(agency, &row.case)).collect();
    let messages = kept::load(conn, &keys).await?;
    let folded: Vec<Option<FoldedHit>> = keys
        .iter()
        .map(|key| FoldedHit::of(key, messages.get(key).map_or(&[], Vec::as_slice), now))
        .collect();
    let notices = folded.iter().flatten().filter_map(|folded| folded.notice.as_ref());
    let wanted: BTreeSet<(AgencyCode, MessageId)> =
        notices.flat_map(|notice| notice.ids.iter().map(|id| (notice.sender.clone(), *id))).collect();
    let payloads = signed::payloads(conn, agency, &wanted).await?;
    let folded = rows.iter().zip(folded);
    Ok(folded.filter_map(|(row, folded)| Some(folded?.reported(row.clone(), &payloads))).collect())
}

/// What the fold says of a hit, and the message that says the rest.
#[derive(Debug)]
struct FoldedHit {
    hit: WholeHit,
    notice: Option<SaidMessage>,
}

impl FoldedHit {
    fn of(key: &CaseKey, messages: &[KeptMessage], now: Timestamp) -> Option<Self> {
        folded(Family::Hit, key, messages, &|fold| Self::of_fold(key, fold, now))
    }

    fn of_fold(key: &CaseKey, fold: &dyn FoldedCase, now: Timestamp) -> Option<Self> {
        let CaseDetails::Hit(hit) = fold.at(now).state.details else { return None };
        let is_notice = |kind, sender: &AgencyCode| kind == MessageType::HitNotify && *sender == key.owner;
        Some(Self { hit: *hit, notice: last_applied(fold, &is_notice) })
    }

    fn reported(self, row: ScreenedRow, payloads: &Payloads) -> ReportedHit {
        let payload =
            self.notice.and_then(|notice| payloads.of(&notice.sender, &notice.ids).map(<[u8]>::to_vec));
        let notice = payload.and_then(|payload| signed::body::<Notify>(&payload));
        ReportedHit { row, hit: self.hit, value: notice.map(|notice| notice.matched.value.to_string()) }
    }
}
