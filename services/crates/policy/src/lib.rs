//! Who may do what: Cedar policies over the roles of an agency.
//!
//! A question is always actor, action, resource, context, and the answer to what no policy permits is no.
//! The answer *yes* is a value, [`Permit`], that only [`Policy::decide`] can make: a function that takes a
//! `Permit<act::DraftRelease>` cannot be called by a route that forgot to ask.
//!
//! ```
//! use rovuma_policy::{Actor, Context, Policy, Resource, Role, act};
//! use rovuma_schemas::MessageType;
//!
//! let policy = Policy::built_in();
//! let prm = "mz.prm".parse()?;
//! let officer = Actor::person("officer-7", &prm, [Role::LiaisonOfficer]);
//! let draft = Resource::draft("draft-1", &prm, "officer-7", MessageType::AlertIssue);
//!
//! let needs_second = Context::release(true);
//! let refused = policy.decide(&officer, act::DraftRelease, &draft, &needs_second).permitted();
//! assert_eq!(refused.unwrap_err().code().as_str(), "second_person");
//! # Ok::<(), rovuma_schemas::BadId>(())
//! ```
//!
//! The policies are in `deploy/policy/` and built in as the default; [`Policy::from_folder`] loads others,
//! checked against the schema and against what no installation may permit.
//!
//! Architecture invariant: nothing here knows HTTP, tokens or stores. The caller says who acts (from a
//! checked token) and whose the resource is (from its store, never from the request).

mod action;
mod actor;
mod cedar;
mod code;
mod decision;
mod folder;
mod invariants;
mod load;
mod policy;
mod resource;
mod role;
mod scope;

pub use action::{Act, Action, act};
pub use actor::Actor;
pub use code::Code;
pub use decision::{Decision, Denial, Permit};
pub use load::LoadError;
pub use policy::Policy;
pub use resource::{Context, Resource, ResourceKind};
pub use role::{Role, UnknownRole};

#[cfg(test)]
mod tests;
