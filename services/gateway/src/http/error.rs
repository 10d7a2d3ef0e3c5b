//! The answers of routes that refuse or fail.

use axum::http::StatusCode;
use rovuma_api::StoreProblems;
use rovuma_runtime::Problem;
use rovuma_schemas::{CaseId, Locale, Timestamp};

use super::drafts::view;
use crate::{
    cases::follow::NotFollowing, drafts, error::DbError, exchange::send::SendError, gateway::Gateway,
};

/// A refusal or a failure of a route of the gateway.
pub(crate) type ApiError = rovuma_api::ApiError<Gateway>;

impl StoreProblems for Gateway {
    fn storage_full() -> Problem {
        Problem::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full").detail(
            "The gateway's disk is full. Nothing was changed and nothing was lost; the operator has to make room.",
        )
    }

    fn storage_unavailable() -> Problem {
        Problem::unavailable("storage_unavailable")
            .detail("The gateway cannot reach its store now. Try again shortly.")
    }
}

impl From<DbError> for ApiError {
    fn from(fault: DbError) -> Self {
        let is_transient = fault.is_transient();
        Self::of_query(fault, is_transient)
    }
}

impl From<SendError> for ApiError {
    fn from(fault: SendError) -> Self {
        match fault {
            SendError::Db(fault) => fault.into(),
            SendError::NotServed { agency } => Problem::new(StatusCode::FORBIDDEN, "agency_not_served")
                .detail(format!("This gateway does not sign for {agency}."))
                .into(),
            SendError::Signer { .. } => {
                let problem = Problem::unavailable("signing_unavailable")
                    .detail("The agency's signing key does not answer now. Nothing was sent.");
                Self::because(problem, fault)
            }
        }
    }
}

/// 410 `erased`: the content of something is gone, with since when. That it existed, its digest and its proofs stay.
pub(super) fn erased(what: &str, at: Timestamp) -> Problem {
    Problem::new(StatusCode::GONE, "erased").detail(format!(
        "{what} was erased at {at}, at the end of its retention. That it existed, its digest and what proves it stay."
    ))
}

/// Turns the refusal of a request about a draft into an answer, with the draft's faults in `locale`.
pub(super) fn in_language(locale: Locale) -> impl Fn(drafts::Refusal) -> ApiError {
    move |refusal| {
        use drafts::Refusal;
        let problem = match refusal {
            Refusal::NoDraft(none) => draft_faulty(none.faults(locale), none.fault_count()),
            Refusal::Faulty(content) => {
                draft_faulty(content.checked().faults(locale), content.checked().fault_count())
            }
            Refusal::NotFound { id } => Problem::no_such(
                format_args!("draft {id}"),
                "It changed hands, or was removed, while you asked: read it again.",
            ),
            Refusal::Version { present, seen } => rovuma_api::entity_tag::changed("The draft", present, seen),
            Refusal::VersionNotNamed => return rovuma_api::entity_tag::not_named().into(),
            Refusal::NotRead { id, version } => Problem::conflict("not_read").detail(format!(
                "You have not read version {version} of this draft, which another person wrote. \
                 Read version {version} first: GET /v1/drafts/{id}. Then release it."
            )),
            Refusal::NotInState(fault) => Problem::conflict("not_allowed_in_state").detail(format!("{fault}.")),
            Refusal::TooManyDrafts { max } => Problem::conflict("too_many_drafts").detail(format!(
                "You have {max} drafts that are neither released nor discarded: release or discard some of them first."
            )),
            Refusal::OtherType { present } => Problem::conflict("other_type")
                .detail(format!("The draft is of type {present}: discard it and write another.")),
            Refusal::MayNotSend { agency, message_type } => {
                Problem::new(StatusCode::FORBIDDEN, "may_not_send").detail(format!(
                    "The trust list of {} does not say that {agency} may send {message_type}.",
                    agency.country()
                ))
            }
            Refusal::SigningKey { agency, reason } => Problem::unavailable("signing_key").detail(format!(
                "The signing key of {agency} {reason}: recipients would refuse the message."
            )),
            Refusal::AuditOverdue { since } => Problem::unavailable("audit_overdue").detail(format!(
                "The audit service has not acknowledged what happened here since {since}. Nothing is sent until it does."
            )),
            Refusal::Contradicts(faults) => {
                let total = u64::try_from(faults.len()).unwrap_or(u64::MAX);
                draft_faulty(faults, total)
            }
            // A release answers this itself, as far as its caller may see the duplicates.
            Refusal::Duplicates(_) => Problem::conflict("duplicate_live"),
            Refusal::HandlingBreach(_) => Problem::forbidden("handling_breach"),
            Refusal::OwnSourceAlone => Problem::forbidden("second_person").detail(
                "What your agency says to know from a source of its own, though another agency sent it under a handling code, a second \
                 person releases: submit it as a draft.",
            ),
            Refusal::NotFollowing(NotFollowing::Db(fault)) => return fault.into(),
            Refusal::NotFollowing(refused) => not_following(&refused),
            Refusal::Send(fault) => return fault.into(),
            Refusal::Db(fault) => return fault.into(),
            Refusal::Internal(mistake) => return ApiError::failed(mistake),
        };
        problem.into()
    }
}

/// Why a draft cannot follow in its case, and what its author can do.
fn not_following(refused: &NotFollowing) -> Problem {
    let look = |case: &CaseId| format!("GET /v1/cases/{}/{}/{} shows it", case.kind, case.owner, case.id);
    match refused {
        NotFollowing::Unknown(case) => Problem::conflict("case_unknown").detail(format!(
            "Your agency has no case {case}. GET /v1/cases lists those that it has; a message that opens this one may still be \
             on the way."
        )),
        NotFollowing::OtherStatus { case, present } => Problem::conflict("other_status").detail(format!(
            "Case {case} is {present}; what follows in it has the same status."
        )),
        NotFollowing::NotAllowed { case, state, breach } => Problem::conflict("not_allowed_in_state").detail(
            format!("Case {case} is {state}: {}. {}, with what has come since.", breach.reason(), look(case)),
        ),
        NotFollowing::NotInCase { case, pointer } => Problem::conflict("not_in_alert").detail(format!(
            "Case {case} has no such identifier as the one at {pointer}, in any version that is here: a hit says nothing that the alert \
             does not say. {}.",
            look(case)
        )),
        NotFollowing::NothingToConfirm(id) => Problem::conflict("nothing_to_confirm")
            .detail(format!("Your agency has released no message {id} in an emergency.")),
        NotFollowing::OwnRelease(id) => Problem::new(StatusCode::FORBIDDEN, "second_person").detail(format!(
            "You released message {id} yourself: another supervisor confirms it."
        )),
        // The caller answers a failure of the store before.
        NotFollowing::Db(_) => Problem::unavailable("storage_unavailable"),
    }
}

fn draft_faulty(faults: Vec<rovuma_schemas::Fault>, total: u64) -> Problem {
    let problem = Problem::unprocessable("draft_faulty", view::faults(faults));
    problem.faults_total(total).detail(format!("faults: {total}"))
}

/// Inside a transaction no draft is refused for its faults, so the language does not matter.
impl From<drafts::Refusal> for ApiError {
    fn from(refusal: drafts::Refusal) -> Self {
        in_language(Locale::default())(refusal)
    }
}
