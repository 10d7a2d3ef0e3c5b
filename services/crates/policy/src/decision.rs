//! The answers to questions: permit or denial.

use std::fmt;

use crate::{Act, Action, Actor, Code, Resource};

/// The answer to one question.
#[derive(Clone, Debug)]
pub enum Decision<A: Act = Action> {
    /// Yes, with the proof.
    Permit(Permit<A>),
    /// No, with the reason.
    Deny(Denial),
}

impl<A: Act> Decision<A> {
    /// The proof, or the reason as an error, for `?`.
    ///
    /// # Errors
    /// [`Denial`] when the answer is no.
    pub fn permitted(self) -> Result<Permit<A>, Denial> {
        match self {
            Self::Permit(permit) => Ok(permit),
            Self::Deny(denial) => Err(denial),
        }
    }

    /// Whether the answer is yes.
    pub fn is_permit(&self) -> bool {
        matches!(self, Self::Permit(_))
    }
}

/// Proof that the policies permitted this actor this action on this resource. Only
/// [`Policy::decide`](crate::Policy::decide) makes one.
#[derive(Clone, Debug)]
pub struct Permit<A: Act = Action> {
    act: A,
    actor: Actor,
    resource: Resource,
}

impl<A: Act> Permit<A> {
    pub(crate) fn new(act: A, actor: &Actor, resource: &Resource) -> Self {
        Self { act, actor: actor.clone(), resource: resource.clone() }
    }

    /// The permitted action.
    pub fn action(&self) -> Action {
        self.act.action()
    }

    /// The actor to whom it was permitted.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The resource on which it was permitted. A function must not act on another resource with this permit.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }
}

/// A refusal: the action and the reason. Callers make a problem and an audit event from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    action: Action,
    code: Code,
    fault: Option<String>,
}

impl Denial {
    pub(crate) fn new(action: Action, code: Code) -> Self {
        Self { action, code, fault: None }
    }

    pub(crate) fn fault(action: Action, detail: String) -> Self {
        Self { action, code: Code::PolicyFault, fault: Some(detail) }
    }

    /// The refused action.
    pub fn action(&self) -> Action {
        self.action
    }

    /// The reason.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The fault, for the log, when the code is [`Code::PolicyFault`].
    pub fn fault_detail(&self) -> Option<&str> {
        self.fault.as_deref()
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} refused: {}", self.action, self.code)
    }
}

impl std::error::Error for Denial {}
