//! The notice to the owner of an alert: what the owner knows already, and where it was found. It carries no new personal data.

use rovuma_api::answers::watchlist::ScreenedHit;
use rovuma_schemas::{Date, MessageId, Timestamp};
use serde_json::{Value, json};

use crate::{
    error::DbError,
    forward,
    hits::{HitState, candidates::DecidedHit},
    screening::{KeptBack, RuleCode},
    watchlist::{OwnAgency, Watchlist},
};

/// What a notice says of something that was found.
pub(crate) struct Notice<'a> {
    pub(crate) hit: &'a ScreenedHit,
    /// The version of the alert that was looked at.
    pub(crate) version: u32,
    /// The key of the alert's subject.
    pub(crate) subject: Option<&'a str>,
    /// The kind of the number and the number, which the alert has.
    pub(crate) matched: (&'a str, &'a str),
    /// The rule that found it and the rule's version.
    pub(crate) rule: (&'a str, u32),
    pub(crate) found_at: Timestamp,
    pub(crate) post: &'a str,
    pub(crate) direction: &'a str,
    /// The common mark of what was found of one traveller.
    pub(crate) encounter: MessageId,
}

impl Notice<'_> {
    /// The draft of `hit.notify`. Its words, unit and telephone are the configuration's: a machine has none of its own.
    pub(crate) fn draft(&self, agency: &OwnAgency, now: Timestamp) -> Value {
        let (hit, config) = (self.hit, &agency.config);
        let contact = &config.contact;
        let mut desk = json!({ "name": contact.name, "phone": contact.phone });
        if let Some(hours) = &contact.hours {
            desk["hours"] = json!(hours);
        }
        let (kind, value) = self.matched;
        let (rule, rule_version) = self.rule;
        let mut body = json!({
            "alert": hit.case,
            "version": self.version,
            "matched": { "kind": kind, "value": value },
            "rule": { "code": rule, "version": rule_version },
            "found_at": self.found_at,
            "post": self.post,
            "direction": self.direction,
            "possible_misuse": hit.possible_misuse,
            "retroactive": hit.retroactive,
            "encounter": self.encounter,
            "contact": desk,
        });
        if let Some(subject) = self.subject {
            body["subject"] = json!(subject);
        }
        let owner = hit.case.as_ref().map(|case| &case.owner);
        json!({
            "type": "hit.notify",
            "status": hit.status,
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
}

/// What keeps a hit from another state whatever a person says of the match. A rule that two people switched off does not: it asks for a
/// person.
const KEPT_WHOEVER_DECIDES: [KeptBack; 4] =
    [KeptBack::ImportedList, KeptBack::OwnAlert, KeptBack::Flagged, KeptBack::Protection];

/// The draft by which a person reports, in their own name, what a person has decided is the same. None of anything else, where it must not
/// be told to another state, also since it was found, and where the alert has no such number.
pub(crate) async fn of_decided(
    watchlist: &Watchlist,
    decided: &DecidedHit,
) -> Result<Option<Value>, DbError> {
    let Some(notice) = notice(watchlist, decided) else { return Ok(None) };
    let is_flagged = match &decided.candidate.hit.case {
        Some(case) => forward::is_flagged(watchlist, case).await?,
        None => true,
    };
    Ok(Some(notice).filter(|_| !is_flagged))
}

fn notice(watchlist: &Watchlist, decided: &DecidedHit) -> Option<Value> {
    let DecidedHit { agency, found, candidate, encounter, is_protected } = decided;
    let is_kept = KEPT_WHOEVER_DECIDES
        .iter()
        .any(|reason| candidate.hit.not_forwarded.iter().any(|word| word == reason.as_str()));
    if candidate.state != HitState::Confirmed.as_str() || is_kept || *is_protected {
        return None;
    }
    candidate.hit.case.as_ref()?;
    let rule = watchlist.rules().rule(RuleCode::Review);
    let notice = Notice {
        hit: &candidate.hit,
        version: found.version,
        subject: found.subject.as_deref(),
        matched: (&found.matched, found.reported.as_deref()?),
        rule: (rule.code.as_str(), rule.version),
        found_at: candidate.found_at,
        post: candidate.post.as_deref()?,
        direction: candidate.direction.as_deref()?,
        encounter: *encounter,
    };
    // The same draft on every day: whoever was cut off sends the same once more, and it is taken once.
    Some(notice.draft(watchlist.agency(agency)?, candidate.found_at))
}
