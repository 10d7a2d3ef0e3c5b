//! Access policies: Cedar policies over the roles that persons and machines hold in an agency.
//!
//! Each question names actor, action, resource and context. An action that no policy permits is denied. The answer *yes* is a
//! value, [`Permit`], that only [`Policy::decide`] can make: a route that forgot to ask cannot call a function that takes a
//! `Permit<act::DraftRelease>`.
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
//! Architecture invariant: nothing here depends on HTTP, tokens or stores. The caller names the actor (from a checked token)
//! and the resource's owner (from its store, never from the request).

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
pub use policy::{Policy, PolicyConfig};
pub use resource::{Context, Resource, ResourceKind};
pub use role::{Role, UnknownRole};

#[cfg(test)]
mod tests;
