//! Tells the owners of alerts what was found: each hit that is certain goes to the gateway as `hit.notify`, once.
//!
//! A hit is in the store before anybody is answered, and its id is the key under which the gateway takes it: whatever is killed, it is
//! signed exactly once.

use std::{sync::Arc, time::Duration};

use rovuma_api::answers::gateway::ReleasedView;
use rovuma_runtime::Shutdown;
use rovuma_schemas::{Date, Timestamp, audit::AuditAction};
use rovuma_store::FutureExt;
use rovuma_trail::AuditRecord;
use serde_json::{Value, json};

use crate::{
    error::DbError,
    hits::{self, Forwarding, QueuedHit},
    peer::PeerFault,
    watchlist::{OwnAgency, Watchlist},
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

/// Forwards hits until the service stops.
pub(crate) async fn run(watchlist: Arc<Watchlist>, shutdown: Shutdown) {
    while !shutdown.is_stopping() {
        let wait = match round(&watchlist).await {
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
async fn round(watchlist: &Watchlist) -> Result<Duration, DbError> {
    loop {
        let now = watchlist.now();
        let mut conn = watchlist.store.read().acquire().await?;
        let due = hits::due(&mut conn, now, ROUND).await?;
        if due.is_empty() {
            let next = hits::next_due(&mut conn).await?;
            return Ok(next.map_or(LOOKED_AT_EVERY, |next| next.since(now)).min(LOOKED_AT_EVERY));
        }
        drop(conn);
        for hit in due {
            let outcome = ask(watchlist, &hit).await;
            record(watchlist, &hit, outcome).await?;
        }
    }
}

/// Has the gateway sign the notice.
async fn ask(watchlist: &Watchlist, hit: &QueuedHit) -> Forwarding {
    let now = watchlist.now();
    let Some(agency) = watchlist.agency(&hit.agency) else {
        return Forwarding::Refused("agency_not_served".to_owned());
    };
    let key = format!("hit-{}", hit.id);
    let notice = notice(agency, hit, now);
    match agency.gateway.post::<ReleasedView>("/v1/messages", &notice, &key, now).await {
        Ok(released) => Forwarding::Taken(released.id),
        Err(fault) => outcome_of(&fault, hit, now),
    }
}

fn outcome_of(fault: &PeerFault, hit: &QueuedHit, now: Timestamp) -> Forwarding {
    if let Some(code) = fault.refusal() {
        tracing::error!(hit.id = %hit.id, agency = %hit.agency, %fault, "the gateway does not take a hit: a person must look at it");
        return Forwarding::Refused(code.to_owned());
    }
    tracing::warn!(hit.id = %hit.id, agency = %hit.agency, attempt = hit.attempts + 1, %fault, "a hit waits for the gateway");
    let place = usize::try_from(hit.attempts).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
    let why = match fault {
        PeerFault::Refused { code, .. } => code.clone(),
        _ => "no_answer".to_owned(),
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
        Forwarding::Later { .. } => None,
    };
    let (trail, id) = (watchlist.trail.clone(), hit.id);
    let write = watchlist.store.write(move |tx| {
        async move {
            hits::forwarded(tx, id, &outcome).await?;
            if let Some(act) = act {
                trail.record(tx, &act).await?;
            }
            Ok::<_, DbError>(())
        }
        .boxed()
    });
    write.await.map_err(|fault| DbError::damaged("hit that could not be written", fault))
}

/// The notice: what the alert's owner knows already, and where it was found. It carries no new personal data.
fn notice(agency: &OwnAgency, hit: &QueuedHit, now: Timestamp) -> Value {
    let config = &agency.config;
    let found = &hit.found;
    let contact = &config.contact;
    let mut desk = json!({ "name": contact.name, "phone": contact.phone });
    if let Some(hours) = &contact.hours {
        desk["hours"] = json!(hours);
    }
    let alert = &found.hit.case;
    let mut body = json!({
        "alert": alert,
        "version": found.version,
        "matched": { "kind": found.matched, "value": found.value },
        "rule": { "code": found.hit.rule, "version": found.hit.rule_version },
        "found_at": hit.found_at,
        "post": hit.post,
        "direction": hit.direction,
        "possible_misuse": found.hit.possible_misuse,
        "retroactive": found.hit.retroactive,
        "encounter": hit.encounter,
        "contact": desk,
    });
    if let Some(subject) = &found.subject {
        body["subject"] = json!(subject);
    }
    let owner = alert.as_ref().map(|alert| &alert.owner);
    json!({
        "type": "hit.notify",
        "status": found.hit.status,
        "recipients": [owner],
        "unit": config.unit,
        "terms": {
            "urgency": { "level": "normal" },
            "purpose": "detection",
            "legal_basis": config.legal_basis,
            "handling": { "code": "H0" },
            "evaluation": { "source": "A", "information": "2" },
            "language": config.language.as_str(),
            "retain_until": Date::of(now).plus_days(i32::from(config.retain_days)),
        },
        "body": body,
    })
}
