//! The issuer's URL and the URLs of its endpoints.

use url::{Host, Url};

/// The issuer of tokens: a URL without path, query or fragment (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).
#[derive(Clone, Debug)]
pub(crate) struct Issuer(String);

/// A text that is no issuer URL.
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
        // Clients compare the issuer as text (RFC 9207 §2.4), so only the origin's normal spelling is accepted.
        let is_normal = url.origin().ascii_serialization() == text;
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
        if is_normal && is_safe { Ok(Self(text.to_owned())) } else { Err(fault()) }
    }

    /// The text, as in the claim `iss`.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of this service's `path`, which begins with `/`.
    pub(crate) fn url_of(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Whether cookies may be marked `Secure`: over http the browser would not send them back.
    pub(crate) fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }
}

/// Whether the host is a loopback address in numbers: the name `localhost` may resolve to another machine
/// (RFC 8252 §8.3).
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
    fn an_issuer_is_an_origin_in_its_normal_spelling() {
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
            assert!(Issuer::parse(text).is_err(), "{text:?} was accepted");
        }
    }
}
