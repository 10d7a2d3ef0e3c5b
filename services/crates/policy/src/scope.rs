//! For each action, the policies that can say something about it: the others need not be asked.

use std::collections::{HashMap, HashSet};

use cedar_policy::{ActionConstraint, Effect, Entity, EntityUid, Policy as CedarPolicy, PolicySet, Schema};

use crate::{
    Action,
    cedar::{Misfit, Names},
};

/// What an action is decided by.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The schema's entity of the action, which carries its groups.
    pub(crate) action: Entity,
    /// Every policy that can permit or forbid the action.
    pub(crate) everything: PolicySet,
    /// The permitting ones alone, to tell "no role" from "forbidden".
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
        let speaking: Vec<_> =
            policies.policies().filter(|policy| can_hold(policy, &uid, &single)).cloned().collect();
        let permits = speaking.iter().filter(|policy| policy.effect() == Effect::Permit).cloned();
        let permits = PolicySet::from_policies(permits)?;
        Ok((action, Scope { action: entity, permits, everything: PolicySet::from_policies(speaking)? }))
    };
    actions.into_iter().map(scope).collect()
}

/// Whether a policy's scope can hold an action. Of a group that it names it is taken to: that is Cedar's to know.
fn can_hold(policy: &CedarPolicy, action: &EntityUid, single: &HashSet<EntityUid>) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(named) => named == *action,
        ActionConstraint::In(named) => named.iter().any(|named| named == action || !single.contains(named)),
    }
}
