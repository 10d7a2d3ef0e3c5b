//! Keeps what was found: each hit with its audit event, in one transaction, before anybody is answered.

use std::sync::Arc;

use rovuma_api::{act_by, answers::watchlist::ScreenedHit};
use rovuma_policy::Actor;
use rovuma_schemas::{AgencyCode, MessageId, Timestamp, audit::AuditAction};
use rovuma_store::{FutureExt, WriteError};
use rovuma_trail::AuditRecord;

use super::show;
use crate::{
    entries,
    error::DbError,
    hits::{self, FoundHit, HitState, NewHit},
    notice::Notice,
    screening::{Crossing, Finding, KeptBack, normal},
    watchlist::Watchlist,
};

/// What was kept of a finding.
#[derive(Clone, Debug)]
pub(crate) struct KeptFinding {
    pub(crate) hit: ScreenedHit,
    pub(crate) is_discreet: bool,
}

/// When and where something was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundAt<'a> {
    pub(crate) at: Timestamp,
    pub(crate) crossing: &'a Crossing,
    /// Whether it was found before the alert was there: whoever it is is through already.
    pub(crate) is_retroactive: bool,
}

/// Keeps everything that was found at a crossing, for an agency of ours, by `actor` or by the service itself. Returns the common mark of
/// what was found.
pub(crate) async fn keep_found(
    watchlist: &Watchlist,
    agency: &AgencyCode,
    actor: Option<&Actor>,
    found_at: &FoundAt<'_>,
    findings: &[Finding],
    now: Timestamp,
) -> Result<(MessageId, Vec<KeptFinding>), WriteError<DbError>> {
    let encounter = MessageId::draw(now);
    if findings.is_empty() {
        return Ok((encounter, Vec::new()));
    }
    let mut new: Vec<NewHit> = findings
        .iter()
        .map(|finding| new_hit(watchlist, agency, Some(found_at), finding, encounter, now))
        .collect();
    let (trail, at_rest) = (watchlist.trail.clone(), Arc::clone(&watchlist.at_rest));
    let record = match actor {
        Some(actor) => act_by(actor, AuditAction::HitFind, now),
        None => AuditRecord::new(now, trail.source(), AuditAction::HitFind).agency(agency),
    };
    let (post, is_retroactive) = (found_at.crossing.post.clone(), found_at.is_retroactive);
    let written = watchlist.store.write(move |tx| {
        async move {
            for new in &mut new {
                let kept = hits::keep(tx, &at_rest, new, now).await?;
                (new.found.hit.id, new.found.hit.repeated) = (kept.id, kept.is_repeat);
                if kept.is_repeat && !kept.is_protected_now {
                    // Whoever scans again and again fills no log.
                    continue;
                }
                let hit = &new.found.hit;
                let act = record
                    .clone()
                    .object("hit", kept.id)
                    .detail("rule", &hit.rule)
                    .detail("rule_version", hit.rule_version)
                    .detail("list", &hit.list)
                    .detail("state", new.state.as_str())
                    .detail("post", &post);
                let act = if is_retroactive { act.detail("found", "afterwards") } else { act };
                let act = if kept.is_protected_now { act.detail("protection", true) } else { act };
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

/// What was found for somebody who looks it up: nothing is kept, because nobody stands at a post.
pub(super) fn shown(
    watchlist: &Watchlist,
    agency: &AgencyCode,
    findings: &[Finding],
    now: Timestamp,
) -> (MessageId, Vec<KeptFinding>) {
    let encounter = MessageId::draw(now);
    let new = findings.iter().map(|finding| new_hit(watchlist, agency, None, finding, encounter, now));
    (encounter, new.map(kept).collect())
}

fn kept(new: NewHit) -> KeptFinding {
    KeptFinding { hit: new.found.hit, is_discreet: new.is_discreet }
}

fn new_hit(
    watchlist: &Watchlist,
    scanned_for: &AgencyCode,
    found_at: Option<&FoundAt<'_>>,
    finding: &Finding,
    encounter: MessageId,
    now: Timestamp,
) -> NewHit {
    let agency = responsible(watchlist, scanned_for, finding);
    let forwards = finding.forwards();
    let state = if forwards {
        HitState::Queued
    } else if finding.is_hit() && finding.doubts.is_empty() && finding.kept_back != [KeptBack::RuleOff] {
        HitState::Kept
    } else {
        HitState::Review
    };
    let call = watchlist.agency(&agency).map(|agency| &agency.config.contact);
    let mut hit = show::hit(finding, MessageId::draw(now), call, forwards);
    hit.retroactive = found_at.is_some_and(|found| found.is_retroactive);
    let (version, record) = (entries::version(&finding.listed), entries::record(&finding.listed));
    let crossing = found_at.map(|found| found.crossing);
    let list = entries::list_of(&finding.listed);
    // Protection, and what has come, are known by the number that is meant: it may be read wrong in one scan and right in the next.
    let meant = finding.reported.as_deref().and_then(normal);
    let about = hits::about(list, &record, meant.as_deref().unwrap_or(&finding.value));
    let place = [
        hits::about(list, &record, &finding.value).as_str(),
        &version.to_string(),
        finding.matched_word(),
        crossing.map_or("", |crossing| crossing.post.as_str()),
        crossing.map_or("", |crossing| crossing.direction.as_str()),
        if forwards { "forwarded" } else { "" },
    ]
    .join("|");
    let notice = watchlist.agency(&agency).zip(found_at).filter(|_| forwards).map(|(agency, found_at)| {
        let notice = Notice {
            hit: &hit,
            version,
            subject: finding.subject.as_deref(),
            matched: (finding.matched_word(), &finding.value),
            rule: (&hit.rule, hit.rule_version),
            found_at: found_at.at,
            post: &found_at.crossing.post,
            direction: &found_at.crossing.direction,
            encounter,
        };
        notice.draft(agency, now)
    });
    NewHit {
        encounter,
        about,
        is_protected: finding.kept_back.contains(&KeptBack::Protection),
        found: FoundHit {
            notice,
            hit,
            matched: finding.matched_word().to_owned(),
            value: finding.value.clone(),
            reported: finding.reported.clone(),
            version,
            subject: finding.subject.clone(),
            list: entries::list_of(&finding.listed).to_owned(),
            record,
            traveller: finding.traveller.clone().filter(|_| !finding.is_hit()),
        },
        agency,
        place,
        found_at: found_at.map_or(now, |found| found.at),
        post: crossing.map(|crossing| crossing.post.clone()),
        direction: crossing.map(|crossing| crossing.direction.clone()),
        is_discreet: finding.is_discreet(),
        state,
    }
}

/// The agency of ours that reports a hit, or whose officers look at it: the one for which it was scanned if it has the alert, else one that
/// the owner sent it to, else the owner. What an imported list names is for the national office.
fn responsible(watchlist: &Watchlist, scanned_for: &AgencyCode, finding: &Finding) -> AgencyCode {
    let Some(alert) = &finding.listed.alert else {
        return watchlist.national_office.as_ref().unwrap_or(scanned_for).clone();
    };
    if alert.held_by.contains(scanned_for) {
        return scanned_for.clone();
    }
    let other = alert.reporters().chain(&alert.held_by).find(|agency| watchlist.agency(agency).is_some());
    other.unwrap_or(scanned_for).clone()
}
