//! Selects for each action the policies that can apply to it, so that the others are not evaluated.

use std::collections::{HashMap, HashSet};

use cedar_policy::{ActionConstraint, Effect, Entity, EntityUid, Policy as CedarPolicy, PolicySet, Schema};

use crate::{
    Action,
    cedar::{Misfit, Names},
};

/// The policies that decide about one action.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The schema's entity of the action, which carries its groups.
    pub(crate) action: Entity,
    /// Every policy that can permit or forbid the action.
    pub(crate) everything: PolicySet,
    /// The permitting policies alone, to distinguish "no role" from "forbidden".
    pub(crate) permits: PolicySet,
}

/// The scope of every action among `policies`.
pub(crate) fn each(
    names: &Names,
    schema: &Schema,
    policies: &PolicySet,
) -> Result<HashMap<Action, Scope>, Misfit> {
    let actions = names.actions(schema)?;
    let single: HashSet<EntityUid> = actions.values().map(Entity::uid).collect();
    let scope = |(action, entity): (Action, Entity)| {
        let uid = entity.uid();
        let applicable: Vec<_> =
            policies.policies().filter(|policy| can_apply(policy, &uid, &single)).cloned().collect();
        let permits = applicable.iter().filter(|policy| policy.effect() == Effect::Permit).cloned();
        let permits = PolicySet::from_policies(permits)?;
        Ok((action, Scope { action: entity, permits, everything: PolicySet::from_policies(applicable)? }))
    };
    actions.into_iter().map(scope).collect()
}

/// Whether a policy can apply to an action. A policy that names a group of actions counts as one that can: Cedar decides whether
/// the action belongs to the group.
fn can_apply(policy: &CedarPolicy, action: &EntityUid, single: &HashSet<EntityUid>) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(named) => named == *action,
        ActionConstraint::In(named) => named.iter().any(|named| named == action || !single.contains(named)),
    }
}
