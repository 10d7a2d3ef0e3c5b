//! Parameters of OAuth 2.0, in a query or a form.

use zeroize::Zeroizing;

/// Maximum length of a value. The longest are `state` and `redirect_uri`, into which some clients put
/// much.
const VALUE_MAX_BYTES: usize = 4096;

/// Parameters, each sent once. A value may be a password, so memory is wiped when it is freed.
pub(crate) struct Params(Vec<(String, Zeroizing<String>)>);

/// Why parameters are refused (RFC 6749 §3.1: none may be sent twice).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadParams {
    #[error("a parameter was sent twice")]
    Twice,
    #[error("a parameter is too long")]
    Long,
}

impl Params {
    pub(crate) fn parse(encoded: &str) -> Result<Self, BadParams> {
        let mut params: Vec<(String, Zeroizing<String>)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(encoded.as_bytes()) {
            if params.iter().any(|(known, _)| *known == name) {
                return Err(BadParams::Twice);
            }
            if value.len() > VALUE_MAX_BYTES {
                return Err(BadParams::Long);
            }
            params.push((name.into_owned(), Zeroizing::new(value.into_owned())));
        }
        Ok(Self(params))
    }

    /// The value; `None` when it was not sent or is empty, which means the same (RFC 6749 §3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    }

    /// The value of a password field, empty when it was not sent.
    pub(crate) fn secret(&self, name: &str) -> Zeroizing<String> {
        Zeroizing::new(self.get(name).unwrap_or_default().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_and_empty_ones_count_as_not_sent() {
        let params = Params::parse("a=1+2%26&b=&c").expect("good");
        assert_eq!(params.get("a"), Some("1 2&"));
        assert_eq!((params.get("b"), params.get("c"), params.get("d")), (None, None, None));
    }

    #[test]
    fn parameters_sent_twice_or_too_long_are_refused() {
        assert_eq!(Params::parse("a=1&b=2&a=1").err(), Some(BadParams::Twice));
        assert_eq!(Params::parse("a=&%61=").err(), Some(BadParams::Twice));
        assert_eq!(Params::parse(&format!("a={}", "x".repeat(4097))).err(), Some(BadParams::Long));
    }
}
