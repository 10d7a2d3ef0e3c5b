//! `Authorization: Bearer …` (RFC 6750) without an HTTP library.

/// An `Authorization` header that carries no bearer token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// There is no header, or it has another scheme. Answer with a challenge without an error (RFC 6750 §3.1).
    #[error("no bearer token")]
    Missing,
    /// The header says `Bearer`, but what follows is not one `b64token` (RFC 6750 §2.1).
    #[error("malformed bearer token")]
    Malformed,
}

/// Extracts the token from the value of an `Authorization` header. The token is *not* checked: pass it to
/// [`TokenVerifier::check`](crate::TokenVerifier::check).
///
/// # Errors
/// [`BearerError`] when there is no bearer token or it is not shaped like one.
pub fn bearer(header: Option<&str>) -> Result<&str, BearerError> {
    let (scheme, rest) = header.and_then(|value| value.split_once(' ')).ok_or(BearerError::Missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(BearerError::Missing);
    }
    let unverified_token = rest.trim_matches(' ');
    let shaped = !unverified_token.is_empty() && unverified_token.bytes().all(is_token_byte);
    if shaped { Ok(unverified_token) } else { Err(BearerError::Malformed) }
}

/// The value of `WWW-Authenticate` for a refusal (RFC 6750 §3). `error` is `invalid_token`,
/// `invalid_request` or `insufficient_scope`; there is none when the caller sent no token.
pub fn challenge(error: Option<&'static str>) -> String {
    match error {
        Some(code) => format!("Bearer realm=\"rovuma\", error=\"{code}\""),
        None => "Bearer realm=\"rovuma\"".to_owned(),
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_compared_without_case() {
        assert_eq!(bearer(Some("Bearer a.b-c_d")), Ok("a.b-c_d"));
        assert_eq!(bearer(Some("bEARER   a.b.c")), Ok("a.b.c"));
    }

    #[test]
    fn anything_else_is_not_a_bearer_token() {
        for header in [None, Some(""), Some("Bearer"), Some("Basic YTpi"), Some("Bearera.b.c")] {
            assert_eq!(bearer(header), Err(BearerError::Missing), "{header:?}");
        }
        for header in ["Bearer ", "Bearer  ", "Bearer a b", "Bearer a,b", "Bearer a\u{e9}", "Bearer \"a\""] {
            assert_eq!(bearer(Some(header)), Err(BearerError::Malformed), "{header:?}");
        }
    }
}
