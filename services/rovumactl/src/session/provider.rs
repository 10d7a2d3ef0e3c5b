//! An OpenID Connect provider, as far as a command line needs it: discovery, three grants, revocation.

use std::time::Duration;

use reqwest::Method;
use rovuma_runtime::Secret;
use rovuma_schemas::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::cache::CachedToken;
use crate::{
    client::{Client, base_url},
    config::IdentityConfig,
    exit::{Exit, Failure, Outcome},
};

/// Life of a token whose provider does not state it (RFC 6749 §5.1 leaves it open): short.
const DEFAULT_LIFE_S: u64 = 300;

/// The part of OpenID Connect Discovery 1.0 §3 that is used.
#[derive(Clone, Debug, Deserialize)]
struct ProviderMetadata {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: String,
    revocation_endpoint: Option<String>,
}

/// A token response (RFC 6749 §5.1).
#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    token_type: String,
    expires_in: Option<u64>,
    refresh_token: Option<String>,
}

/// Why there is no token.
pub(crate) struct TokenFault {
    /// The code of the provider's refusal (RFC 6749 §5.2); `None`: it gave none, or there was no answer.
    pub(crate) code: Option<String>,
    /// Whether the provider answered: otherwise it may have given a token that did not arrive.
    pub(crate) is_answered: bool,
    pub(crate) failure: Failure,
}

impl From<TokenFault> for Failure {
    fn from(fault: TokenFault) -> Self {
        fault.failure
    }
}

/// A provider whose metadata has been discovered.
pub(crate) struct OidcProvider {
    client: Client,
    metadata: ProviderMetadata,
}

impl OidcProvider {
    /// Fetches the provider's metadata, and checks that they name this issuer.
    pub(crate) async fn discover(identity: &IdentityConfig) -> Outcome<Self> {
        let client = Client::new(&identity.endpoint(), "the identity provider")?;
        let metadata: ProviderMetadata = client.get("/.well-known/openid-configuration", &[]).await?.value;
        // OpenID Connect Discovery 1.0 §4.3: otherwise another provider's tokens would pass for this one's.
        if metadata.issuer != identity.issuer {
            return Err(Failure::verification(format!(
                "the provider at {} calls itself {}",
                identity.issuer, metadata.issuer
            ))
            .next("give the issuer exactly as the provider spells it"));
        }
        Ok(Self { client, metadata })
    }

    /// The issuer.
    pub(crate) fn issuer(&self) -> &str {
        &self.metadata.issuer
    }

    /// The address at which a person logs in, with this query.
    pub(crate) fn authorization_url(&self, query: &[(&str, &str)]) -> Outcome<Url> {
        let endpoint = self.metadata.authorization_endpoint.as_deref().ok_or_else(|| {
            Failure::unreachable(format!("{} has no log-in for people", self.metadata.issuer))
        })?;
        let mut url = checked(endpoint)?;
        url.query_pairs_mut().extend_pairs(query);
        Ok(url)
    }

    /// Redeems an authorization code (RFC 6749 §4.1.3, RFC 7636 §4.5).
    pub(crate) async fn redeem(
        &self,
        identity: &IdentityConfig,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
        now: Timestamp,
    ) -> Outcome<CachedToken> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
            ("client_id", &identity.client_id()),
        ];
        Ok(self.request_token(&form, None, now).await?)
    }

    /// Renews a person's token (RFC 6749 §6). A provider that gives no new refresh token leaves the old one valid.
    pub(crate) async fn refresh(
        &self,
        identity: &IdentityConfig,
        refresh_token: &str,
        now: Timestamp,
    ) -> Result<CachedToken, TokenFault> {
        let client_id = identity.client_id();
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("client_id", &client_id)];
        let mut token = self.request_token(&form, None, now).await?;
        token.refresh_token.get_or_insert_with(|| Zeroizing::new(refresh_token.to_owned()));
        Ok(token)
    }

    /// Tells the provider that the person has logged out (RFC 7009). `false`: it has no such endpoint.
    pub(crate) async fn revoke(&self, identity: &IdentityConfig, refresh_token: &str) -> Outcome<bool> {
        let Some(endpoint) = &self.metadata.revocation_endpoint else { return Ok(false) };
        let client_id = identity.client_id();
        let form =
            [("token", refresh_token), ("token_type_hint", "refresh_token"), ("client_id", &client_id)];
        let request = self.client.request_to(Method::POST, checked(endpoint)?).form(&form);
        let response = self.client.send_raw(request).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(true);
        }
        let body = self.client.body(response).await?;
        Err(refusal(&body).map_or_else(|| self.client.refusal(status, &body), |(_, failure)| failure))
    }

    /// Gets a token for a machine (RFC 6749 §4.4).
    pub(crate) async fn as_machine(
        &self,
        identity: &IdentityConfig,
        secret: &Secret,
        now: Timestamp,
    ) -> Outcome<CachedToken> {
        let form = [("grant_type", "client_credentials"), ("scope", identity.scope.as_str())];
        let secret = secret.expose_text().ok_or_else(|| Failure::usage("the client's secret is not text"))?;
        Ok(self.request_token(&form, Some((&identity.client_id(), secret)), now).await?)
    }

    async fn request_token(
        &self,
        form: &[(&str, &str)],
        credentials: Option<(&str, &str)>,
        now: Timestamp,
    ) -> Result<CachedToken, TokenFault> {
        let unanswered = |failure| TokenFault { code: None, is_answered: false, failure };
        let answered = |code, failure| TokenFault { code, is_answered: true, failure };
        let endpoint = checked(&self.metadata.token_endpoint).map_err(|failure| answered(None, failure))?;
        let mut request = self.client.request_to(Method::POST, endpoint).form(form);
        if let Some((client, secret)) = credentials {
            request = request.basic_auth(escaped(client), Some(escaped(secret)));
        }
        let response = self.client.send_raw(request).await.map_err(unanswered)?;
        let status = response.status();
        let body = Zeroizing::new(self.client.body(response).await.map_err(unanswered)?);
        if !status.is_success() {
            // What the provider says of its own faults is no refusal: the log-in is as good as before.
            let refused = if status.is_server_error() { None } else { refusal(&body) };
            return Err(match refused {
                Some((code, failure)) => answered(Some(code), failure),
                None => answered(None, self.client.refusal(status, &body)),
            });
        }
        let answer: TokenResponse = serde_json::from_slice(&body).map_err(|error| {
            unanswered(Failure::unreachable(format!("the identity provider gave no token: {error}")))
        })?;
        if !answer.token_type.eq_ignore_ascii_case("bearer") {
            let what = format!("tokens of type {:?} are not supported", answer.token_type);
            return Err(unanswered(Failure::unreachable(what)));
        }
        let life = Duration::from_secs(answer.expires_in.unwrap_or(DEFAULT_LIFE_S));
        Ok(CachedToken {
            access_token: Zeroizing::new(answer.access_token),
            expires: now.plus(life),
            refresh_token: answer.refresh_token.map(Zeroizing::new),
            client_secret_file: None,
        })
    }
}

/// Parses an endpoint's address, which must be as well protected as the provider's own.
fn checked(endpoint: &str) -> Outcome<Url> {
    base_url(endpoint)?;
    Url::parse(endpoint).map_err(|error| Failure::unreachable(format!("{endpoint:?} is no address: {error}")))
}

/// Form-encodes the id or the secret, as RFC 6749 §2.3.1 requires before they are joined.
fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Parses an error response (RFC 6749 §5.2): its code, and what it means.
fn refusal(body: &[u8]) -> Option<(String, Failure)> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let code = value.get("error")?.as_str()?;
    let detail = value.get("error_description").and_then(Value::as_str).unwrap_or_default();
    let what = crate::output::safe(&format!("the identity provider refused: {code} {detail}"));
    let failure = Failure::new(Exit::Refused, what.trim_end());
    let failure = match code {
        "invalid_client" => failure.next("check the client's id and secret"),
        "invalid_grant" => failure.next("log in again: rovumactl login"),
        _ => failure,
    };
    Some((code.to_owned(), failure))
}
