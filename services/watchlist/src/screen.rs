//! Screens one text: looks it up, reads the entries, judges, keeps what was found, and says what the caller may see.
//!
//! What is certain is in the store, with its audit event, before the caller is answered.

mod show;

use std::sync::PoisonError;

use rovuma_api::{
    Caller, act_by,
    answers::watchlist::{Screening, UnreadableText},
};
use rovuma_schemas::{AgencyCode, MessageId, Timestamp, audit::AuditAction};
use rovuma_store::{FutureExt, WriteError};

use crate::{
    entries,
    error::DbError,
    hits::{self, FoundHit, HitState, NewHit},
    screening::{self, Crossing, Finding, Judged, Looked, Question, Scan, Verdict},
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
    let lists = watchlist.lists.used(now, watchlist.stale_after);
    let looked = {
        let index = watchlist.index.read().unwrap_or_else(PoisonError::into_inner);
        Looked::look(scan, &index)
    };
    let looked = match looked {
        Ok(looked) => looked,
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
    let judged = judge(watchlist, asker, scan, looked, now).await.map_err(WriteError::Job)?;
    let kept = keep(watchlist, asker, &judged.findings, now).await?;
    let is_certain_of_nothing = lists.iter().all(|list| list.state == "current");
    let shown = show::screening(asker, judged, kept, lists, is_certain_of_nothing);
    let verdict = shown.verdict;
    note(watchlist, asker, verdict, shown.answer.hits.len(), now).await?;
    Ok(shown.answer)
}

async fn judge(
    watchlist: &Watchlist,
    asker: &Asker<'_>,
    scan: &Scan,
    looked: Looked,
    now: Timestamp,
) -> Result<Judged, DbError> {
    let entries = if looked.candidates.is_empty() {
        Vec::new()
    } else {
        let mut conn = watchlist.store.read().acquire().await?;
        entries::read(&mut conn, &looked.candidates).await?
    };
    let crossing = match asker.occasion {
        Occasion::Crossing(crossing) => Some(crossing),
        Occasion::LookUp { .. } => None,
    };
    let rules = watchlist.rules();
    let question = Question { scan, crossing, rules: &rules, own: &watchlist.own, now };
    Ok(screening::judge(&question, looked, entries))
}

/// What was kept of a finding.
#[derive(Clone, Debug)]
pub(crate) struct KeptFinding {
    pub(crate) hit: rovuma_api::answers::watchlist::ScreenedHit,
    pub(crate) is_discreet: bool,
}

/// Keeps everything that was found at a crossing, in one transaction with its audit events. A look-up keeps nothing: it is an event of its
/// own, and nobody stands at a post.
async fn keep(
    watchlist: &Watchlist,
    asker: &Asker<'_>,
    findings: &[Finding],
    now: Timestamp,
) -> Result<(MessageId, Vec<KeptFinding>), WriteError<DbError>> {
    let encounter = MessageId::draw(now);
    if findings.is_empty() {
        return Ok((encounter, Vec::new()));
    }
    let mut new: Vec<NewHit> =
        findings.iter().map(|finding| new_hit(watchlist, asker, finding, encounter, now)).collect();
    let Occasion::Crossing(crossing) = asker.occasion else {
        return Ok((encounter, new.into_iter().map(kept).collect()));
    };
    let (trail, record) = (watchlist.trail.clone(), act_by(asker.caller.actor(), AuditAction::HitFind, now));
    let post = crossing.post.clone();
    let written = watchlist.store.write(move |tx| {
        async move {
            for new in &mut new {
                let (id, is_repeat) = hits::keep(tx, new, now).await?;
                (new.found.hit.id, new.found.hit.repeated) = (id, is_repeat);
                let hit = &new.found.hit;
                let act = record
                    .clone()
                    .object("hit", id)
                    .detail("rule", &hit.rule)
                    .detail("rule_version", hit.rule_version)
                    .detail("list", &hit.list)
                    .detail("state", if is_repeat { "repeated" } else { new.state.as_str() })
                    .detail("post", &post);
                trail.record(tx, &act).await?;
            }
            Ok::<_, DbError>(new)
        }
        .boxed()
    });
    let new = written.await?;
    if new.iter().any(|new| new.state == HitState::Queued && !new.found.hit.repeated) {
        watchlist.to_forward.notify_one();
    }
    Ok((encounter, new.into_iter().map(kept).collect()))
}

fn kept(new: NewHit) -> KeptFinding {
    KeptFinding { hit: new.found.hit, is_discreet: new.is_discreet }
}

fn new_hit(
    watchlist: &Watchlist,
    asker: &Asker<'_>,
    finding: &Finding,
    encounter: MessageId,
    now: Timestamp,
) -> NewHit {
    let (agency, crossing) = (
        responsible(watchlist, asker, finding),
        match asker.occasion {
            Occasion::Crossing(crossing) => Some(crossing),
            Occasion::LookUp { .. } => None,
        },
    );
    let forwards = finding.forwards();
    let state = if forwards {
        HitState::Queued
    } else if finding.is_hit() && finding.doubts.is_empty() {
        HitState::Kept
    } else {
        HitState::Review
    };
    let alert = finding.listed.alert.as_ref();
    let call = watchlist.agency(&agency).map(|agency| &agency.config.contact);
    let hit = show::hit(finding, MessageId::draw(now), call, forwards);
    let version = alert.map_or(0, |alert| alert.version);
    let record =
        alert.map_or_else(|| finding.listed.reference.clone(), |alert| entries::record_of(&alert.case));
    let place = [
        finding.listed.list.as_str(),
        &record,
        &version.to_string(),
        finding.matched_word(),
        &finding.value,
        crossing.map_or("", |crossing| crossing.post.as_str()),
        crossing.map_or("", |crossing| crossing.direction.as_str()),
        if forwards { "forwarded" } else { "" },
    ]
    .join("|");
    NewHit {
        encounter,
        found: FoundHit {
            hit,
            matched: finding.matched_word().to_owned(),
            value: finding.value.clone(),
            version,
            subject: finding.subject.clone(),
        },
        agency,
        place,
        post: crossing.map(|crossing| crossing.post.clone()),
        direction: crossing.map(|crossing| crossing.direction.clone()),
        is_discreet: finding.is_discreet(),
        state,
    }
}

/// The agency of ours that reports a hit, or whose officers look at it: the caller's if it has the alert, else one that has.
fn responsible(watchlist: &Watchlist, asker: &Asker<'_>, finding: &Finding) -> AgencyCode {
    let own = asker.caller.agency();
    let Some(alert) = &finding.listed.alert else { return own.clone() };
    if alert.held_by.contains(own) {
        return own.clone();
    }
    let other = alert.held_by.iter().find(|agency| watchlist.agency(agency).is_some());
    other.unwrap_or(own).clone()
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
