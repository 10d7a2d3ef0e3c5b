//! The issuer's URL and those of its endpoints.

use url::{Host, Url};

/// Who signs: a URL without path, query or fragment (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).
#[derive(Clone, Debug)]
pub(crate) struct Issuer(String);

/// An issuer that cannot be one.
#[derive(Debug, thiserror::Error)]
#[error(
    "issuer {text:?}: expected https://HOST[:PORT] with nothing behind it \
     (http only on a loopback address)"
)]
pub(crate) struct BadIssuer {
    text: String,
}

impl Issuer {
    pub(crate) fn parse(text: &str) -> Result<Self, BadIssuer> {
        let fault = || BadIssuer { text: text.to_owned() };
        let url = Url::parse(text).map_err(|_| fault())?;
        // What a client compares must be what it was given: the one spelling that the origin has.
        let plain = url.origin().ascii_serialization() == text;
        let safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
        if plain && safe { Ok(Self(text.to_owned())) } else { Err(fault()) }
    }

    /// `iss`.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of a path of ours, which begins with `/`.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Whether cookies may be marked `Secure`: a browser would not send them back over http.
    pub(crate) fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }
}

/// Whether the host is a loopback address, as a number: `localhost` is a name that somebody else may
/// answer to (RFC 8252 §8.3).
pub(crate) fn is_loopback_ip(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    }
}

fn is_loopback(url: &Url) -> bool {
    is_loopback_ip(url) || url.host_str() == Some("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_an_origin_in_its_one_spelling() {
        for text in ["https://id.mz.example", "https://id.mz.example:8443", "http://127.0.0.1:9000"] {
            assert_eq!(Issuer::parse(text).expect("an issuer").as_str(), text);
        }
        for text in [
            "",
            "id.mz.example",
            "https://id.mz.example/",
            "https://id.mz.example/realm",
            "https://id.mz.example:443",
            "https://ID.mz.example",
            "https://user@id.mz.example",
            "https://id.mz.example?x",
            "https://id.mz.example#x",
            "http://id.mz.example",
        ] {
            assert!(Issuer::parse(text).is_err(), "{text:?} was taken");
        }
    }
}
