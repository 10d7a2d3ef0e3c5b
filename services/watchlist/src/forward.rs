//! Tells the owners of alerts what was found: each hit that is certain goes to the gateway as `hit.notify`, once.
//!
//! A hit is in the store before anybody is answered, and its id is the key under which the gateway takes it: whatever is killed, it is
//! signed exactly once.

use std::{sync::Arc, time::Duration};

use rovuma_api::answers::gateway::ReleasedView;
use rovuma_runtime::Shutdown;
use rovuma_schemas::{CaseId, Timestamp, audit::AuditAction};
use rovuma_store::FutureExt;
use rovuma_trail::AuditRecord;

use crate::{
    entries,
    error::DbError,
    hits::{self, Forwarding, FoundHit, QueuedHit},
    peer::PeerFault,
    screening::{KeptBack, RuleCode},
    watchlist::Watchlist,
};

/// Hits that are forwarded in one round.
const ROUND: i64 = 32;

/// How often the store is looked at without being woken: something may have failed.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(10);

/// The pause before a gateway is asked again, by how often it was asked: short at first, for a gateway that restarts.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
];

/// Why a hit waits whose notice was sent and that nobody answered: it may be signed.
pub(crate) const NO_ANSWER: &str = "no_answer";

/// Refusals that stay refusals however often the same is asked: of the notice's own case, in a problem of the gateway. Everything else may be
/// a proxy's, a role that is being changed, or a gateway that was put back from an older copy.
const FINAL: [&str; 3] = ["not_allowed_in_state", "not_in_alert", "other_status"];

/// Forwards hits until the service stops.
pub(crate) async fn run(watchlist: Arc<Watchlist>, shutdown: Shutdown) {
    while !shutdown.is_stopping() {
        let wait = match round(&watchlist, &shutdown).await {
            Ok(wait) => wait,
            Err(fault) => {
                tracing::error!(%fault, "hits could not be forwarded: trying again");
                LOOKED_AT_EVERY
            }
        };
        tokio::select! {
            () = watchlist.to_forward.notified() => {}
            () = tokio::time::sleep(wait) => {}
            () = shutdown.soft() => {}
        }
    }
}

/// Forwards every hit whose turn it is; returns how long nothing has its turn.
pub(crate) async fn round(watchlist: &Watchlist, shutdown: &Shutdown) -> Result<Duration, DbError> {
    loop {
        let now = watchlist.now();
        let mut conn = watchlist.store.read().acquire().await?;
        let due = hits::due(&mut conn, &watchlist.at_rest, now, ROUND).await?;
        if due.is_empty() {
            let next = hits::next_due(&mut conn).await?;
            return Ok(next.map_or(LOOKED_AT_EVERY, |next| next.since(now)).min(LOOKED_AT_EVERY));
        }
        drop(conn);
        for hit in due {
            if shutdown.is_stopping() {
                return Ok(Duration::ZERO);
            }
            let outcome = ask(watchlist, &hit).await?;
            record(watchlist, &hit, outcome).await?;
        }
    }
}

/// Has the gateway sign the notice, if nothing has come meanwhile that keeps it back.
async fn ask(watchlist: &Watchlist, hit: &QueuedHit) -> Result<Forwarding, DbError> {
    let now = watchlist.now();
    let Some(agency) = watchlist.agency(&hit.agency) else {
        return Ok(Forwarding::Refused("agency_not_served".to_owned()));
    };
    let Some((found, notice)) = hit.found.as_ref().and_then(|found| Some((found, found.notice.as_ref()?)))
    else {
        tracing::error!(hit.id = %hit.id, "a hit cannot be read back: a person must look at it");
        return Ok(Forwarding::Refused(hits::DAMAGED.to_owned()));
    };
    match kept_back_since(watchlist, found).await? {
        // The gateway may have signed it, and the answer was lost: a person who reports it would report it twice. It is asked again.
        Some(KeptBack::RuleOff) if hit.is_maybe_signed => {}
        Some(why) => return Ok(Forwarding::KeptBack(why)),
        None => {}
    }
    let key = format!("hit-{}", hit.id);
    Ok(match agency.gateway.post::<ReleasedView>("/v1/messages", notice, &key, now).await {
        Ok(released) => Forwarding::Taken(released.id),
        Err(fault) => outcome_of(&fault, hit, now),
    })
}

/// What has come since it was found: a flag, a rule that two people switched off.
async fn kept_back_since(watchlist: &Watchlist, found: &FoundHit) -> Result<Option<KeptBack>, DbError> {
    if let Some(case) = &found.hit.case
        && is_flagged(watchlist, case).await?
    {
        return Ok(Some(KeptBack::Flagged));
    }
    let rule = RuleCode::from_word(&found.hit.rule).map(|code| watchlist.rules().rule(code));
    Ok(rule.is_none_or(|rule| !rule.forwards).then_some(KeptBack::RuleOff))
}

/// Whether the alert is not executed here, as it is known now. One that is gone is for the gateway to judge, which has its case.
pub(crate) async fn is_flagged(watchlist: &Watchlist, case: &CaseId) -> Result<bool, DbError> {
    let mut conn = watchlist.store.read().acquire().await?;
    let alert = entries::alert(&mut conn, &watchlist.at_rest, case, watchlist.own()).await?;
    Ok(alert.and_then(|listed| listed.alert).is_some_and(|alert| alert.flagged.is_some()))
}

fn outcome_of(fault: &PeerFault, hit: &QueuedHit, now: Timestamp) -> Forwarding {
    if let Some(code) = fault.refusal().filter(|code| FINAL.contains(code)) {
        tracing::error!(hit.id = %hit.id, agency = %hit.agency, %fault, "the gateway does not take a hit: a person must look at it");
        return Forwarding::Refused(code.to_owned());
    }
    tracing::warn!(hit.id = %hit.id, agency = %hit.agency, attempt = hit.attempts + 1, %fault, "a hit waits for the gateway");
    let place = usize::try_from(hit.attempts).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
    let why = match fault {
        // What was sent once may be signed, however the next attempts end.
        _ if hit.is_maybe_signed => NO_ANSWER.to_owned(),
        PeerFault::Refused { code, .. } if !code.is_empty() => code.clone(),
        PeerFault::Refused { status, .. } => status.to_string(),
        PeerFault::NotReached { .. } => "not_reached".to_owned(),
        _ => NO_ANSWER.to_owned(),
    };
    Forwarding::Later { at: now.plus(PAUSES[place]), why }
}

async fn record(watchlist: &Watchlist, hit: &QueuedHit, outcome: Forwarding) -> Result<(), DbError> {
    let act = AuditRecord::new(watchlist.now(), watchlist.trail.source(), AuditAction::HitForward)
        .agency(&hit.agency)
        .object("hit", hit.id);
    let act = match &outcome {
        Forwarding::Taken(message) => Some(act.detail("message", message)),
        Forwarding::Refused(code) => Some(act.refused(code.clone())),
        Forwarding::KeptBack(why) => Some(act.refused(why.as_str())),
        Forwarding::Later { .. } => None,
    };
    let (trail, id) = (watchlist.trail.clone(), hit.id);
    let write = watchlist.store.write(move |tx| {
        async move {
            let is_written = hits::forwarded(tx, id, &outcome).await?;
            if let Some(act) = act.filter(|_| is_written) {
                trail.record(tx, &act).await?;
            }
            Ok::<_, DbError>(())
        }
        .boxed()
    });
    write.await.map_err(|fault| DbError::damaged("hit that could not be written", fault))
}
