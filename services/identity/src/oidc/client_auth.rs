//! Who asks for a token: client authentication (RFC 6749 §2.3, RFC 7523 §2.2).

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use rovuma_envelope::digest;
use rovuma_schemas::{Digest, Timestamp};
use rovuma_tokens::{Assertion, AssertionRules, JWT_BEARER, KeySet};
use zeroize::Zeroizing;

use super::token_error::TokenError;
use crate::{
    app::App,
    applications::Application,
    fault::Fault,
    machines::{self, Machine},
    params::Params,
};

/// A client that is who it says it is.
pub(super) enum Client {
    /// A program that logs people in. One without a secret is known by PKCE alone.
    Application(Arc<Application>),
    /// A machine. Its assertion, if it brought one, must not have been used before.
    Machine(Box<Machine>, Option<Assertion>),
}

/// What a request brings to show who it is.
struct Credentials {
    unverified_id: String,
    proof: Proof,
}

enum Proof {
    None,
    Secret(Zeroizing<String>),
    Assertion(String),
}

/// Finds and authenticates the client.
///
/// # Errors
/// [`TokenError::InvalidClient`], the same for an unknown client and a wrong secret;
/// [`TokenError::InvalidRequest`] when it brings two proofs.
pub(super) async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    params: &Params,
    now: Timestamp,
) -> Result<Client, TokenError> {
    let credentials = Credentials::read(headers, params)?;
    if let Some(application) = app.applications.get(&credentials.unverified_id) {
        return credentials.of_application(application);
    }
    let mut conn = app.store.read().acquire().await.map_err(Fault::from)?;
    let machine = machines::by_id(&mut conn, &credentials.unverified_id).await.map_err(Fault::from)?;
    match machine {
        Some(machine) if machine.disabled.is_none() => credentials.of_machine(app, machine, now),
        _ => Err(TokenError::InvalidClient),
    }
}

impl Credentials {
    fn read(headers: &HeaderMap, params: &Params) -> Result<Self, TokenError> {
        let basic = basic(headers)?;
        let (secret, assertion) = (params.get("client_secret"), params.get("client_assertion"));
        // RFC 6749 §2.3: no more than one method in a request.
        let (proved_id, proof) = match (basic, secret, assertion) {
            (Some((id, secret)), None, None) => (Some(id), Proof::Secret(secret)),
            (None, Some(secret), None) => (None, Proof::Secret(Zeroizing::new(secret.to_owned()))),
            (None, None, Some(assertion)) => from_assertion(params, assertion)?,
            (None, None, None) => (None, Proof::None),
            _ => return Err(TokenError::InvalidRequest("more than one way of client authentication")),
        };
        let named_id = params.get("client_id").map(str::to_owned);
        let unverified_id = match (proved_id, named_id) {
            (Some(proved), Some(named)) if proved != named => return Err(TokenError::InvalidClient),
            (Some(id), _) | (None, Some(id)) => id,
            (None, None) => return Err(TokenError::InvalidClient),
        };
        Ok(Self { unverified_id, proof })
    }

    fn of_application(self, application: &Arc<Application>) -> Result<Client, TokenError> {
        let right = match (&application.secret, &self.proof) {
            (None, Proof::None) => true,
            (Some(kept), Proof::Secret(secret)) => is_secret(secret, kept),
            _ => false,
        };
        if right { Ok(Client::Application(Arc::clone(application))) } else { Err(TokenError::InvalidClient) }
    }

    fn of_machine(self, app: &App, machine: Machine, now: Timestamp) -> Result<Client, TokenError> {
        match (&self.proof, &machine.secret) {
            (Proof::Secret(secret), Some(kept)) if is_secret(secret, kept) => {
                Ok(Client::Machine(Box::new(machine), None))
            }
            (Proof::Assertion(assertion), _) => {
                let checked = check_assertion(app, &machine, assertion, now)?;
                Ok(Client::Machine(Box::new(machine), Some(checked)))
            }
            _ => Err(TokenError::InvalidClient),
        }
    }
}

/// RFC 6749 §2.3.1: name and secret are form-encoded before they go into the header.
fn basic(headers: &HeaderMap) -> Result<Option<(String, Zeroizing<String>)>, TokenError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let decoded = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        .and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(Zeroizing::new)
        .ok_or(TokenError::InvalidClient)?;
    let (id, secret) = decoded.split_once(':').ok_or(TokenError::InvalidClient)?;
    Ok(Some((form_decoded(id), Zeroizing::new(form_decoded(secret)))))
}

fn form_decoded(text: &str) -> String {
    // Read as one name without a value; what is not an escape stays as it is.
    let text = text.replace('=', "%3D").replace('&', "%26");
    url::form_urlencoded::parse(text.as_bytes())
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}

fn from_assertion(params: &Params, assertion: &str) -> Result<(Option<String>, Proof), TokenError> {
    if params.get("client_assertion_type") != Some(JWT_BEARER) {
        return Err(TokenError::InvalidRequest("client_assertion_type is not jwt-bearer"));
    }
    let id = Assertion::unverified_client(assertion).map_err(|_| TokenError::InvalidClient)?;
    Ok((Some(id), Proof::Assertion(assertion.to_owned())))
}

fn check_assertion(
    app: &App,
    machine: &Machine,
    unverified_assertion: &str,
    now: Timestamp,
) -> Result<Assertion, TokenError> {
    let keys =
        machine.keys().and_then(|set| KeySet::from_jwks(&set).ok()).ok_or(TokenError::InvalidClient)?;
    let rules = AssertionRules { client_id: machine.id.as_str(), audience: app.issuer.as_str(), keys: &keys };
    Assertion::check(unverified_assertion, &rules, now).map_err(|fault| {
        tracing::info!(machine = %machine.id, %fault, "a client assertion was refused");
        TokenError::InvalidClient
    })
}

/// What is kept is a digest of 256 random bits: a digest is enough, and comparing digests tells nobody
/// anything by the time it takes.
fn is_secret(unverified_secret: &str, kept: &Digest) -> bool {
    digest(unverified_secret.as_bytes()) == *kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header_of(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let value = format!("Basic {}", STANDARD.encode(text));
        headers.insert(header::AUTHORIZATION, value.parse().expect("a value"));
        headers
    }

    fn read(headers: &HeaderMap, body: &str) -> Result<String, TokenError> {
        let params = Params::parse(body).expect("good");
        Credentials::read(headers, &params).map(|credentials| credentials.unverified_id)
    }

    #[test]
    fn name_and_secret_are_form_decoded() {
        let (id, secret) = basic(&header_of("mz.prm%2Ecad:a%3Ab+c%25=&d")).expect("good").expect("there");
        assert_eq!((id.as_str(), secret.as_str()), ("mz.prm.cad", "a:b c%=&d"));
    }

    #[test]
    fn two_proofs_are_a_bad_request() {
        let none = HeaderMap::new();
        for (headers, body) in [
            (header_of("a:b"), "client_secret=b"),
            (header_of("a:b"), "client_assertion=x"),
            (none.clone(), "client_id=a&client_secret=b&client_assertion=x"),
        ] {
            assert!(matches!(read(&headers, body), Err(TokenError::InvalidRequest(_))), "{body}");
        }
        assert!(matches!(read(&none, "client_assertion=x"), Err(TokenError::InvalidRequest(_))));
    }

    #[test]
    fn two_names_are_no_client() {
        assert!(matches!(read(&header_of("a:b"), "client_id=c"), Err(TokenError::InvalidClient)));
        assert!(matches!(read(&HeaderMap::new(), ""), Err(TokenError::InvalidClient)));
        assert_eq!(read(&header_of("a:b"), "client_id=a").expect("one client"), "a");
    }

    #[test]
    fn another_scheme_is_no_client() {
        let mut headers = HeaderMap::new();
        for value in ["Bearer x", "Basic", "Basic !!!", "Basic YQ=="] {
            headers.insert(header::AUTHORIZATION, value.parse().expect("a value"));
            assert!(matches!(basic(&headers), Err(TokenError::InvalidClient)), "{value}");
        }
    }
}
