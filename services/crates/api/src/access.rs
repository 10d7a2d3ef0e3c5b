//! Asking the access policy. A refusal is first an audit event, then a problem.

use std::fmt::Display;

use rovuma_policy::{Act, Context, Permit, Resource, ResourceKind};
use rovuma_runtime::Problem;
use rovuma_schemas::audit::AuditObject;

use crate::{caller::Caller, error::ApiError, refusal::record_refusal, state::ApiState};

/// Questions to the access policy, for every service's state.
pub trait Access: ApiState {
    /// The proof that `caller` may do `act` on `resource`.
    ///
    /// # Errors
    /// 403 with the policy's code, and an audit event. What belongs to another agency is 404, as if it did not
    /// exist, and an audit event all the same.
    fn permit<A: Act + Send>(
        &self,
        caller: &Caller,
        act: A,
        resource: &Resource,
        context: &Context,
    ) -> impl Future<Output = Result<Permit<A>, ApiError<Self>>> + Send {
        self.permit_about(caller, act, resource, context, resource)
    }

    /// Like [`permit`](Self::permit), for an act on the agency that `found` belongs to: who may see a list may see one of it. The
    /// 404 names `found`, and not its agency, which the caller must not learn.
    ///
    /// # Errors
    /// As [`permit`](Self::permit).
    fn permit_to_see<A: Act + Send>(
        &self,
        caller: &Caller,
        act: A,
        found: &Resource,
    ) -> impl Future<Output = Result<Permit<A>, ApiError<Self>>> + Send {
        async move {
            self.permit_about(caller, act, &Resource::agency(found.owner()), &Context::NONE, found).await
        }
    }

    /// The proof that `caller` may do `act` on `resource`, for a request about `named`.
    ///
    /// # Errors
    /// As [`permit`](Self::permit); a 404 names `named`.
    fn permit_about<A: Act + Send>(
        &self,
        caller: &Caller,
        act: A,
        resource: &Resource,
        context: &Context,
        named: &Resource,
    ) -> impl Future<Output = Result<Permit<A>, ApiError<Self>>> + Send {
        // The policy is asked before the future is made: what it answers is the same, and the future is smaller.
        let decision = self.policy().decide(caller.actor(), act, resource, context).permitted();
        async move {
            let denial = match decision {
                Ok(permit) => return Ok(permit),
                Err(denial) => denial,
            };
            if let Some(fault) = denial.fault_detail() {
                tracing::error!(action = %denial.action(), fault, "the policies could not answer");
            }
            // Every agency has an audit log: that another's exists is no secret.
            let is_hidden = resource.owner() != caller.agency() && resource.kind() != ResourceKind::AuditLog;
            let reason = if is_hidden { "other_agency" } else { denial.code().as_str() };
            let object = AuditObject::new(kind_word(resource.kind()), resource.id());
            record_refusal(self, caller.actor(), denial.action().as_str(), object, reason).await?;
            Err(if is_hidden {
                self.no_such(&kind_word(named.kind()), named.id())
            } else {
                Problem::forbidden(denial.code().as_str()).detail(denial.code().sentence())
            }
            .into())
        }
    }

    /// Like [`permit`](Self::permit), about the caller's own agency as the owner of its lists.
    ///
    /// # Errors
    /// 403 with the policy's code, and an audit event.
    fn permit_own<A: Act + Send>(
        &self,
        caller: &Caller,
        act: A,
    ) -> impl Future<Output = Result<Permit<A>, ApiError<Self>>> + Send {
        async move { self.permit(caller, act, &Resource::agency(caller.agency()), &Context::NONE).await }
    }

    /// 404 for something that the caller's agency does not have, and an audit event. When another agency of this service
    /// has it, that is an attempt to cross, and the event says so. What nobody has is recorded as well: if it were not, the
    /// time that recording takes would tell the caller which of the two it is.
    fn missing(
        &self,
        caller: &Caller,
        action: impl Display + Send,
        object: AuditObject,
        is_anothers: bool,
    ) -> impl Future<Output = ApiError<Self>> + Send {
        async move {
            let (asked, reason) =
                (action.to_string(), if is_anothers { "other_agency" } else { "not_found" });
            let problem = self.no_such(&object.kind, &object.id);
            match record_refusal(self, caller.actor(), &asked, object, reason).await {
                Ok(()) => problem.into(),
                Err(fault) => fault,
            }
        }
    }

    /// 404 for a resource of this kind that the caller's agency does not have. It reads the same when another agency has it.
    fn no_such(&self, kind: &str, id: &str) -> Problem {
        Problem::no_such(format_args!("{} {id}", kind.replace('_', " ")), self.where_listed(kind))
    }

    /// Refuses `caller` the action `asked` on `resource` for a reason that is not the policy's.
    ///
    /// # Errors
    /// Always: 403 with `reason` and `sentence`, and an audit event.
    fn refuse<T>(
        &self,
        caller: &Caller,
        asked: &'static str,
        resource: &Resource,
        reason: &'static str,
        sentence: &'static str,
    ) -> impl Future<Output = Result<T, ApiError<Self>>> + Send {
        let object = AuditObject::new(kind_word(resource.kind()), resource.id());
        async move {
            record_refusal(self, caller.actor(), asked, object, reason).await?;
            Err(Problem::forbidden(reason).detail(sentence).into())
        }
    }
}

impl<S: ApiState> Access for S {}

/// The kind of a resource in the audit log: `AuditLog` is `audit_log`.
fn kind_word(kind: ResourceKind) -> String {
    let mut word = String::new();
    for letter in kind.as_str().chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_words_in_the_audit_log() {
        let words: Vec<_> = ResourceKind::ALL.into_iter().map(kind_word).collect();
        assert!(words.contains(&"agency".to_owned()) && words.contains(&"audit_log".to_owned()), "{words:?}");
    }
}
