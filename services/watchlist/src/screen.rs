//! Screens one text: looks it up, reads the entries, judges, keeps what was found, and says what the caller may see.
//!
//! What is certain is in the store, with its audit event, before the caller is answered.

mod keep;
mod show;

use std::sync::{Arc, PoisonError};

use rovuma_api::{
    Caller, act_by,
    answers::watchlist::{ListUsed, Screening, UnreadableText},
};
use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::{FutureExt, WriteError};

pub(crate) use self::{
    keep::{FoundAt, KeptFinding, keep_found},
    show::CALL,
};
use crate::{
    crossed,
    entries::{self, Entry},
    error::DbError,
    innocents,
    screening::{self, Crossing, Judged, Looked, Question, Scan, Unreadable, Verdict},
    watchlist::Watchlist,
};

/// Why a text is screened.
#[derive(Clone, Debug)]
pub(crate) enum Occasion {
    /// A traveller or a vehicle crosses. Nothing is kept of one that is not found.
    Crossing(Crossing),
    /// Somebody looks something up: who, what for and what was found is logged.
    LookUp {
        /// The purpose, a code of `purposes`.
        purpose: String,
        /// The file to which it belongs.
        reference: String,
    },
}

/// Who asks, and why.
#[derive(Debug)]
pub(crate) struct Asker<'a> {
    pub(crate) caller: &'a Caller,
    /// Whether the caller stands at the booth, where a discreet check must not show.
    pub(crate) is_booth: bool,
    pub(crate) occasion: &'a Occasion,
}

/// Screens one text.
pub(crate) async fn screen(
    watchlist: &Watchlist,
    asker: &Asker<'_>,
    scan: &Scan,
) -> Result<Screening, WriteError<DbError>> {
    let now = watchlist.now();
    let mut found = look_up(watchlist, scan, now).await.map_err(WriteError::Job)?;
    if let (Occasion::Crossing(crossing), Ok((looked, _))) = (asker.occasion, &found.looked) {
        crossed::remember(watchlist, asker.caller.agency(), crossing, (scan, looked), now).await?;
        if !watchlist.remembered_for.is_zero() {
            // An alert that came before it was remembered did not look back at it.
            found = look_up(watchlist, scan, now).await.map_err(WriteError::Job)?;
        }
    }
    let LookUp { lists, looked } = found;
    let (looked, entries) = match looked {
        Ok(found) => found,
        Err(fault) => {
            note(watchlist, asker, Verdict::Unreadable, 0, now).await?;
            return Ok(Screening {
                verdict: Verdict::Unreadable.as_str().to_owned(),
                understood: None,
                unreadable: Some(UnreadableText { code: fault.code().to_owned(), detail: fault.to_string() }),
                lists,
                hits: Vec::new(),
                encounter: None,
            });
        }
    };
    let judged = judge(watchlist, asker, scan, (looked, entries), now).await.map_err(WriteError::Job)?;
    let (agency, actor) = (asker.caller.agency(), Some(asker.caller.actor()));
    let kept = match asker.occasion {
        Occasion::Crossing(crossing) => {
            let found_at = FoundAt { at: now, crossing, is_retroactive: false };
            keep_found(watchlist, agency, actor, &found_at, &judged.findings, now).await?
        }
        Occasion::LookUp { .. } => keep::shown(watchlist, agency, &judged.findings, now),
    };
    let are_current = lists.iter().all(|list| list.state == "current");
    let office = watchlist.national_office.as_ref();
    let shown = show::screening(asker, office, judged, kept, lists, are_current);
    let verdict = shown.verdict;
    note(watchlist, asker, verdict, shown.answer.hits.len(), now).await?;
    Ok(shown.answer)
}

/// What was looked up, and the lists as they were then.
struct LookUp {
    lists: Vec<ListUsed>,
    looked: Result<(Looked, Vec<Entry>), Unreadable>,
}

/// Looks a text up, and reads the entries. When a list changes meanwhile it begins anew: the index may have been asked before the new list was
/// in it, and the entries read after the old ones were gone.
async fn look_up(watchlist: &Watchlist, scan: &Scan, now: Timestamp) -> Result<LookUp, DbError> {
    loop {
        let in_force = watchlist.lists.in_force();
        let lists = watchlist.lists.used(now, watchlist.stale_after);
        let looked = {
            let index = watchlist.index.read().unwrap_or_else(PoisonError::into_inner);
            Looked::look(scan, &index)
        };
        let looked = match looked {
            Ok(looked) => looked,
            Err(fault) => return Ok(LookUp { lists, looked: Err(fault) }),
        };
        let mut entries = Vec::new();
        if !looked.candidates.is_empty() {
            let mut conn = watchlist.store.read().acquire().await?;
            entries = entries::read(&mut conn, &watchlist.at_rest, &looked.candidates, &in_force).await?;
            let own = watchlist.own();
            entries = entries::with_all_views(&mut conn, &watchlist.at_rest, entries, own).await?;
        }
        if Arc::ptr_eq(&in_force, &watchlist.lists.in_force()) {
            return Ok(LookUp { lists, looked: Ok((looked, entries)) });
        }
    }
}

async fn judge(
    watchlist: &Watchlist,
    asker: &Asker<'_>,
    scan: &Scan,
    (looked, entries): (Looked, Vec<Entry>),
    now: Timestamp,
) -> Result<Judged, DbError> {
    let crossing = match asker.occasion {
        Occasion::Crossing(crossing) => Some(crossing),
        Occasion::LookUp { .. } => None,
    };
    let rules = watchlist.rules();
    let question = Question { scan, crossing, rules: &rules, agency: asker.caller.agency(), now };
    let mut judged = screening::judge(&question, looked, entries);
    if let Some(traveller) = judged.findings.iter().find_map(|finding| finding.traveller.as_ref()) {
        let mut conn = watchlist.store.read().acquire().await?;
        let known = innocents::of(&mut conn, &watchlist.at_rest, traveller, now).await?;
        judged.leave_out(|finding| known.iter().any(|innocent| innocent.is_about(&finding.listed)));
    }
    Ok(judged)
}

/// Counts a scan in the flow of travellers; writes a look-up into the audit log, one that found nothing too.
async fn note(
    watchlist: &Watchlist,
    asker: &Asker<'_>,
    verdict: Verdict,
    found: usize,
    now: Timestamp,
) -> Result<(), WriteError<DbError>> {
    let (purpose, reference) = match asker.occasion {
        Occasion::Crossing(crossing) => {
            watchlist.flow.count(now, &crossing.post, verdict);
            return Ok(());
        }
        Occasion::LookUp { purpose, reference } => (purpose, reference),
    };
    let act = act_by(asker.caller.actor(), AuditAction::ScreenLookup, now)
        .purpose(purpose)
        .reference(Some(reference))
        .detail("verdict", verdict.as_str())
        .detail("found", found);
    let trail = watchlist.trail.clone();
    let write = watchlist
        .store
        .write(move |tx| async move { Ok::<_, DbError>(trail.record(tx, &act).await.map(|_| ())?) }.boxed());
    write.await
}
