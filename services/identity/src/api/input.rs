//! Reading what administrators send, and telling every fault at once.

use std::{collections::BTreeSet, fmt::Display};

use axum::http::StatusCode;
use rovuma_policy::Role;
use rovuma_runtime::{Problem, ProblemFault};

use super::error::ApiError;

/// A name is shown on every page: longer than this is not one.
const NAME_MAX_CHARS: usize = 100;

/// The faults found so far in a body.
#[derive(Default)]
pub(super) struct Faults(Vec<ProblemFault>);

/// Whose roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Person,
    Machine,
}

impl Faults {
    /// Notes a fault at a JSON pointer.
    pub(super) fn add(&mut self, pointer: impl Into<String>, code: &str, message: impl Display) {
        let message = message.to_string();
        self.0.push(ProblemFault { pointer: pointer.into(), code: code.to_owned(), message });
    }

    /// The value, or a note of why there is none.
    pub(super) fn take<T, E: Display>(
        &mut self,
        pointer: &str,
        code: &str,
        parsed: Result<T, E>,
    ) -> Option<T> {
        parsed.map_err(|fault| self.add(pointer, code, fault)).ok()
    }

    /// A name to show.
    pub(super) fn name(&mut self, text: &str) -> Option<String> {
        let name = text.trim();
        let fits = (1..=NAME_MAX_CHARS).contains(&name.chars().count());
        if fits && !name.chars().any(char::is_control) {
            return Some(name.to_owned());
        }
        self.add("/name", "name", format!("A name is 1 to {NAME_MAX_CHARS} characters on one line."));
        None
    }

    /// Roles that this kind of account may hold.
    pub(super) fn roles(&mut self, words: &[String], holder: Holder) -> BTreeSet<Role> {
        let mut roles = BTreeSet::new();
        for (place, word) in words.iter().enumerate() {
            match word.parse::<Role>() {
                Ok(role) if role.is_for_machines() == (holder == Holder::Machine) => {
                    roles.insert(role);
                }
                Ok(role) => self.add(
                    format!("/roles/{place}"),
                    "role_kind",
                    format!("{role}: persons and machines have roles of their own."),
                ),
                Err(fault) => self.add(format!("/roles/{place}"), "role", fault),
            }
        }
        if let Some(role) = Role::misplaced(&roles) {
            let sentence = format!("{role} stands alone: give the other roles to another account.");
            self.add("/roles", "role_alone", sentence);
        }
        roles
    }

    /// Nothing, if nothing was found.
    ///
    /// # Errors
    /// 422 with every fault.
    pub(super) fn none(self) -> Result<(), ApiError> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::unprocessable("body_faulty", self.0).into()) }
    }
}

/// A value that a body without faults has.
///
/// # Errors
/// 422, if it has none after all.
pub(super) fn have<T>(value: Option<T>) -> Result<T, ApiError> {
    value.ok_or_else(|| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "body_faulty").into())
}
