//! Decides questions by the loaded policies.

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use cedar_policy::{Authorizer, Decision as CedarDecision, Entities, PolicySet, Request, Response};

use hashlink::LruCache;
use rovuma_schemas::AgencyCode;

use crate::{
    Act, Action, Actor, Code, Context, Decision, Denial, LoadError, Permit, Resource, Role,
    cedar::Misfit,
    folder,
    load::{self, Loaded, PolicyText},
};

/// `[policy]` of a service's configuration.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyConfig {
    /// A folder of `*.cedar` files that replace the built-in policies.
    pub folder: Option<std::path::PathBuf>,
}

/// A set of access policies, checked when loaded. Clones share it.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) loaded: Arc<Loaded>,
    answers: Arc<Mutex<LruCache<Question, Option<Code>>>>,
}

/// Answers that are remembered, the least recently asked for are forgotten: some for each caller of a day. An answer follows
/// from the question alone, all of which is its key, so a remembered one is as good as a new one.
const ANSWERS_REMEMBERED: usize = 1024;

/// All that an answer depends on.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Question {
    subject: String,
    agency: AgencyCode,
    roles: BTreeSet<Role>,
    is_machine: bool,
    action: Action,
    resource: Resource,
    context: Context,
}

impl Question {
    fn new(actor: &Actor, action: Action, resource: &Resource, context: &Context) -> Self {
        Self {
            subject: actor.subject().to_owned(),
            agency: actor.agency().clone(),
            roles: actor.roles().clone(),
            is_machine: actor.is_machine(),
            action,
            resource: resource.clone(),
            context: *context,
        }
    }
}

impl Policy {
    /// The policies that come with the program (`deploy/policy/`), read once a process.
    ///
    /// # Panics
    /// Never in a build that passed its tests: they load exactly this text, and make the checks that other policies pass at every
    /// start.
    pub fn built_in() -> Self {
        static BUILT_IN: LazyLock<Policy> =
            LazyLock::new(|| match load::load(load::BUILT_IN_SCHEMA, &load::built_in_policies()) {
                Ok(loaded) => Policy::of(loaded),
                Err(fault) => panic!("the built-in policies do not load: {fault}"),
            });
        BUILT_IN.clone()
    }

    /// The policies of a folder: every `*.cedar` file in it, checked against the program's schema.
    ///
    /// # Errors
    /// [`LoadError`], naming the file, when one cannot be read or parsed, does not fit the schema, lacks its
    /// `@id`, or when the policies together permit what no installation may permit.
    pub fn from_folder(folder: &std::path::Path) -> Result<Self, LoadError> {
        Self::from_texts(load::BUILT_IN_SCHEMA, &folder::read(folder)?)
    }

    /// The policies that the configuration names.
    ///
    /// # Errors
    /// [`LoadError`], as [`Policy::from_folder`].
    pub fn configured(config: &PolicyConfig) -> Result<Self, LoadError> {
        config.folder.as_deref().map_or_else(|| Ok(Self::built_in()), Self::from_folder)
    }

    pub(crate) fn from_texts(schema: &str, texts: &[PolicyText]) -> Result<Self, LoadError> {
        let policy = Self::of(load::load(schema, texts)?);
        crate::invariants::check(&policy)?;
        Ok(policy)
    }

    pub(crate) fn of(loaded: Loaded) -> Self {
        Self { loaded: Arc::new(loaded), answers: Arc::new(Mutex::new(LruCache::new(ANSWERS_REMEMBERED))) }
    }

    /// Answers whether `actor` may do `act` on `resource` in `context`.
    ///
    /// Denies an action that no policy permits, and a question on which the policies cannot be evaluated
    /// ([`Code::PolicyFault`]).
    pub fn decide<A: Act>(
        &self,
        actor: &Actor,
        act: A,
        resource: &Resource,
        context: &Context,
    ) -> Decision<A> {
        let action = act.action();
        match self.remembered_answer(actor, action, resource, context) {
            Ok(None) => Decision::Permit(Permit::new(act, actor, resource)),
            Ok(Some(code)) => Decision::Deny(Denial::new(action, code)),
            Err(misfit) => Decision::Deny(Denial::fault(action, misfit.to_string())),
        }
    }

    fn remembered_answer(
        &self,
        actor: &Actor,
        action: Action,
        resource: &Resource,
        context: &Context,
    ) -> Result<Option<Code>, Misfit> {
        let question = Question::new(actor, action, resource, context);
        let answers = || self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = answers().get(&question) {
            return Ok(*answer);
        }
        let answer = self.answer(actor, action, resource, context)?;
        answers().insert(question, answer);
        Ok(answer)
    }

    /// `None` for a permit, the code for a denial.
    fn answer(
        &self,
        actor: &Actor,
        action: Action,
        resource: &Resource,
        context: &Context,
    ) -> Result<Option<Code>, Misfit> {
        let Loaded { schema, names, scopes, .. } = &*self.loaded;
        let scope = &scopes[&action];
        let request = names.request(actor, action, resource, context, schema)?;
        let entities = names.entities(actor, resource, &scope.action)?;
        let response = evaluate(&request, &scope.everything, &entities)?;
        if response.decision() == CedarDecision::Allow {
            return Ok(None);
        }
        // A caller without any permitting role gets `Role`, not the code of a policy that forbids something to other roles.
        if evaluate(&request, &scope.permits, &entities)?.decision() == CedarDecision::Deny {
            return Ok(Some(Code::Role));
        }
        Ok(Some(self.first_code(&response)))
    }

    /// The first code, in the order of [`Code`], of the policies that forbade.
    fn first_code(&self, response: &Response) -> Code {
        let codes = response.diagnostics().reason().filter_map(|id| self.loaded.codes.get(id));
        codes.min().copied().unwrap_or(Code::PolicyFault)
    }
}

/// Evaluates policies. Cedar ignores a policy whose evaluation fails, even a forbidding one; here any failure is a refusal.
fn evaluate(request: &Request, policies: &PolicySet, entities: &Entities) -> Result<Response, Misfit> {
    let response = Authorizer::new().is_authorized(request, policies, entities);
    let mut errors = response.diagnostics().errors();
    match errors.next() {
        Some(error) => Err(error.to_string().into()),
        None => {
            drop(errors);
            Ok(response)
        }
    }
}

#[cfg(test)]
mod tests {
    use rovuma_schemas::MessageType;

    use super::*;
    use crate::act;

    #[test]
    fn a_remembered_answer_is_for_the_same_question_only() {
        let policy = Policy::built_in();
        let prm: AgencyCode = "mz.prm".parse().expect("an agency");
        let asked = |roles: &[Role], owner: &str, machine: bool, second: bool| {
            let owner = owner.parse().expect("an agency");
            let roles = roles.iter().copied();
            let actor =
                if machine { Actor::machine("s-1", &prm, roles) } else { Actor::person("s-1", &prm, roles) };
            let draft = Resource::new_draft(&owner, "s-1", MessageType::AlertIssue);
            policy.decide(&actor, act::DraftRelease, &draft, &Context::release(second)).permitted().is_ok()
        };
        for _ in 0..2 {
            assert!(asked(&[Role::LiaisonOfficer], "mz.prm", false, false));
            assert!(!asked(&[Role::LiaisonOfficer], "mz.prm", false, true), "it needs a second person");
            assert!(!asked(&[Role::LiaisonOfficer], "mz.sernic", false, false), "another agency's");
            assert!(!asked(&[Role::Analyst], "mz.prm", false, false), "another role");
            assert!(!asked(&[], "mz.prm", false, false), "no role");
        }
    }
}
