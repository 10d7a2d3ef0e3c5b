//! The whole table, for review: a changed cell is a changed right.

use std::fmt::Write as _;

use super::questions::{answer, each_role, questions, special_actors};
use crate::{Actor, Policy};

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
