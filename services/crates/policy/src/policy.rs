//! Decides questions by the loaded policies.

use std::sync::{Arc, LazyLock};

use cedar_policy::{Authorizer, Decision as CedarDecision, Entities, PolicySet, Request, Response};

use crate::{
    Act, Action, Actor, Code, Context, Decision, Denial, LoadError, Permit, Resource,
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
                Ok(loaded) => Policy { loaded: Arc::new(loaded) },
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
        let policy = Self { loaded: Arc::new(load::load(schema, texts)?) };
        crate::invariants::check(&policy)?;
        Ok(policy)
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
        match self.answer(actor, action, resource, context) {
            Ok(None) => Decision::Permit(Permit::new(act, actor, resource)),
            Ok(Some(code)) => Decision::Deny(Denial::new(action, code)),
            Err(misfit) => Decision::Deny(Denial::fault(action, misfit.to_string())),
        }
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
