//! Every policy has an effect: without it answers change, in the direction of the policy.

use cedar_policy::{Effect, PolicyId, PolicySet};

use super::questions::{Question, answer, each_role, questions, special_actors};
use crate::{Actor, Policy, load, scope};

#[test]
fn without_any_one_policy_the_answers_change() {
    let complete = Policy::built_in();
    let answers = answered(&complete);
    let mut report = Vec::new();
    for (id, effect) in policies(&complete) {
        let (was, becomes) = match effect {
            Effect::Permit => ("yes", "role"),
            Effect::Forbid => (complete.loaded.codes[&id].as_str(), "yes"),
        };
        let lacking = without(&id);
        let changed: Vec<_> = answers
            .iter()
            .filter(|cell| cell.answer == was && answer(&lacking, &cell.actor, &cell.question) == becomes)
            .collect();
        let first =
            changed.first().unwrap_or_else(|| panic!("without {id} nothing goes from {was} to {becomes}"));
        let Cell { name, question, .. } = first;
        let shown = format!("{name} {} ({})", question.action, question.case);
        report.push(format!("{id}: {} answers from {was} to {becomes}, first {shown}", changed.len()));
    }
    insta::assert_snapshot!("removal", report.join("\n"));
}

struct Cell {
    name: String,
    actor: Actor,
    question: Question,
    answer: &'static str,
}

/// Every question with its answer.
fn answered(policy: &Policy) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (name, actor) in each_role().into_iter().chain(special_actors()) {
        for question in questions() {
            let answer = answer(policy, &actor, &question);
            cells.push(Cell { name: name.clone(), actor: actor.clone(), question, answer });
        }
    }
    cells
}

fn policies(policy: &Policy) -> Vec<(PolicyId, Effect)> {
    let mut found: Vec<_> =
        policy.loaded.everything.policies().map(|policy| (policy.id().clone(), policy.effect())).collect();
    found.sort_by_key(|(id, _)| id.to_string());
    found
}

/// The built-in policies without one, past the checks that would refuse such a set.
fn without(id: &PolicyId) -> Policy {
    let mut loaded = load::load(load::BUILT_IN_SCHEMA, &load::built_in_policies()).expect("they load");
    let others = loaded.everything.policies().filter(|policy| policy.id() != id).cloned();
    loaded.everything = PolicySet::from_policies(others).expect("still a set");
    loaded.scopes = scope::each(&loaded.names, &loaded.schema, &loaded.everything).expect("still fitting");
    Policy::of(loaded)
}
