//! Client authentication at the token endpoint (RFC 6749 §2.3, RFC 7523 §2.2).

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

/// A client whose identity was proved.
pub(super) enum AuthenticatedClient {
    /// A program that logs people in. One without a secret is proved by PKCE alone.
    Application(Arc<Application>),
    /// A machine, with the assertion it sent, if any. The grant checks that no request used that assertion
    /// before.
    Machine(Box<Machine>, Option<Assertion>),
}

/// The client id in a request and its proof.
struct Credentials {
    unverified_id: String,
    proof: ClientProof,
}

enum ClientProof {
    None,
    Secret(Zeroizing<String>),
    Assertion(String),
}

/// Finds and authenticates the client.
///
/// # Errors
/// [`TokenError::InvalidClient`], the same for an unknown client and a wrong secret;
/// [`TokenError::InvalidRequest`] when the request holds two proofs.
pub(super) async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    params: &Params,
    now: Timestamp,
) -> Result<AuthenticatedClient, TokenError> {
    let credentials = Credentials::parse(headers, params)?;
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
    fn parse(headers: &HeaderMap, params: &Params) -> Result<Self, TokenError> {
        let basic = basic(headers)?;
        let (secret, assertion) = (params.get("client_secret"), params.get("client_assertion"));
        // RFC 6749 §2.3: no more than one method in a request.
        let (proved_id, proof) = match (basic, secret, assertion) {
            (Some((id, secret)), None, None) => (Some(id), ClientProof::Secret(secret)),
            (None, Some(secret), None) => (None, ClientProof::Secret(Zeroizing::new(secret.to_owned()))),
            (None, None, Some(assertion)) => from_assertion(params, assertion)?,
            (None, None, None) => (None, ClientProof::None),
            _ => return Err(TokenError::InvalidRequest("more than one method of client authentication")),
        };
        let named_id = params.get("client_id").map(str::to_owned);
        let unverified_id = match (proved_id, named_id) {
            (Some(proved), Some(named)) if proved != named => return Err(TokenError::InvalidClient),
            (Some(id), _) | (None, Some(id)) => id,
            (None, None) => return Err(TokenError::InvalidClient),
        };
        Ok(Self { unverified_id, proof })
    }

    fn of_application(self, application: &Arc<Application>) -> Result<AuthenticatedClient, TokenError> {
        let matches = match (&application.secret, &self.proof) {
            (None, ClientProof::None) => true,
            (Some(stored), ClientProof::Secret(secret)) => is_secret(secret, stored),
            _ => false,
        };
        if matches {
            Ok(AuthenticatedClient::Application(Arc::clone(application)))
        } else {
            Err(TokenError::InvalidClient)
        }
    }

    fn of_machine(
        self,
        app: &App,
        machine: Machine,
        now: Timestamp,
    ) -> Result<AuthenticatedClient, TokenError> {
        match (&self.proof, &machine.secret) {
            (ClientProof::Secret(secret), Some(stored)) if is_secret(secret, stored) => {
                Ok(AuthenticatedClient::Machine(Box::new(machine), None))
            }
            (ClientProof::Assertion(assertion), _) => {
                let checked = check_assertion(app, &machine, assertion, now)?;
                Ok(AuthenticatedClient::Machine(Box::new(machine), Some(checked)))
            }
            _ => Err(TokenError::InvalidClient),
        }
    }
}

/// Id and secret of the `Authorization` header; RFC 6749 §2.3.1: clients form-encode both.
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
    // `=` and `&` are escaped first, so that the decoder sees one name without a value.
    let text = text.replace('=', "%3D").replace('&', "%26");
    url::form_urlencoded::parse(text.as_bytes())
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}

fn from_assertion(params: &Params, assertion: &str) -> Result<(Option<String>, ClientProof), TokenError> {
    if params.get("client_assertion_type") != Some(JWT_BEARER) {
        return Err(TokenError::InvalidRequest("client_assertion_type is not jwt-bearer"));
    }
    let id = Assertion::unverified_client(assertion).map_err(|_| TokenError::InvalidClient)?;
    Ok((Some(id), ClientProof::Assertion(assertion.to_owned())))
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

/// Compares by digest: secrets are 256 random bits, so a plain digest is enough, and the time that the
/// comparison takes tells nothing about the secret.
fn is_secret(unverified_secret: &str, stored: &Digest) -> bool {
    digest(unverified_secret.as_bytes()) == *stored
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

    fn parse(headers: &HeaderMap, body: &str) -> Result<String, TokenError> {
        let params = Params::parse(body).expect("good");
        Credentials::parse(headers, &params).map(|credentials| credentials.unverified_id)
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
            assert!(matches!(parse(&headers, body), Err(TokenError::InvalidRequest(_))), "{body}");
        }
        assert!(matches!(parse(&none, "client_assertion=x"), Err(TokenError::InvalidRequest(_))));
    }

    #[test]
    fn two_names_are_no_client() {
        assert!(matches!(parse(&header_of("a:b"), "client_id=c"), Err(TokenError::InvalidClient)));
        assert!(matches!(parse(&HeaderMap::new(), ""), Err(TokenError::InvalidClient)));
        assert_eq!(parse(&header_of("a:b"), "client_id=a").expect("one client"), "a");
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
