//! Compares what two parties show of one case.
//!
//! An issuer's view has the chains of all parties; a recipient's has the issuer's and its own, because what another recipient said
//! went to the issuer alone. So two views are compared in what is said by, and follows from, the parties that both have.

use std::{collections::BTreeSet, fmt};

use serde_json::{Value, json};

/// What both views show of the case itself, whoever looks.
pub(super) const OF_THE_CASE: [&str; 39] = [
    "/case/state",
    "/case/status",
    "/case/facet",
    "/case/handling",
    "/case/version",
    "/case/short_reference",
    "/alert/version",
    "/alert/ends",
    "/alert/confirm_by",
    "/alert/subjects",
    "/alert/withdrawn",
    "/alert/superseded_by",
    "/alert/retain_until",
    "/case/due",
    "/request/answerer",
    "/request/direct",
    "/request/questions",
    "/request/acknowledged",
    "/request/expected_by",
    "/request/needed_by",
    "/request/limit_hours",
    "/request/spent_s",
    "/request/punctuality",
    "/request/overdue",
    "/request/delayed_until",
    "/request/delay_reason",
    "/request/clarification_overdue",
    "/request/reminded_at",
    "/request/settled_at",
    "/request/refused",
    "/request/try_agency",
    "/request/cancelled",
    "/request/cancelled_late",
    "/request/disclosed",
    "/request/erasure_due",
    "/request/outcomes",
    "/request/dormant",
    "/request/retain_until",
    "/request/confirm_by",
];

/// A case as one agency sees it.
#[derive(Clone, Debug)]
pub(super) struct SeenCase {
    pub(super) agency: String,
    /// Of `GET /v1/cases/{kind}/{owner}/{id}`.
    pub(super) case: Value,
    /// Of its time line.
    pub(super) steps: Vec<Value>,
    /// Of `GET /v1/cases`.
    pub(super) row: Value,
}

/// Something that two views of a case show differently.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Difference {
    pub(super) what: What,
    pub(super) one: Value,
    pub(super) other: Value,
}

/// The parts of a case that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A member, by its pointer.
    Member(String),
    /// A step of an agency that is in one view only, by its canonical id.
    Step(String),
    /// A step of one view that the other view has under the id of an earlier message with the same content at the same turn.
    Renamed {
        /// The step's id.
        id: String,
        /// The earlier message's id.
        earlier: String,
    },
    /// What a step did: it is in both views, with another turn, type, effect or reason.
    Effect(String),
    /// The order of the steps that both views have.
    Order,
}

/// What one view shows differently from another, as to the steps and words of the `common` parties, and to the case itself.
pub(super) fn differences(one: &SeenCase, other: &SeenCase, common: &[&str]) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut compare = |what: What, one: Value, other: Value| {
        if one != other {
            found.push(Difference { what, one, other });
        }
    };
    for pointer in OF_THE_CASE {
        let member = |view: &SeenCase| view.case.pointer(pointer).cloned().unwrap_or_default();
        compare(What::Member(pointer.to_owned()), member(one), member(other));
    }
    for (pointer, by) in [
        ("/alert/flagged", ""),
        ("/alert/reports", "agency"),
        ("/request/certificates", "agency"),
        ("/warnings", "agency"),
        ("/missing", "agency"),
    ] {
        let of_common = |view: &SeenCase| {
            let items = view.case.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
            let of = |item: &Value| {
                let agency = if by.is_empty() { item.as_str() } else { item[by].as_str() };
                agency.is_some_and(|agency| common.contains(&agency))
            };
            json!(items.into_iter().filter(of).collect::<Vec<_>>())
        };
        compare(What::Member(pointer.to_owned()), of_common(one), of_common(other));
    }
    let (ours, theirs) = (steps(one, common), steps(other, common));
    let ids = |steps: &[Value]| steps.iter().map(id_of).collect::<BTreeSet<String>>();
    let (our_ids, their_ids) = (ids(&ours), ids(&theirs));
    for id in our_ids.symmetric_difference(&their_ids) {
        let of = |steps: &[Value]| steps.iter().find(|step| id_of(step) == *id).cloned().unwrap_or_default();
        let there = [&ours, &theirs].into_iter().flatten().find(|step| {
            id_of(step) != *id && step["ids"].as_array().is_some_and(|ids| ids.contains(&json!(id)))
        });
        let what = match there {
            Some(step) => What::Renamed { id: id.clone(), earlier: id_of(step) },
            None => What::Step(id.clone()),
        };
        compare(what, of(&ours), of(&theirs));
    }
    let shared = |steps: &[Value]| {
        let is_shared = |step: &&Value| our_ids.contains(&id_of(step)) && their_ids.contains(&id_of(step));
        steps.iter().filter(is_shared).cloned().collect::<Vec<_>>()
    };
    let (ours, theirs) = (shared(&ours), shared(&theirs));
    for step in &ours {
        let same = theirs.iter().find(|other| id_of(other) == id_of(step)).cloned().unwrap_or_default();
        compare(What::Effect(id_of(step)), without_ids(step), without_ids(&same));
    }
    let place = |step: &Value| json!({ "id": step["id"], "sender": step["sender"] });
    let order = |steps: &[Value]| json!(steps.iter().map(place).collect::<Vec<_>>());
    compare(What::Order, order(&ours), order(&theirs));
    found
}

/// What the row of a case in a list says otherwise than the case itself, which is folded from its messages when it is read.
pub(super) fn differences_of_row(seen: &SeenCase) -> Vec<Difference> {
    let count = |pointer: &str, each: fn(&Value) -> u64| -> u64 {
        seen.case.pointer(pointer).and_then(Value::as_array).into_iter().flatten().map(each).sum()
    };
    let ids = seen.steps.iter().map(|step| step["ids"].as_array().map_or(0, Vec::len) as u64).sum::<u64>();
    let turns = |missing: &Value| {
        let turn = |member| missing[member].as_u64().unwrap_or_default();
        turn("to") + 1 - turn("from").min(turn("to") + 1)
    };
    let folded = [
        ("state", seen.case["case"]["state"].clone()),
        ("version", json!(seen.case["alert"]["version"].as_u64().unwrap_or_default())),
        ("messages", json!(ids)),
        ("missing", json!(count("/missing", turns))),
        ("warnings", json!(count("/warnings", |_| 1))),
        ("due", seen.case["case"].get("due").cloned().unwrap_or_default()),
    ];
    let listed = |member: &str| seen.row.get(member).cloned().unwrap_or_default();
    let differs = |(member, folded): &(&str, Value)| listed(member) != *folded;
    folded
        .into_iter()
        .filter(differs)
        .map(|(member, folded)| Difference {
            what: What::Member(format!("row/{member}")),
            one: folded,
            other: listed(member),
        })
        .collect()
}

fn steps(view: &SeenCase, common: &[&str]) -> Vec<Value> {
    let of_common = view
        .steps
        .iter()
        .filter(|step| step["sender"].as_str().is_some_and(|sender| common.contains(&sender)));
    let compared = |step: &Value| {
        json!({
            "id": step["id"], "ids": step["ids"], "sender": step["sender"], "turn": step["turn"], "type": step["type"],
            "effect": step["effect"], "reason": step["reason"], "in_reply_to": step["in_reply_to"], "seen": step["seen"],
        })
    };
    of_common.map(compared).collect()
}

/// A step without the ids under which it came here: a message that was issued again may have come to one side under both ids.
fn without_ids(step: &Value) -> Value {
    let mut step = step.clone();
    if let Some(members) = step.as_object_mut() {
        members.remove("ids");
    }
    step
}

pub(super) fn id_of(step: &Value) -> String {
    step["id"].as_str().unwrap_or_default().to_owned()
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {} against {}", self.what, self.one, self.other)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::excused::{LostOfCase, LostStep},
        *,
    };

    fn step(id: &str, sender: &str, turn: u64, message_type: &str) -> Value {
        json!({ "id": id, "ids": [id], "sender": sender, "turn": turn, "type": message_type, "effect": "applied", "seen": {} })
    }

    fn seen() -> SeenCase {
        let case = json!({
            "case": {
                "state": "active", "status": "exercise", "facet": "vehicle", "handling": "H0", "version": 2,
                "short_reference": "K7MQ2X9",
            },
            "missing": [], "warnings": [],
            "alert": {
                "version": 2, "ends": "2028-01-01T00:00:00Z", "subjects": ["l1", "v1"], "retain_until": "2036-12-31",
                "flagged": ["tz.tpf", "tz.tisd"],
                "reports": [{ "id": "c", "agency": "tz.tpf", "version": 1 }],
            },
        });
        let row = json!({ "state": "active", "version": 2, "messages": 4, "missing": 0, "warnings": 0 });
        let steps = vec![
            step("a", "mz.prm", 1, "alert.issue"),
            step("b", "mz.prm", 2, "alert.update"),
            step("c", "tz.tpf", 1, "alert.error_report"),
            step("d", "tz.tisd", 1, "alert.flag"),
        ];
        SeenCase { agency: "mz.prm".to_owned(), case, steps, row }
    }

    const COMMON: [&str; 2] = ["mz.prm", "tz.tpf"];

    fn bent(bend: impl FnOnce(&mut SeenCase)) -> Vec<Difference> {
        let mut other = seen();
        bend(&mut other);
        differences(&seen(), &other, &COMMON)
    }

    fn lost(id: &str, sender: &str, message_type: &str) -> LostStep {
        LostStep { id: id.to_owned(), sender: sender.to_owned(), message_type: message_type.to_owned() }
    }

    fn is_excused(difference: &Difference, steps: &[LostStep], owner: &str) -> bool {
        let lost = LostOfCase { country: "mz", steps: steps.to_vec(), delivery: false };
        lost.excuses(difference, owner)
    }

    #[test]
    fn what_other_recipients_said_is_not_compared() {
        let found = bent(|other| {
            other.steps.pop();
            other.case["alert"]["flagged"] = json!(["tz.tpf"]);
        });
        assert_eq!(found, []);
    }

    #[test]
    fn every_bent_member_is_found_and_not_excused() {
        for pointer in OF_THE_CASE {
            let (part, member) = pointer[1..].split_once('/').expect("two parts");
            let found = bent(|other| other.case[part][member] = json!("bent"));
            assert_eq!(found.len(), 1, "{pointer}");
            assert_eq!(found[0].what, What::Member(pointer.to_owned()));
            assert!(!is_excused(&found[0], &[], "mz.prm"));
            // A certificate sets nothing that is compared here.
            assert!(!is_excused(&found[0], &[lost("e", "tz.tpf", "purge.certify")], "mz.prm"));
        }
        for (part, agency) in [("missing", "mz.prm"), ("warnings", "tz.tpf")] {
            let found =
                bent(|other| other.case[part] = json!([{ "agency": agency, "turn": 1, "from": 1, "to": 1 }]));
            assert_eq!(found.len(), 1, "{part}");
            let of_other = [lost("e", "tz.tisd", "alert.flag")];
            assert!(!is_excused(&found[0], &of_other, "mz.prm"), "{part}");
        }
    }

    #[test]
    fn every_bent_step_is_found_and_excused_only_by_name() {
        for (member, bend) in
            [("effect", json!("unlawful")), ("turn", json!(9)), ("type", json!("alert.extend"))]
        {
            let found = bent(|other| other.steps[1][member] = bend);
            assert_eq!(found.len(), 1, "{member}");
            assert!(!is_excused(&found[0], &[lost("e", "mz.prm", "alert.update")], "mz.prm"), "{member}");
        }
        let found = bent(|other| drop(other.steps.remove(1)));
        assert_eq!(found[0].what, What::Step("b".to_owned()));
        assert!(!is_excused(&found[0], &[lost("e", "mz.prm", "alert.update")], "mz.prm"));
        assert!(is_excused(&found[0], &[lost("b", "mz.prm", "alert.update")], "mz.prm"));
        let found = bent(|other| {
            other.steps[1] = step("e", "mz.prm", 2, "alert.update");
            other.steps[1]["ids"] = json!(["b", "e"]);
        });
        let renamed = What::Renamed { id: "b".to_owned(), earlier: "e".to_owned() };
        assert_eq!(
            found.iter().map(|one| &one.what).collect::<Vec<_>>(),
            [&renamed, &What::Step("e".to_owned())]
        );
        let excused = |id: &str| is_excused(&found[0], &[lost(id, "mz.prm", "alert.update")], "mz.prm");
        assert_eq!((excused("e"), excused("b")), (true, false));
        let found = bent(|other| other.steps.swap(1, 2));
        assert_eq!(found[0].what, What::Order);
        assert!(is_excused(&found[0], &[lost("e", "tz.tpf", "purge.certify")], "mz.prm"));
        assert!(!is_excused(&found[0], &[lost("e", "tz.tisd", "purge.certify")], "mz.prm"));
        assert!(!is_excused(&found[0], &[], "mz.prm"));
        let found = bent(|other| other.steps.swap(0, 1));
        assert!(!is_excused(&found[0], &[lost("b", "mz.prm", "alert.update")], "mz.prm"));
        let found = bent(|other| {
            other.steps[1]["effect"] = json!("without_effect");
            other.steps[1]["reason"] = json!("older_version");
        });
        assert!(!is_excused(&found[0], &[], "mz.prm"));
        assert!(is_excused(&found[0], &[lost("e", "mz.prm", "alert.update")], "mz.prm"));
    }

    #[test]
    fn a_certificate_is_excused_for_want_of_the_opener_that_was_forgotten() {
        let unjudged = |reason: &str| {
            let reason = json!(reason);
            bent(move |other| {
                other.steps[2]["effect"] = json!("unjudged");
                other.steps[2]["reason"] = reason;
            })
        };
        let found = unjudged("opener_missing");
        assert_eq!(found.len(), 1);
        assert!(is_excused(&found[0], &[lost("a", "mz.prm", "request.submit")], "mz.prm"));
        // Not without the opener's having been forgotten, nor for another reason.
        assert!(!is_excused(&found[0], &[lost("e", "mz.prm", "request.answer")], "mz.prm"));
        assert!(!is_excused(&found[0], &[], "mz.prm"));
        let found = unjudged("past_missing");
        assert!(!is_excused(&found[0], &[lost("a", "mz.prm", "request.submit")], "mz.prm"));
    }

    #[test]
    fn a_clock_may_run_from_a_delivery_that_the_recipient_forgot() {
        let found = bent(|other| other.case["request"]["spent_s"] = json!(12));
        assert!(!is_excused(&found[0], &[], "mz.prm"));
        let (mut sender, mut recipient) = (seen(), seen());
        sender.agency = "tz.tpf".to_owned();
        sender.steps[2]["receipts"] = json!([{ "recipient": "mz.prm", "kind": "delivered", "said_at": "1" }]);
        recipient.steps[2]["received_at"] = json!("1");
        let lost = LostOfCase { country: "mz", ..LostOfCase::default() };
        assert!(!lost.of_views(&sender, &recipient).excuses(&found[0], "mz.prm"));
        recipient.steps[2]["received_at"] = json!("2");
        assert!(lost.of_views(&sender, &recipient).excuses(&found[0], "mz.prm"));
        let other_country = LostOfCase { country: "tz", ..LostOfCase::default() };
        assert!(!other_country.of_views(&sender, &recipient).excuses(&found[0], "mz.prm"));
        let found = bent(|other| other.case["request"]["questions"] = json!("bent"));
        assert!(!lost.of_views(&sender, &recipient).excuses(&found[0], "mz.prm"));
    }

    #[test]
    fn a_row_that_is_not_the_fold_is_found() {
        assert_eq!(differences_of_row(&seen()), []);
        for member in ["state", "version", "messages", "missing", "warnings"] {
            let mut bent = seen();
            bent.row[member] = json!(77);
            assert_eq!(differences_of_row(&bent).len(), 1, "{member}");
        }
    }
}
