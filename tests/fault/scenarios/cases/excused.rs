//! What a restored store excuses: it has forgotten what its agencies sent between the copy and the restore, and when messages were
//! delivered to them. Differences that follow from that are no fault, and no others are excused.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    compare::{Difference, SeenCase, What, id_of},
    play::{PlayedCase, SentStep},
};

/// What a restored store has forgotten: what its agencies sent in the parts after `after`, up to `until`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forgotten {
    pub(super) country: &'static str,
    pub(super) after: u32,
    pub(super) until: u32,
}

/// A message that a restored store had sent and forgot.
#[derive(Clone, Debug)]
pub(super) struct LostStep {
    pub(super) id: String,
    pub(super) sender: String,
    pub(super) message_type: String,
}

/// What a restored store has forgotten of one case.
#[derive(Clone, Debug, Default)]
pub(super) struct LostOfCase {
    /// The country of the store.
    pub(super) country: &'static str,
    /// What its agencies sent.
    pub(super) steps: Vec<LostStep>,
    /// Whether it has forgotten when a message was delivered to it: the sender has its first receipt, and it knows of the second alone.
    pub(super) delivery: bool,
}

/// The members that each type of message sets.
const SETTERS: [(&[&str], &[&str]); 22] = [
    (&["alert.withdraw"], &["/alert/withdrawn", "/alert/superseded_by"]),
    (
        &["alert.update", "alert.withdraw"],
        &["/case/handling", "/case/version", "/alert/version", "/alert/subjects"],
    ),
    (&["alert.update", "alert.extend", "alert.withdraw"], &["/alert/ends", "/alert/retain_until"]),
    (&["alert.update", "release.confirm", "alert.withdraw"], &["/alert/confirm_by"]),
    (&["alert.withdraw", "alert.update", "alert.extend", "release.confirm"], &["/case/state", "/case/due"]),
    (&["alert.flag"], &["/alert/flagged"]),
    // An answer was forgotten, or a report.
    (&["alert.error_report", "alert.reply", "alert.update", "alert.withdraw"], &["/alert/reports"]),
    (&["purge.certify"], &["/request/certificates"]),
    (&["request.acknowledge"], &["/request/acknowledged", "/request/expected_by"]),
    (&["request.remind"], &["/request/reminded_at"]),
    (&["request.delay"], &["/request/delayed_until", "/request/delay_reason"]),
    (&["request.ask", "request.clarify"], STATE),
    (&["request.ask", "request.clarify", "request.delay"], CLOCK),
    (&["request.answer_partial"], &["/request/questions", "/request/disclosed", "/request/erasure_due"]),
    (&["request.answer"], &["/request/questions", "/request/disclosed", "/request/erasure_due"]),
    (&["request.answer", "request.refuse"], &["/request/settled_at"]),
    (&["request.answer", "request.answer_partial", "request.refuse"], STATE),
    (&["request.answer", "request.refuse"], CLOCK),
    (&["request.refuse"], &["/request/refused", "/request/try_agency"]),
    // Whether a cancellation or a closing has an effect depends on what the other party had said.
    (&["request.answer", "request.refuse", "request.cancel", "request.close"], DECISIONS),
    (&["request.cancel", "request.close"], STATE),
    (&["request.cancel", "request.close"], CLOCK),
];

const STATE: &[&str] = &["/case/state"];

/// What runs with the time of whoever must act.
const CLOCK: &[&str] = &[
    "/case/due",
    "/request/spent_s",
    "/request/punctuality",
    "/request/overdue",
    "/request/clarification_overdue",
];

const DECISIONS: &[&str] =
    &["/request/cancelled", "/request/cancelled_late", "/request/outcomes", "/request/erasure_due"];

/// Why a step may change nothing because of another one that came before.
const OVERTAKEN: [&str; 5] = ["older_version", "withdrawn", "after_end", "too_late", "last_word_unseen"];

impl Forgotten {
    /// What was forgotten of this case.
    pub(super) fn in_case(&self, played: &PlayedCase) -> LostOfCase {
        let is_lost = |step: &&SentStep| {
            step.sender.starts_with(self.country) && step.part > self.after && step.part <= self.until
        };
        let steps = played.sent.iter().filter(is_lost).map(|step| LostStep {
            id: step.id.clone(),
            sender: step.sender.to_owned(),
            message_type: step.message_type.clone(),
        });
        LostOfCase { country: self.country, steps: steps.collect(), delivery: false }
    }
}

impl LostOfCase {
    /// Whether the message with this id was forgotten.
    pub(super) fn has(&self, id: &str) -> bool {
        self.steps.iter().any(|step| step.id == id)
    }

    /// The same, with whether one of these two views, of the restored store, has forgotten a delivery of the other's messages.
    pub(super) fn of_views(&self, one: &SeenCase, other: &SeenCase) -> Self {
        let is_forgotten = |sender: &SeenCase, recipient: &SeenCase| {
            recipient.agency.starts_with(self.country)
                && recipient.steps.iter().any(|step| is_delivered_again(step, sender, &recipient.agency))
        };
        Self { delivery: is_forgotten(one, other) || is_forgotten(other, one), ..self.clone() }
    }

    /// Whether a difference follows from what was forgotten in this case. Each forgotten message is known by its id. What is excused:
    ///
    /// - the forgotten step itself, where only one view has it: the restored store has forgotten it, and what had not left is nowhere;
    /// - a step with the content and the turn of a forgotten one: where both are known, they are one step under the forgotten id;
    /// - that a step changed nothing where a forgotten one is known, because of that one: it is older than a forgotten version, comes
    ///   after a forgotten end or withdrawal, or decides what a forgotten answer had settled;
    /// - that a step of a request is judged otherwise whose author had a forgotten turn: what stands at that turn now is another word;
    /// - a member that a forgotten step of that type sets;
    /// - where the opener was forgotten: that other steps of a request, a certificate among them, cannot be judged without it, and any later
    ///   step of its sender that a recipient lacks, with the members that it sets. The sender knows the case again from what recipients said, and sends to those
    ///   of whom it has heard;
    /// - that the steps of an agency that forgot one stand elsewhere among those of the others: a step at a forgotten one's turn comes
    ///   after it where both are known, and so after all that the author of the forgotten one had seen;
    /// - what a clock shows that runs from a forgotten delivery.
    ///
    /// A step of a store that was not restored is never excused, nor is another order of such steps or of one agency's own.
    pub(super) fn excuses(&self, difference: &Difference, owner: &str) -> bool {
        let is_opener_lost = self.has_type(&["alert.issue", "request.submit"]);
        match &difference.what {
            What::Step(id) => {
                let is_owners =
                    [&difference.one, &difference.other].into_iter().any(|step| step["sender"] == owner);
                self.has(id) || (is_opener_lost && is_owners)
            }
            What::Renamed { earlier, .. } => self.has(earlier),
            What::Effect(_) => {
                let views = (&difference.one, &difference.other);
                self.excuses_effect(views, owner, is_opener_lost)
            }
            What::Order => self.excuses_order(difference),
            What::Member(pointer) => match pointer.as_str() {
                "/case/status" | "/case/short_reference" | "/case/facet" => is_opener_lost,
                // A turn that the store has used again, or that only the other side has.
                "/warnings" | "/missing" => self.is_of_senders(difference),
                "/alert/flagged" => self.sets(pointer),
                pointer if self.delivery && CLOCK.contains(&pointer) => true,
                pointer => (is_opener_lost && is_set(pointer)) || self.sets(pointer),
            },
        }
    }

    fn has_type(&self, types: &[&str]) -> bool {
        self.steps.iter().any(|step| types.contains(&step.message_type.as_str()))
    }

    fn sets(&self, pointer: &str) -> bool {
        SETTERS.iter().any(|(types, members)| members.contains(&pointer) && self.has_type(types))
    }

    /// Whether a step that both views have did another thing in each, because of what was forgotten.
    fn excuses_effect(&self, (one, other): (&Value, &Value), owner: &str, is_opener_lost: bool) -> bool {
        let same = |step: &Value| {
            json!([step["sender"], step["turn"], step["type"], step["in_reply_to"], step["seen"]])
        };
        if same(one) != same(other) {
            return false;
        }
        // A certificate is of no family: that it could not be judged for want of the very opener that was forgotten says so itself.
        let lacks_opener = |step: &Value| step["reason"] == "opener_missing";
        if is_opener_lost && (lacks_opener(one) != lacks_opener(other)) {
            return true;
        }
        let is_request = one["type"].as_str().is_some_and(|kind| kind.starts_with("request."));
        if is_request {
            // It is judged by what its author had said and seen: with a forgotten turn, or with what stands at that turn now.
            let had = |lost: &LostStep| {
                one["sender"] == lost.sender.as_str() || one["seen"][&lost.sender].as_u64().is_some()
            };
            return is_opener_lost
                || self.steps.iter().any(had)
                || (!self.steps.is_empty() && is_overtaken(one) && is_overtaken(other));
        }
        // In an alert only the issuer's own steps overtake each other.
        let by_owner = one["sender"] == owner && self.steps.iter().any(|step| step.sender == owner);
        by_owner && is_overtaken(one) && is_overtaken(other)
    }

    /// Whether two orders are the same without the steps of the agencies that forgot something, and for each agency's steps alone.
    fn excuses_order(&self, difference: &Difference) -> bool {
        let ids = |order: &Value, is_compared: &dyn Fn(&str) -> bool| -> Vec<String> {
            let steps = order.as_array().into_iter().flatten();
            steps.filter(|step| step["sender"].as_str().is_some_and(is_compared)).map(id_of).collect()
        };
        let same = |is_compared: &dyn Fn(&str) -> bool| {
            ids(&difference.one, is_compared) == ids(&difference.other, is_compared)
        };
        let forgot = |agency: &str| self.steps.iter().any(|step| step.sender == agency);
        !self.steps.is_empty()
            && same(&|agency| !forgot(agency))
            && self.steps.iter().all(|step| same(&|agency| agency == step.sender))
    }

    /// Whether the items of both lists are about agencies that forgot something, or about messages of others that are judged by it.
    fn is_of_senders(&self, difference: &Difference) -> bool {
        let senders: BTreeSet<&str> = self.steps.iter().map(|step| step.sender.as_str()).collect();
        let mut items =
            [&difference.one, &difference.other].into_iter().filter_map(Value::as_array).flatten();
        !self.steps.is_empty()
            && items.all(|item| {
                item["code"] == "case_message_unlawful"
                    || item["agency"].as_str().is_some_and(|agency| senders.contains(agency))
            })
    }
}

/// Whether the step changed something, or nothing because of another one that came before.
fn is_overtaken(step: &Value) -> bool {
    step["effect"] == "applied" || step["reason"].as_str().is_some_and(|reason| OVERTAKEN.contains(&reason))
}

/// Whether some type of message sets this member.
fn is_set(pointer: &str) -> bool {
    SETTERS.iter().any(|(_, members)| members.contains(&pointer)) || pointer.starts_with("/request/")
}

/// Whether the recipient stored this step at another time than the sender has from its receipt.
fn is_delivered_again(step: &Value, sender: &SeenCase, recipient: &str) -> bool {
    let sent = sender.steps.iter().find(|sent| sent["sender"] == sender.agency && id_of(sent) == id_of(step));
    let receipts = sent.and_then(|sent| sent["receipts"].as_array()).into_iter().flatten();
    let mut delivered =
        receipts.filter(|receipt| receipt["recipient"] == recipient && receipt["kind"] == "delivered");
    delivered.any(|receipt| receipt["said_at"] != step["received_at"])
}
