//! The drafts of alerts in the play.

use std::time::Duration;

use rovuma_schemas::Timestamp;
use rovuma_tests::drafts;
use serde_json::{Value, json};

use super::script::Conversation;
use crate::chance::Chance;

/// The list of each letter of a subject's key.
const LISTS: [(char, &str); 3] = [('v', "vehicles"), ('p', "persons"), ('l', "places")];

/// Days for which an alert that states its end lasts at first.
const FIRST_DAYS: u64 = 200;

/// Days from now until the end that an extension states.
const EXTENDED_DAYS: std::ops::Range<u64> = 210..360;

/// The alert as it is issued.
pub(super) fn issue(alert: &Conversation, chance: &mut Chance) -> Value {
    let mut draft = first_content(alert);
    draft["reference"] = json!(format!("CASE-{:05}", alert.number));
    if chance.number(0..4) > 0 {
        draft["body"]["validity"] = json!({ "until": in_days(FIRST_DAYS) });
    }
    draft
}

/// A newer version: other circumstances, and a place more or less. `keys` are those of the subjects of the version before.
pub(super) fn update(alert: &Conversation, case: &Value, keys: &[String], chance: &mut Chance) -> Value {
    let first = first_content(alert);
    let mut content = first["body"].clone();
    content["circumstances"] = json!(format!("Visto outra vez, {}.", chance.number(0..1_000_000)));
    let template = content["subjects"]["places"][0].clone();
    let mut dropped = Vec::new();
    for (letter, list) in LISTS {
        let known: Vec<&String> = keys.iter().filter(|key| key.starts_with(letter)).collect();
        if letter != 'l' {
            let subject = content["subjects"].get_mut(list).and_then(|list| list.get_mut(0));
            if let (Some(key), Some(subject)) = (known.first(), subject) {
                subject["key"] = json!(key);
            }
            continue;
        }
        let mut places = Vec::new();
        for key in known {
            if chance.number(0..4) == 0 {
                dropped.push(json!({ "key": key, "reason": chance.one_of(&["found", "error"]) }));
            } else {
                places.push(with(&template, "key", json!(key)));
            }
        }
        if places.is_empty() || chance.number(0..3) == 0 {
            places.push(template.clone());
        }
        content["subjects"][list] = json!(places);
    }
    if let Some(key) = keys.iter().find(|key| key.starts_with('d'))
        && let Some(document) = content.pointer_mut("/subjects/persons/0/documents/0")
    {
        document["key"] = json!(key);
    }
    let body = json!({ "alert": content, "dropped": dropped, "change": "Outras circunstâncias." });
    let mut draft = follower(alert, "alert.update", case, body);
    draft["terms"] = first["terms"].clone();
    draft["terms"]["urgency"] = json!({ "level": "normal" });
    draft
}

pub(super) fn extend(alert: &Conversation, case: &Value, chance: &mut Chance) -> Value {
    let until = in_days(chance.number(EXTENDED_DAYS));
    follower(alert, "alert.extend", case, json!({ "until": until, "reason": "Continua por encontrar." }))
}

pub(super) fn withdraw(alert: &Conversation, case: &Value, reason: &str) -> Value {
    follower(alert, "alert.withdraw", case, json!({ "reason": reason }))
}

pub(super) fn reply(alert: &Conversation, case: &Value, report: &str) -> Value {
    let draft = follower(alert, "alert.reply", case, json!({ "reason": "Confirmado no processo." }));
    with(&draft, "in_reply_to", json!(report))
}

pub(super) fn confirm(alert: &Conversation, case: &Value, released: &str) -> Value {
    with(&follower(alert, "release.confirm", case, json!({})), "in_reply_to", json!(released))
}

pub(super) fn flag(alert: &Conversation, case: &Value, version: u64, is_on: bool) -> Value {
    let version = version.max(1);
    let body = match is_on {
        true => {
            json!({ "flag": "on", "version": version, "reason": "own_proceedings", "instead": "inform_only" })
        }
        false => json!({ "flag": "off", "version": version }),
    };
    follower(alert, "alert.flag", case, body)
}

pub(super) fn error_report(alert: &Conversation, case: &Value, version: u64) -> Value {
    let errors = json!([{ "at": "/circumstances", "proposal": "Barabara imefungwa." }]);
    follower(alert, "alert.error_report", case, json!({ "version": version.max(1), "errors": errors }))
}

pub(super) fn certify(alert: &Conversation, case: &Value, chance: &mut Chance) -> Value {
    follower(alert, "purge.certify", case, certificate(chance))
}

fn first_content(alert: &Conversation) -> Value {
    match alert.is_emergency {
        true => drafts::emergency(&alert.recipients),
        false => drafts::motorcycle(&alert.recipients),
    }
}

/// A draft that follows in a case, with the terms of its alert and no content of it.
fn follower(alert: &Conversation, message_type: &str, case: &Value, body: Value) -> Value {
    following(&first_content(alert), message_type, case, body)
}

/// A draft that follows in the case that `opener` opens, with its terms and no content of it.
pub(super) fn following(opener: &Value, message_type: &str, case: &Value, body: Value) -> Value {
    let mut terms = opener["terms"].clone();
    terms["urgency"] = json!({ "level": "normal" });
    if let Some(terms) = terms.as_object_mut() {
        terms.remove("emergency");
        terms.remove("protection_check");
    }
    json!({ "type": message_type, "status": opener["status"], "case": case, "terms": terms, "body": body })
}

/// What a party of a case certifies about its data.
pub(super) fn certificate(chance: &mut Chance) -> Value {
    match chance.number(0..3) {
        0 => json!({ "outcome": "erased" }),
        1 => json!({ "outcome": "never_held" }),
        _ => json!({ "outcome": "retained", "ground": "own_proceedings", "until": "2035-12-31" }),
    }
}

pub(super) fn with(value: &Value, member: &str, content: Value) -> Value {
    let mut value = value.clone();
    value[member] = content;
    value
}

pub(super) fn in_days(days: u64) -> String {
    Timestamp::system_now().plus(Duration::from_secs(days * 24 * 60 * 60)).to_string()
}
