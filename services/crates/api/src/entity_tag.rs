//! Versions as entity tags (RFC 9110, sections 8.8.3 and 13.1.1): `"3"`.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header, request::Parts},
};
use rovuma_runtime::Problem;

/// The version that the caller has seen, when the request names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfMatch(Option<i64>);

impl IfMatch {
    /// The version seen, which this request must name.
    ///
    /// # Errors
    /// 428 (RFC 6585, section 3) when it does not.
    pub fn required(self) -> Result<i64, Box<Problem>> {
        self.0.ok_or_else(|| not_named().into())
    }

    /// The version that the caller has seen, when the request names one.
    pub fn version(self) -> Option<i64> {
        self.0
    }

    /// Compares the present version of `what` (`The draft`) with the version that the caller has seen.
    ///
    /// # Errors
    /// 412 when they differ.
    pub fn check(self, what: &str, version: i64) -> Result<(), Box<Problem>> {
        match self.0 {
            Some(seen) if seen != version => Err(changed(what, version, seen).into()),
            _ => Ok(()),
        }
    }

    fn parse(text: &str) -> Option<i64> {
        text.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
    }
}

/// 428 (RFC 6585, section 3): the request must name the version that the caller has seen.
pub fn not_named() -> Problem {
    Problem::new(StatusCode::PRECONDITION_REQUIRED, "if_match_required")
        .detail("Name the version that you have read: If-Match: \"<version>\".")
}

/// 412: `what` is at `version`, and the caller has seen another.
pub fn changed(what: &str, version: i64, seen: i64) -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, "version")
        .detail(format!("{what} is at version {version}, not {seen}: read it again first."))
}

/// The entity tag of a version.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else { return Ok(Self(None)) };
        let version = value.to_str().ok().and_then(|text| Self::parse(text.trim()));
        version.map(|version| Self(Some(version))).ok_or_else(|| {
            Problem::bad_request("if_match").detail("If-Match takes one version in quotes, as ETag gave it.")
        })
    }
}

/// Whether the caller wants to make something new and to replace nothing: `If-None-Match: *` (RFC 9110, section 13.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnlyIfNew(pub bool);

impl<S: Sync> FromRequestParts<S> for OnlyIfNew {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match parts.headers.get(header::IF_NONE_MATCH).map(|value| value.as_bytes()) {
            None => Ok(Self(false)),
            Some(b"*") => Ok(Self(true)),
            Some(_) => Err(Problem::bad_request("if_none_match").detail("If-None-Match takes only *.")),
        }
    }
}

/// 412: `what` is there already, and the caller wants it only if it is new.
pub fn already_there(what: &str) -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, "already_there")
        .detail(format!("{what} is there already, and was not replaced."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_reads_back_and_nothing_else_does() {
        assert_eq!(IfMatch::parse(&etag(17)), Some(17));
        for text in ["17", "W/\"17\"", "\"17\", \"18\"", "*", "\"\"", "\"x\""] {
            assert_eq!(IfMatch::parse(text), None, "{text}");
        }
    }

    #[test]
    fn another_version_is_refused() {
        let draft = "The draft";
        assert!(IfMatch(Some(1)).check(draft, 1).is_ok() && IfMatch(None).check(draft, 1).is_ok());
        assert_eq!(IfMatch(Some(1)).check(draft, 2).map_err(|problem| problem.status), Err(412));
        assert_eq!(IfMatch(None).required().map_err(|problem| problem.status), Err(428));
    }
}
