//! The authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3, OpenID Connect Core 1.0 §3.1.2.1).

use std::sync::Arc;

use rovuma_tokens::Pkce;
use url::Url;

use super::scope::Scope;
use crate::{
    applications::{Application, Applications},
    params::Params,
};

/// A request whose every parameter was checked.
pub(super) struct AuthorizationRequest {
    pub(super) application: Arc<Application>,
    pub(super) redirect_uri: String,
    pub(super) state: String,
    pub(super) scope: Scope,
    pub(super) nonce: Option<String>,
    /// The PKCE challenge, method `S256`.
    pub(super) challenge: String,
}

/// Why a request is refused, and who learns it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RequestFault {
    /// There is no trusted redirect URI: a page tells the person (RFC 6749 §4.1.2.1).
    Page {
        /// The code that the person can give to an administrator.
        code: &'static str,
    },
    /// A redirect tells the application.
    Redirect { redirect_uri: String, state: Option<String>, error: &'static str, description: &'static str },
}

/// Maximum length of `state` and `nonce`, which this service keeps and sends back; longer ones are no
/// random values.
const ECHO_MAX_BYTES: usize = 1024;

impl AuthorizationRequest {
    pub(super) fn parse(query: &str, applications: &Applications) -> Result<Self, RequestFault> {
        let params = Params::parse(query).map_err(|_| RequestFault::Page { code: "parameters" })?;
        let application = params
            .get("client_id")
            .and_then(|id| applications.get(id))
            .ok_or(RequestFault::Page { code: "client_id" })?;
        let redirect_uri = params
            .get("redirect_uri")
            .filter(|uri| application.may_redirect_to(uri))
            .ok_or(RequestFault::Page { code: "redirect_uri" })?;
        let refuse = |(error, description)| RequestFault::Redirect {
            redirect_uri: redirect_uri.to_owned(),
            state: params.get("state").filter(|state| state.len() <= ECHO_MAX_BYTES).map(str::to_owned),
            error,
            description,
        };
        check(&params).map_err(refuse)?;
        Ok(Self {
            application: Arc::clone(application),
            redirect_uri: redirect_uri.to_owned(),
            state: params.get("state").unwrap_or_default().to_owned(),
            scope: Scope::parse(params.get("scope").unwrap_or_default()),
            nonce: params.get("nonce").map(str::to_owned),
            challenge: params.get("code_challenge").unwrap_or_default().to_owned(),
        })
    }
}

fn check(params: &Params) -> Result<(), (&'static str, &'static str)> {
    if params.get("request").is_some() {
        return Err(("request_not_supported", "send the parameters themselves"));
    }
    if params.get("request_uri").is_some() {
        return Err(("request_uri_not_supported", "send the parameters themselves"));
    }
    match params.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "only response_type=code")),
        None => return Err(("invalid_request", "response_type is missing")),
    }
    if params.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(("invalid_request", "only response_mode=query"));
    }
    let is_short = |name| params.get(name).is_none_or(|value: &str| value.len() <= ECHO_MAX_BYTES);
    if params.get("state").is_none() || !is_short("state") || !is_short("nonce") {
        return Err(("invalid_request", "state is missing, or state or nonce is too long"));
    }
    // RFC 7636 §4.3: without a method it would be `plain`, which is refused.
    if params.get("code_challenge_method") != Some("S256") {
        return Err(("invalid_request", "code_challenge_method=S256 is required"));
    }
    if !params.get("code_challenge").is_some_and(Pkce::is_challenge) {
        return Err(("invalid_request", "code_challenge is missing or not S256"));
    }
    // This service keeps no browser sessions: a person must log in each time.
    if params.get("prompt").is_some_and(|prompt| prompt.split(' ').any(|word| word == "none")) {
        return Err(("login_required", "the person must log in"));
    }
    Ok(())
}

/// The URL of the authorization response: the redirect URI with the parameters, `state` and `iss`
/// (RFC 9207).
pub(super) fn response_url(
    redirect_uri: &str,
    issuer: &str,
    state: Option<&str>,
    params: &[(&str, &str)],
) -> Result<String, url::ParseError> {
    let mut url = Url::parse(redirect_uri)?;
    {
        let mut query = url.query_pairs_mut();
        query.extend_pairs(params);
        query.extend_pairs(state.map(|state| ("state", state)));
        query.append_pair("iss", issuer);
    }
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ApplicationConfig;

    const GOOD: &str = "client_id=console&redirect_uri=https%3A%2F%2Fc.mz.example%2Fback&state=s1&\
        response_type=code&scope=openid&nonce=n1&code_challenge_method=S256&\
        code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn parse(query: &str) -> Result<AuthorizationRequest, RequestFault> {
        let config = ApplicationConfig {
            client_id: "console".into(),
            name: "Console".into(),
            redirect_uris: vec!["https://c.mz.example/back".into()],
            secret_file: None,
        };
        let applications = Applications::load(&[config]).expect("good");
        AuthorizationRequest::parse(query, &applications)
    }

    fn redirected(query: &str) -> (&'static str, Option<String>) {
        match parse(query).map(|_| ()) {
            Err(RequestFault::Redirect { error, state, redirect_uri, .. }) => {
                assert_eq!(redirect_uri, "https://c.mz.example/back");
                (error, state)
            }
            other => panic!("{query}: {other:?}"),
        }
    }

    #[test]
    fn a_good_request_is_accepted() {
        let request = parse(GOOD).expect("good");
        assert_eq!((request.state.as_str(), request.nonce.as_deref()), ("s1", Some("n1")));
        assert!(request.scope.openid && !request.scope.profile);
    }

    #[test]
    fn no_browser_is_redirected_to_an_address_that_is_not_registered() {
        for (from, to, code) in [
            ("client_id=console", "client_id=other", "client_id"),
            ("client_id=console&", "", "client_id"),
            ("%2Fback", "%2Felsewhere", "redirect_uri"),
            ("redirect_uri=https%3A%2F%2Fc.mz.example%2Fback&", "", "redirect_uri"),
            ("state=s1", "state=s1&state=s2", "parameters"),
        ] {
            let fault = parse(&GOOD.replace(from, to)).map(|_| ());
            assert_eq!(fault, Err(RequestFault::Page { code }), "{to}");
        }
    }

    #[test]
    fn the_application_learns_every_other_fault_with_its_state() {
        for (from, to, error) in [
            ("response_type=code&", "", "invalid_request"),
            ("response_type=code", "response_type=token", "unsupported_response_type"),
            ("response_type=code", "response_type=code+id_token", "unsupported_response_type"),
            ("code_challenge_method=S256", "code_challenge_method=plain", "invalid_request"),
            ("code_challenge_method=S256&", "", "invalid_request"),
            ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "short", "invalid_request"),
            ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "", "invalid_request"),
            ("nonce=n1", "prompt=none", "login_required"),
            ("nonce=n1", "prompt=login+none", "login_required"),
            ("nonce=n1", "response_mode=fragment", "invalid_request"),
            ("nonce=n1", "request=e30.e30.", "request_not_supported"),
            ("nonce=n1", "request_uri=https%3A%2F%2Fx", "request_uri_not_supported"),
        ] {
            assert_eq!(redirected(&GOOD.replace(from, to)), (error, Some("s1".into())), "{to}");
        }
        let long = GOOD.replace("nonce=n1", &format!("nonce={}", "n".repeat(1025)));
        assert_eq!(redirected(&long).0, "invalid_request");
    }

    #[test]
    fn a_request_without_state_is_refused() {
        assert_eq!(redirected(&GOOD.replace("state=s1&", "")), ("invalid_request", None));
        assert_eq!(redirected(&GOOD.replace("state=s1&", "state=&")), ("invalid_request", None));
        let long = GOOD.replace("state=s1", &format!("state={}", "s".repeat(1025)));
        assert_eq!(redirected(&long), ("invalid_request", None));
    }

    #[test]
    fn a_response_keeps_the_redirect_uris_own_query() {
        let url = response_url("https://c.mz.example/back?x=1", "https://id", Some("a&b"), &[("code", "c")]);
        assert_eq!(
            url.expect("a URL"),
            "https://c.mz.example/back?x=1&code=c&state=a%26b&iss=https%3A%2F%2Fid"
        );
    }
}
