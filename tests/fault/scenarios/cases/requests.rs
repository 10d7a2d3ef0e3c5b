//! The drafts of requests in the play.

use rovuma_tests::drafts;
use serde_json::{Value, json};

use super::{
    content::{following, in_days},
    script::Conversation,
};
use crate::chance::Chance;

/// How many questions the request of the play has.
const QUESTIONS: u64 = 4;

/// The request as it is submitted.
pub(super) fn submit(request: &Conversation, chance: &mut Chance) -> Value {
    let mut draft = drafts::vehicle_request(&request.recipients);
    draft["reference"] = json!(format!("CASE-{:05}", request.number));
    if chance.number(0..2) == 0 {
        let needed = json!({ "at": in_days(chance.number(1..30)), "reason": "Audiência." });
        draft["body"]["needed_by"] = needed;
    }
    if chance.number(0..2) == 0 {
        draft["terms"]["urgency"] = json!({ "level": "normal" });
    }
    draft
}

pub(super) fn acknowledge(case: &Value, chance: &mut Chance) -> Value {
    let contact = json!({ "name": "Ofisa wa zamu, Mtwara", "phone": "+255740000202" });
    let body = match chance.number(0..2) {
        0 => json!({ "contact": contact, "expected_by": in_days(2) }),
        _ => json!({ "contact": contact, "our_reference": "TPF-MFANO-311" }),
    };
    follower("request.acknowledge", case, body)
}

pub(super) fn ask(case: &Value, chance: &mut Chance) -> Value {
    let text = format!("Namba kamili ya chasisi ni ipi? ({})", chance.number(0..1_000_000));
    follower("request.ask", case, json!({ "text": text, "questions": [1] }))
}

pub(super) fn delay(case: &Value, chance: &mut Chance) -> Value {
    let until = in_days(chance.number(3..30));
    follower("request.delay", case, json!({ "until": until, "reason": "paper_archive" }))
}

pub(super) fn clarify(case: &Value, chance: &mut Chance) -> Value {
    let text = format!("O quadro foi lido outra vez, {}.", chance.number(0..1_000_000));
    follower("request.clarify", case, json!({ "text": text }))
}

/// An answer to every question.
pub(super) fn answer(case: &Value, chance: &mut Chance) -> Value {
    answers("request.answer", (1..=QUESTIONS).map(|n| result(n, chance)).collect(), case)
}

/// An answer to some questions, with the last left for later.
pub(super) fn answer_partial(case: &Value, chance: &mut Chance) -> Value {
    let last = chance.number(2..QUESTIONS + 1);
    let mut given: Vec<Value> = (1..last).map(|n| result(n, chance)).collect();
    given.push(json!({ "n": last, "result": "later", "expected_by": in_days(2) }));
    answers("request.answer_partial", given, case)
}

pub(super) fn refuse(case: &Value) -> Value {
    follower("request.refuse", case, json!({ "reason": "not_available", "try_agency": "tz.tisd" }))
}

pub(super) fn remind(case: &Value) -> Value {
    follower("request.remind", case, json!({}))
}

pub(super) fn cancel(case: &Value) -> Value {
    follower("request.cancel", case, json!({ "reason": "solved_here" }))
}

pub(super) fn close(case: &Value, chance: &mut Chance) -> Value {
    let outcome = chance.one_of(&["property_recovered", "evidence_secured"]);
    follower("request.close", case, json!({ "outcomes": [outcome] }))
}

pub(super) fn certify(case: &Value, chance: &mut Chance) -> Value {
    follower("purge.certify", case, super::content::certificate(chance))
}

fn result(n: u64, chance: &mut Chance) -> Value {
    match chance.number(0..4) {
        0 => json!({ "n": n, "result": "no_record" }),
        1 => json!({ "n": n, "result": "not_here", "try_agency": "tz.tisd" }),
        2 => json!({ "n": n, "result": "refused", "reason": "judicial_authorisation_refused" }),
        _ => json!({ "n": n, "result": "found", "text": format!("Ipo ({}).", chance.number(0..1_000)) }),
    }
}

/// Something may be found: data flows, so the author has made the protection check.
fn answers(message_type: &str, given: Vec<Value>, case: &Value) -> Value {
    let mut draft = follower(message_type, case, json!({ "answers": given }));
    draft["terms"]["protection_check"] = json!({ "confirmed": true });
    draft
}

fn follower(message_type: &str, case: &Value, body: Value) -> Value {
    following(&drafts::vehicle_request(&["tz.tpf"]), message_type, case, body)
}
