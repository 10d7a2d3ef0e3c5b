//! The applications: programs through which people log in.

use std::{collections::HashMap, sync::Arc};

use rovuma_envelope::digest;
use rovuma_runtime::SecretError;
use rovuma_schemas::Digest;
use url::Url;

use crate::{config::ApplicationConfig, issuer::is_loopback_ip};

/// Minimum length of an application's secret. The person who installs the application chooses it, and it
/// must be as long as one that this service draws.
const SECRET_MIN_CHARS: usize = 32;

/// The applications of the configuration, by `client_id`.
#[derive(Debug, Default)]
pub(crate) struct Applications(HashMap<String, Arc<Application>>);

/// An OAuth client that logs people in.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) id: String,
    pub(crate) name: String,
    redirect_uris: Vec<RedirectUri>,
    /// SHA-256 of the secret, if there is one.
    pub(crate) secret: Option<Digest>,
}

/// A registered redirect URI.
#[derive(Debug)]
enum RedirectUri {
    Exact(String),
    /// An address of the person's own machine, where a program listens on any free port.
    Loopback(Url),
}

/// Why an application's configuration is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplicationFault {
    #[error("application {id:?}: client_id must be 1 to 32 lower-case letters, digits and hyphens")]
    Id { id: String },
    #[error("application {id} is configured twice")]
    Twice { id: String },
    #[error(
        "application {id}: redirect URI {uri:?} must be https, or http on 127.0.0.1 or [::1]; no fragment"
    )]
    Redirect { id: String, uri: String },
    #[error("application {id} has no redirect URI")]
    NoRedirect { id: String },
    #[error("application {id}: {source}")]
    Secret { id: String, source: SecretError },
    #[error("application {id}: the secret must have at least {SECRET_MIN_CHARS} characters")]
    ShortSecret { id: String },
}

impl Applications {
    pub(crate) fn load(configs: &[ApplicationConfig]) -> Result<Self, ApplicationFault> {
        let mut known = HashMap::new();
        for config in configs {
            let application = Arc::new(Application::load(config)?);
            if let Some(other) = known.insert(application.id.clone(), application) {
                return Err(ApplicationFault::Twice { id: other.id.clone() });
            }
        }
        Ok(Self(known))
    }

    pub(crate) fn get(&self, unverified_id: &str) -> Option<&Arc<Application>> {
        self.0.get(unverified_id)
    }
}

impl Application {
    fn load(config: &ApplicationConfig) -> Result<Self, ApplicationFault> {
        let id = config.client_id.clone();
        // No dot: a machine client's id has one, so an id names either an application or a machine.
        let letters = id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !letters || !(1..=32).contains(&id.len()) {
            return Err(ApplicationFault::Id { id });
        }
        if config.redirect_uris.is_empty() {
            return Err(ApplicationFault::NoRedirect { id });
        }
        let redirect_uris = config.redirect_uris.iter().map(|uri| {
            RedirectUri::parse(uri)
                .ok_or_else(|| ApplicationFault::Redirect { id: id.clone(), uri: uri.clone() })
        });
        let redirect_uris = redirect_uris.collect::<Result<_, _>>()?;
        Ok(Self { redirect_uris, secret: load_secret(config)?, name: config.name.clone(), id })
    }

    /// Whether a browser may be redirected to this URI: only if it is exactly a registered one (RFC 9700 §2.1).
    pub(crate) fn may_redirect_to(&self, unverified_uri: &str) -> bool {
        self.redirect_uris.iter().any(|uri| uri.matches(unverified_uri))
    }
}

impl RedirectUri {
    fn parse(uri: &str) -> Option<Self> {
        let url = Url::parse(uri).ok().filter(|url| url.as_str() == uri && url.fragment().is_none())?;
        match url.scheme() {
            "https" if url.host_str().is_some() => Some(Self::Exact(uri.to_owned())),
            "http" if is_loopback_ip(&url) => Some(Self::Loopback(url)),
            _ => None,
        }
    }

    fn matches(&self, unverified_uri: &str) -> bool {
        match self {
            Self::Exact(uri) => uri == unverified_uri,
            Self::Loopback(registered) => {
                let Ok(url) = Url::parse(unverified_uri) else { return false };
                let mut same_port = url.clone();
                // Only the normal spelling is accepted, and nothing but the port may differ.
                url.as_str() == unverified_uri
                    && same_port.set_port(registered.port()).is_ok()
                    && same_port == *registered
            }
        }
    }
}

fn load_secret(config: &ApplicationConfig) -> Result<Option<Digest>, ApplicationFault> {
    let Some(file) = &config.secret_file else { return Ok(None) };
    let id = || config.client_id.clone();
    let secret = file.read_line().map_err(|source| ApplicationFault::Secret { id: id(), source })?;
    if secret.expose_bytes().len() < SECRET_MIN_CHARS {
        return Err(ApplicationFault::ShortSecret { id: id() });
    }
    Ok(Some(digest(secret.expose_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn application(redirect_uris: &[&str]) -> Result<Application, ApplicationFault> {
        Application::load(&ApplicationConfig {
            client_id: "console".into(),
            name: "Console".into(),
            redirect_uris: redirect_uris.iter().map(|uri| (*uri).to_owned()).collect(),
            secret_file: None,
        })
    }

    #[test]
    fn a_redirect_uri_is_compared_letter_by_letter() {
        let console = application(&["https://console.mz.example/back?x=1"]).expect("good");
        assert!(console.may_redirect_to("https://console.mz.example/back?x=1"));
        for uri in [
            "https://console.mz.example/back",
            "https://console.mz.example/back?x=1&y=2",
            "https://console.mz.example/back?x=1#f",
            "https://console.mz.example/back/?x=1",
            "https://console.mz.example/back/../back?x=1",
            "https://console.mz.example:443/back?x=1",
            "https://CONSOLE.mz.example/back?x=1",
            "https://console.mz.example.evil.example/back?x=1",
            "https://user@console.mz.example/back?x=1",
            "http://console.mz.example/back?x=1",
            "",
        ] {
            assert!(!console.may_redirect_to(uri), "{uri:?} was accepted");
        }
    }

    #[test]
    fn only_the_port_of_a_loopback_address_may_differ() {
        let program = application(&["http://127.0.0.1/back", "http://[::1]/back"]).expect("good");
        for uri in ["http://127.0.0.1/back", "http://127.0.0.1:49152/back", "http://[::1]:8080/back"] {
            assert!(program.may_redirect_to(uri), "{uri:?} was refused");
        }
        for uri in [
            "http://localhost:49152/back",
            "http://127.0.0.2:49152/back",
            "http://127.0.0.1:49152/",
            "http://127.0.0.1:49152/back?x",
            "http://127.0.0.1:49152/back#x",
            "http://user@127.0.0.1:49152/back",
            "http://127.0.0.1@evil.example/back",
            "http://127.0.0.1.evil.example/back",
            "http://0x7f000001:49152/back",
            "https://127.0.0.1:49152/back",
            "http://127.0.0.1:99999/back",
        ] {
            assert!(!program.may_redirect_to(uri), "{uri:?} was accepted");
        }
    }

    #[test]
    fn an_exact_uri_has_no_free_port() {
        let console = application(&["https://127.0.0.1/back"]).expect("good");
        assert!(!console.may_redirect_to("https://127.0.0.1:8443/back"));
    }

    #[test]
    fn redirect_uris_that_others_could_listen_at_are_not_registered() {
        for uri in [
            "http://console.mz.example/back",
            "http://localhost/back",
            "https://console.mz.example/back#x",
            "rovuma://back",
            "javascript:alert(1)",
            "/back",
            "https://console.mz.example",
        ] {
            let refused = application(&[uri]);
            assert!(matches!(refused, Err(ApplicationFault::Redirect { .. })), "{uri:?}: {refused:?}");
        }
        assert!(matches!(application(&[]), Err(ApplicationFault::NoRedirect { .. })));
    }
}
