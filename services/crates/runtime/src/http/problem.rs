//! Problem details for HTTP APIs (RFC 9457), with a stable code and every fault at its JSON pointer.

use std::{borrow::Cow, fmt::Display};

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

/// The media type of a problem (RFC 9457, 3).
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// Maximum characters of a caller's own words in a 404: the name of any resource of ours is shorter.
const NAMED_MAX_CHARS: usize = 128;

/// One fault of a request's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProblemFault {
    /// The JSON pointer (RFC 6901) into the request's body.
    pub pointer: String,
    /// The stable code for programs.
    pub code: String,
    /// A sentence in the caller's language.
    pub message: String,
}

/// What is live already about the same persons or things as a draft: the cases that officers act on, and open drafts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProblemDuplicates {
    /// Those that the caller may see.
    pub found: Vec<ProblemDuplicate>,
    /// The number of those that the caller may not see.
    pub hidden: u64,
    /// Whether there are more than were looked up.
    pub are_more: bool,
}

/// A case or a draft about the same person or thing as a draft. It has no narrative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProblemDuplicate {
    /// The name of the case: `alert/mz.prm/0199…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// The short reference of the case, for paper and telephone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_reference: Option<String>,
    /// The id of the draft, if it is no case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<String>,
    /// The agency that opened the case, or writes the draft.
    pub owner: String,
    /// The state of the case or the draft.
    pub state: String,
    /// Since when it is here (RFC 3339, UTC).
    pub since: String,
    /// What is the same.
    pub same: Vec<SameSubject>,
}

/// A subject that a draft and its duplicate are both about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SameSubject {
    /// What is the same: `document`, `plate`, `vin`, `chassis_number`, `engine_number`, `firearm_serial`, `object_serial` or
    /// `name_and_birth`.
    pub kind: String,
    /// The key of the subject in the duplicate, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The JSON pointer (RFC 6901) of the subject in the draft that was checked.
    pub pointer: String,
}

/// A refusal that a program can act on and a person can read. It never carries internals: details of a failure go to the
/// log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// `urn:rovuma:problem:<code>`: names the kind of problem. There is nothing to fetch.
    #[serde(rename = "type")]
    pub kind: String,
    /// The standard phrase of the status.
    pub title: String,
    /// The HTTP status, repeated.
    pub status: u16,
    /// The stable code for programs: `not_found`, `draft_faulty`.
    pub code: String,
    /// What happened, to what, and what to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The faults of the request's body, at most 200 of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<ProblemFault>,
    /// The number of all faults of the request's body, where the body is a draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults_total: Option<u64>,
    /// What is live already about the same persons or things, where that is the refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<ProblemDuplicates>,
    /// The resource or request this is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

impl Problem {
    /// A problem with this status and code.
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>) -> Self {
        let code = code.into();
        Self {
            kind: format!("urn:rovuma:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Problem").to_owned(),
            status: status.as_u16(),
            code: code.into_owned(),
            detail: None,
            faults: Vec::new(),
            faults_total: None,
            duplicates: None,
            instance: None,
        }
    }

    /// Adds what happened and what to do next.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds the faults of the body.
    #[must_use]
    pub fn faults(mut self, faults: impl IntoIterator<Item = ProblemFault>) -> Self {
        self.faults.extend(faults);
        self
    }

    /// Adds the number of all faults of the body, also of those that are not listed.
    #[must_use]
    pub fn faults_total(mut self, total: u64) -> Self {
        self.faults_total = Some(total);
        self
    }

    /// Adds what is live already about the same persons or things.
    #[must_use]
    pub fn duplicates(mut self, duplicates: ProblemDuplicates) -> Self {
        self.duplicates = Some(duplicates);
        self
    }

    /// Adds the resource this is about.
    #[must_use]
    pub fn instance(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// 500 for a failure that was logged; the answer gives no detail of it.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal")
            .detail("The service could not do this. It has been logged; try again later.")
    }

    /// 404.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found")
    }

    /// 404 that names what was asked for (`draft 0199…`), as the caller gave it, and says what to do next.
    pub fn no_such(what: impl Display, next: &str) -> Self {
        let what: String = what.to_string().chars().take(NAMED_MAX_CHARS).collect();
        Self::not_found().detail(format!("There is no {what} that you may see. {next}"))
    }

    /// 401 for a token that holds in everything but its time, so that a program can tell that a new one will do.
    pub fn token_expired() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "token_expired")
            .detail("The access token has expired. Log in again, or renew it.")
    }

    /// 401 for a missing or invalid token. It does not say which (RFC 6750, 3).
    pub fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated")
            .detail("A valid access token is needed. Log in again.")
    }

    /// 403 with the policy's code.
    pub fn forbidden(code: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code)
    }

    /// 400 with a code.
    pub fn bad_request(code: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code)
    }

    /// 409 with a code.
    pub fn conflict(code: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, code)
    }

    /// 422 with every fault of the body.
    pub fn unprocessable(
        code: impl Into<Cow<'static, str>>,
        faults: impl IntoIterator<Item = ProblemFault>,
    ) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code).faults(faults)
    }

    /// 503 for a request that may succeed later.
    pub fn unavailable(code: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_its_code_and_every_fault() {
        let fault = ProblemFault {
            pointer: "/body/subjects/0/plate".into(),
            code: "missing".into(),
            message: "The plate is missing.".into(),
        };
        let problem = Problem::unprocessable("draft_faulty", [fault]).detail("One field is missing.");
        let json = serde_json::to_value(&problem).expect("serialises");
        assert_eq!(json["type"], "urn:rovuma:problem:draft_faulty");
        assert_eq!(json["status"], 422);
        assert_eq!(json["faults"][0]["pointer"], "/body/subjects/0/plate");
        let response = problem.into_response();
        assert_eq!(response.headers()[header::CONTENT_TYPE], PROBLEM_JSON);
    }

    #[test]
    fn what_is_not_there_is_named_in_few_words() {
        let detail = |what: &str| Problem::no_such(what, "Look elsewhere.").detail.unwrap_or_default();
        assert_eq!(detail("draft 7"), "There is no draft 7 that you may see. Look elsewhere.");
        assert!(detail(&"x".repeat(10_000)).len() < 200);
    }

    #[test]
    fn an_unauthenticated_answer_names_the_scheme() {
        let response = Problem::unauthenticated().into_response();
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
    }
}
