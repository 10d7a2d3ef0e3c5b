//! Converts actors, resources and contexts to Cedar's entities, requests and contexts.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Context as CedarContext, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request,
    RestrictedExpression, Schema,
};
use rovuma_schemas::{AgencyCode, Family};

use crate::{Action, Actor, Context, Resource, ResourceKind};

type Attributes = HashMap<String, RestrictedExpression>;

/// The error of a question that does not match the schema, as Cedar reports it.
pub(crate) type Misfit = Box<dyn std::error::Error>;

/// The entity types, parsed once.
#[derive(Debug)]
pub(crate) struct Names {
    actor: EntityTypeName,
    role: EntityTypeName,
    action: EntityTypeName,
    kinds: HashMap<ResourceKind, EntityTypeName>,
}

impl Names {
    pub(crate) fn new() -> Result<Self, Misfit> {
        let kinds = ResourceKind::ALL.into_iter().map(|kind| Ok((kind, kind.as_str().parse()?)));
        Ok(Self {
            actor: "Actor".parse()?,
            role: "Role".parse()?,
            action: "Action".parse()?,
            kinds: kinds.collect::<Result<_, Misfit>>()?,
        })
    }

    fn action(&self, action: Action) -> EntityUid {
        uid(&self.action, action.as_str())
    }

    fn role(&self, word: &str) -> EntityUid {
        uid(&self.role, word)
    }

    /// The request, checked against the schema.
    pub(crate) fn request(
        &self,
        actor: &Actor,
        action: Action,
        resource: &Resource,
        context: &Context,
        schema: &Schema,
    ) -> Result<Request, Misfit> {
        let principal = self.principal(actor.subject());
        let request = Request::new(
            principal,
            self.action(action),
            self.resource(resource)?,
            pairs(context)?,
            Some(schema),
        );
        Ok(request?)
    }

    /// The actor, the resource and the action, with their attributes and groups. They match the schema by construction; a test
    /// checks that, so that it need not be checked on every question.
    pub(crate) fn entities(
        &self,
        actor: &Actor,
        resource: &Resource,
        action: &Entity,
    ) -> Result<Entities, Misfit> {
        let entities = [self.actor_entity(actor)?, self.resource_entity(resource)?, action.clone()];
        Ok(Entities::from_entities(entities, None)?)
    }

    /// The schema's entity of each action, which carries its groups.
    pub(crate) fn actions(&self, schema: &Schema) -> Result<HashMap<Action, Entity>, Misfit> {
        let known = schema.action_entities()?;
        let entity = |action: Action| {
            let entity = known.get(&self.action(action)).cloned();
            Ok((action, entity.ok_or_else(|| format!("it does not have the action {action}"))?))
        };
        Action::ALL.iter().copied().map(entity).collect()
    }

    fn principal(&self, subject: &str) -> EntityUid {
        uid(&self.actor, subject)
    }

    fn resource(&self, resource: &Resource) -> Result<EntityUid, Misfit> {
        let name = self.kinds.get(&resource.kind).ok_or("a resource kind without an entity type")?;
        Ok(uid(name, &resource.id))
    }

    fn actor_entity(&self, actor: &Actor) -> Result<Entity, Misfit> {
        let mut attributes = owned_by(actor.agency());
        attributes.insert("node".into(), RestrictedExpression::new_bool(actor.agency().is_node()));
        attributes.insert("machine".into(), RestrictedExpression::new_bool(actor.is_machine()));
        let roles: HashSet<_> = actor.roles().iter().map(|role| self.role(role.as_str())).collect();
        Ok(Entity::new(self.principal(actor.subject()), attributes, roles)?)
    }

    fn resource_entity(&self, resource: &Resource) -> Result<Entity, Misfit> {
        let mut attributes = owned_by(&resource.agency);
        if let Some(author) = &resource.author {
            attributes.insert("author".into(), self.reference(author));
        }
        if let Some(message_type) = resource.message_type {
            let text = |word: &str| RestrictedExpression::new_string(word.to_owned());
            let family = message_type.class().family().map_or("any", Family::as_str);
            let reserved = RestrictedExpression::new_bool(message_type.is_reserved());
            attributes.insert("reserved".into(), reserved);
            let is_weighed = message_type.class().family().is_some_and(Family::is_weighed);
            attributes.insert("weighed".into(), RestrictedExpression::new_bool(is_weighed));
            attributes.insert("family".into(), text(family));
            attributes.insert("type".into(), text(message_type.as_str()));
        }
        if resource.kind == ResourceKind::Account {
            attributes.insert("holder".into(), self.reference(&resource.id));
        }
        Ok(Entity::new(self.resource(resource)?, attributes, HashSet::new())?)
    }

    fn reference(&self, subject: &str) -> RestrictedExpression {
        RestrictedExpression::new_entity_uid(self.principal(subject))
    }
}

fn uid(name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}

fn owned_by(agency: &AgencyCode) -> Attributes {
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    HashMap::from([
        ("agency".to_owned(), text(agency.as_str())),
        ("country".to_owned(), text(agency.country().as_str())),
    ])
}

fn pairs(context: &Context) -> Result<CedarContext, Misfit> {
    let known = [
        ("second_person_required", context.second_person_required),
        ("emergency", context.emergency),
        ("cannot_wait", context.cannot_wait),
        ("direct", context.direct),
        ("reason_stated", context.reason_stated),
    ];
    let pairs = known.into_iter().filter_map(|(name, value)| {
        value.map(|value| (name.to_owned(), RestrictedExpression::new_bool(value)))
    });
    Ok(CedarContext::from_pairs(pairs)?)
}
