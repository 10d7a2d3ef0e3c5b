//! Versions of a draft as entity tags (RFC 9110, sections 8.8.3 and 13.1.1): `"3"`.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header, request::Parts},
};
use rovuma_runtime::Problem;

use super::error::ApiError;

/// The version that the caller has seen, when the request names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IfMatch(Option<i64>);

impl IfMatch {
    /// The version seen, which this request must name.
    ///
    /// # Errors
    /// 428 (RFC 6585, section 3) when it does not.
    pub(crate) fn required(self) -> Result<i64, ApiError> {
        self.0.ok_or_else(|| {
            Problem::new(StatusCode::PRECONDITION_REQUIRED, "if_match_required")
                .detail("Name the version that you have read: If-Match: \"<version>\".")
                .into()
        })
    }

    /// Whether what stands there is what the caller has seen.
    ///
    /// # Errors
    /// 412 when the draft has changed since.
    pub(crate) fn check(self, version: i64) -> Result<(), ApiError> {
        match self.0 {
            Some(seen) if seen != version => Err(changed(version, seen)),
            _ => Ok(()),
        }
    }

    fn parse(text: &str) -> Option<i64> {
        text.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
    }
}

/// The draft is at `version`, and not at the one that was seen.
pub(crate) fn changed(version: i64, seen: i64) -> ApiError {
    Problem::new(StatusCode::PRECONDITION_FAILED, "version")
        .detail(format!("The draft is at version {version}, not {seen}: read it again first."))
        .into()
}

/// The entity tag of a version.
pub(crate) fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else { return Ok(Self(None)) };
        let version = value.to_str().ok().and_then(|text| Self::parse(text.trim()));
        version.map(|version| Self(Some(version))).ok_or_else(|| {
            let problem = Problem::bad_request("if_match");
            problem.detail("If-Match takes one version in quotes, as ETag gave it.").into()
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    fn status(fault: ApiError) -> u16 {
        fault.into_response().status().as_u16()
    }

    #[test]
    fn a_version_reads_back_and_nothing_else_does() {
        assert_eq!(IfMatch::parse(&etag(17)), Some(17));
        for text in ["17", "W/\"17\"", "\"17\", \"18\"", "*", "\"\"", "\"x\""] {
            assert_eq!(IfMatch::parse(text), None, "{text}");
        }
    }

    #[test]
    fn another_version_is_refused() {
        assert!(IfMatch(Some(1)).check(1).is_ok() && IfMatch(None).check(1).is_ok());
        assert_eq!(IfMatch(Some(1)).check(2).map_err(status), Err(412));
        assert_eq!(IfMatch(None).required().map_err(status), Err(428));
    }
}
