//! The whole table, for review: a changed cell is a changed right.

use std::fmt::Write as _;

use super::questions::{Question, answer, each_role, questions, special_actors};
use rovuma_schemas::{Family, MessageType};

use crate::{Action, Actor, Policy};

#[test]
fn every_role_on_every_action_and_resource() {
    insta::assert_snapshot!("roles", render(&each_role()));
}

#[test]
fn combinations_of_roles_machines_and_the_node() {
    insta::assert_snapshot!("special_actors", render(&special_actors()));
}

/// One row a question, one column an actor; a dot where no role permits.
fn render(actors: &[(String, Actor)]) -> String {
    let policy = Policy::built_in();
    let mut table = format!("{:<22}{:<44}", "", "");
    for (name, _) in actors {
        let _ = write!(table, "{name:<24}");
    }
    let mut last = "";
    for question in questions() {
        let action = question.action.as_str();
        let _ = write!(table, "\n{:<22}{:<44}", if action == last { "" } else { action }, question.case);
        for (_, actor) in actors {
            let word = answer(&policy, actor, &question);
            let _ = write!(table, "{:<24}", if word == "role" { "·" } else { word });
        }
        last = action;
    }
    table.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// `deploy/roles.md` has, between two marks, what each role may do at its own agency. `ROVUMA_REWRITE=1` writes it anew.
#[test]
fn the_page_of_roles_says_what_the_policy_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../deploy/roles.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("the first mark");
    let (_, after) = rest.split_once(END).expect("the second mark");
    let expected = format!("{before}{BEGIN}\n{}{END}{after}", page_of_roles());
    if std::env::var_os("ROVUMA_REWRITE").is_some() {
        std::fs::write(path, &expected).expect("written");
        return;
    }
    assert!(page == expected, "deploy/roles.md is out of date: ROVUMA_REWRITE=1 writes it anew");
}

/// The types that stand on the page for all others of their group, and the group's word there.
const GROUPS: [(MessageType, &str); 8] = [
    (MessageType::AlertIssue, ""),
    (MessageType::AlertWithdraw, " reserved"),
    (MessageType::RequestRefuse, " reserved about a request or leave"),
    (MessageType::RequestSubmit, " question or answer"),
    (MessageType::RequestAsk, " other about a request, information or leave"),
    (MessageType::HitNotify, " notice of a hit"),
    (MessageType::HitAskConfirmation, " other word of a hit's reporter"),
    (MessageType::HitConfirm, " word of the alert's owner about a hit"),
];

/// The type that stands for this one: what a supervisor releases, what an agency's system asks and answers, what only persons send.
fn standing_for(kind: MessageType) -> MessageType {
    use MessageType as T;
    let of_systems = [
        T::RequestSubmit,
        T::RequestAcknowledge,
        T::RequestClarify,
        T::RequestAnswerPartial,
        T::RequestAnswer,
    ];
    match kind.class().family() {
        Some(Family::Alert) | None if kind.is_reserved() => T::AlertWithdraw,
        _ if kind.is_reserved() => T::RequestRefuse,
        Some(Family::Alert) | None => T::AlertIssue,
        Some(Family::Hit) if matches!(kind, T::HitNotify | T::HitConfirm) => kind,
        Some(Family::Hit) => T::HitAskConfirmation,
        _ if of_systems.contains(&kind) => T::RequestSubmit,
        Some(_) => T::RequestAsk,
    }
}

fn stands_for_its_group(question: &Question) -> bool {
    question.resource.message_type.is_none_or(|kind| standing_for(kind) == kind)
}

/// What the page says of one type holds for all of its group.
#[test]
fn all_types_of_a_group_have_the_same_answers() {
    let (policy, questions) = (Policy::built_in(), questions());
    for question in questions.iter().filter(|question| !stands_for_its_group(question)) {
        let kind = question.resource.message_type.expect("only drafts have several types");
        let stands = standing_for(kind);
        // What only happens in requests is asked of no other type.
        if question.case.contains("a database answers")
            && !matches!(standing_for(kind), MessageType::RequestSubmit | MessageType::HitNotify)
        {
            continue;
        }
        let case = question.case.replace(kind.as_str(), stands.as_str());
        let same = |other: &&Question| other.action == question.action && other.case == case;
        let other = questions.iter().find(same).expect("the same question about the other type");
        for (role, actor) in each_role() {
            let answers = (answer(&policy, &actor, question), answer(&policy, &actor, other));
            assert_eq!(answers.0, answers.1, "{role} {}: {} and {case}", question.action, question.case);
        }
    }
}

const BEGIN: &str = "<!-- from the policy -->";
const END: &str = "<!-- end -->";

/// A row for each action that some role may do at its own agency; a column for each role that may do something.
fn page_of_roles() -> String {
    let (policy, questions) = (Policy::built_in(), questions());
    let own =
        |question: &&Question| question.case.starts_with("own ") || question.case.starts_with("other's ");
    let mut rows: Vec<(&str, Vec<String>)> = Vec::new();
    for action in Action::ALL {
        let of_action: Vec<_> = questions
            .iter()
            .filter(|question| question.action.as_str() == action.as_str())
            .filter(own)
            .filter(|question| stands_for_its_group(question))
            .collect();
        let cell = |(_, actor): &(String, Actor)| {
            let yes = of_action.iter().filter(|question| answer(&policy, actor, question) == "yes");
            let case = |question: &&Question| {
                let case = question.case.replace(" agency", "");
                GROUPS.iter().fold(case, |case, (kind, word)| case.replace(&format!(" {kind}"), word))
            };
            let cases: Vec<String> = yes.map(case).collect();
            match cases.len() {
                0 => String::new(),
                all if all == of_action.len() => "yes".to_owned(),
                _ => cases.join("; "),
            }
        };
        rows.push((action.as_str(), each_role().iter().map(cell).collect()));
    }
    let actors = each_role();
    let shown: Vec<usize> =
        (0..actors.len()).filter(|role| rows.iter().any(|(_, cells)| !cells[*role].is_empty())).collect();
    let line = |cells: Vec<&str>| {
        format!("| {} |\n", cells.join(" | ")).replace("|  |", "| |").replace("|  |", "| |")
    };
    let heads = ["may"].into_iter().chain(shown.iter().map(|role| actors[*role].0.as_str()));
    let mut table = line(heads.collect());
    table += &format!("|{}\n", "---|".repeat(shown.len() + 1));
    for (action, cells) in rows.iter().filter(|(_, cells)| cells.iter().any(|cell| !cell.is_empty())) {
        let action = format!("`{action}`");
        table += &line(
            [action.as_str()].into_iter().chain(shown.iter().map(|role| cells[*role].as_str())).collect(),
        );
    }
    table
}
