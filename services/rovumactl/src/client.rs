//! An HTTP client for our services: it trusts only the configured TLS authorities, and turns every refusal into a
//! failure that says what to do next.

mod hints;

use std::{path::Path, sync::Arc, time::Duration};

use reqwest::{
    Method, Request, RequestBuilder, Response, StatusCode,
    header::{self, HeaderMap, HeaderValue},
    redirect,
};
use rovuma_runtime::Problem;
use rovuma_schemas::Locale;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use self::hints::{if_missing, next_after};
use crate::{
    config::Endpoint,
    exit::{Exit, Failure, Outcome, chain},
    files, progress,
    session::{claims::TokenCaller, renewal::Renewal},
};

/// Time limit to connect. A line that takes longer counts as down.
const CONNECT: Duration = Duration::from_secs(10);
/// Time limit for an answer. A slow line carries a page of 200 rows well within this.
const ANSWER: Duration = Duration::from_secs(60);
/// Time limit for an answer that comes after a long body: 256 MiB take four hours on a line of 150 kbit/s.
const ANSWER_TO_UPLOAD: Duration = Duration::from_secs(4 * 60 * 60);
/// Maximum bytes of an answer: a page is at most about 1 MiB.
const ANSWER_MAX_BYTES: usize = 16 * 1024 * 1024;

/// An answer of a server.
#[derive(Clone, Debug)]
pub(crate) struct ServerAnswer<T> {
    /// The members that this version knows.
    pub(crate) value: T,
    /// The whole answer as the server gave it, with members that this version does not know: `--json` prints it.
    pub(crate) raw: Value,
}

/// A client of one server.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    /// The server's name in messages: `the gateway`.
    name: &'static str,
    token: Option<Zeroizing<String>>,
    /// The log-in that the token comes from, if it can be renewed.
    renewal: Option<Arc<Renewal>>,
}

impl Client {
    /// A client for `endpoint`, called `name` in messages.
    pub(crate) fn new(endpoint: &Endpoint, name: &'static str) -> Outcome<Self> {
        Self::within(ANSWER, endpoint, name)
    }

    /// A client for requests with long bodies, and for those that have what came in one put in force.
    pub(crate) fn for_uploads(endpoint: &Endpoint, name: &'static str) -> Outcome<Self> {
        Self::within(ANSWER_TO_UPLOAD, endpoint, name)
    }

    fn within(limit: Duration, endpoint: &Endpoint, name: &'static str) -> Outcome<Self> {
        let base = base_url(&endpoint.url)?;
        let http = http_client(endpoint.ca_file.as_deref(), limit)?;
        Ok(Self { http, base, name, token: None, renewal: None })
    }

    /// The same client with an access token.
    pub(crate) fn with_token(mut self, token: Zeroizing<String>) -> Self {
        self.token = Some(token);
        self
    }

    /// The same client with the access tokens of a log-in, however long it is used.
    pub(crate) async fn with_renewal(mut self, renewal: Arc<Renewal>) -> Outcome<Self> {
        self.token = Some(renewal.token().await?);
        self.renewal = Some(renewal);
        Ok(self)
    }

    /// A request for `path`, which begins with `/`. The caller has escaped each of its segments.
    pub(crate) fn request(&self, method: Method, path: &str) -> Outcome<RequestBuilder> {
        let url = self
            .base
            .join(path.trim_start_matches('/'))
            .map_err(|error| Failure::usage(format!("{}{path}: {error}", self.base)))?;
        let request = self.request_to(method, url);
        Ok(match &self.token {
            Some(token) => request.bearer_auth(token.as_str()),
            None => request,
        })
    }

    /// A request without a token, for an address that is not below the configured one.
    pub(crate) fn request_to(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Outcome<ServerAnswer<T>> {
        let request = self.request(Method::GET, path)?.query(query);
        self.send(request).await
    }

    /// Sends a request and parses its answer; an empty one is read as `null`. Shows what it waits for when that takes long.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Outcome<ServerAnswer<T>> {
        let request = request.build().map_err(|error| self.no_answer(&error))?;
        let path = request.url().path().to_owned();
        let asked = format!("{} {path}", request.method());
        let response = self.execute(request).await?;
        let status = response.status();
        let bytes = self.body(response).await?;
        if !status.is_success() {
            return Err(if_missing(self.refusal(status, &bytes), &path));
        }
        let bytes = if bytes.is_empty() { b"null".as_slice() } else { &bytes };
        Ok(ServerAnswer { value: self.parse(&asked, bytes)?, raw: self.parse(&asked, bytes)? })
    }

    /// Parses JSON that the server answered to `asked`. A failure names the member that is not what it should be.
    pub(crate) fn parse<T: DeserializeOwned>(&self, asked: &str, bytes: &[u8]) -> Outcome<T> {
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let value = match serde_path_to_error::deserialize(&mut json) {
            Ok(value) => value,
            Err(error) if error.inner().is_data() => return Err(self.unexpected(asked, &error)),
            Err(error) => return Err(self.nonsense(error.inner())),
        };
        json.end().map_err(|error| self.nonsense(&error))?;
        Ok(value)
    }

    /// Fetches the bytes at `path`.
    pub(crate) async fn get_bytes(&self, path: &str) -> Outcome<Vec<u8>> {
        let response = self.send_raw(self.request(Method::GET, path)?).await?;
        let status = response.status();
        let bytes = self.body(response).await?;
        if status.is_success() { Ok(bytes) } else { Err(if_missing(self.refusal(status, &bytes), path)) }
    }

    /// Sends a request and returns the answer, whatever its status.
    pub(crate) async fn send_raw(&self, request: RequestBuilder) -> Outcome<Response> {
        self.execute(request.build().map_err(|error| self.no_answer(&error))?).await
    }

    async fn execute(&self, mut request: Request) -> Outcome<Response> {
        // The token of the first request may have expired since.
        if let Some(renewal) = &self.renewal
            && request.headers().contains_key(header::AUTHORIZATION)
        {
            let mut bearer = HeaderValue::try_from(format!("Bearer {}", renewal.token().await?.as_str()))
                .map_err(|_| Failure::unreachable("the identity provider gave a token that is no text"))?;
            bearer.set_sensitive(true);
            request.headers_mut().insert(header::AUTHORIZATION, bearer);
        }
        // Whoever sends a body piece by piece shows how far it is.
        let is_shown = request.body().is_some_and(|body| body.as_bytes().is_none());
        let answer = self.http.execute(request);
        let answer = if is_shown {
            answer.await
        } else {
            progress::waiting(&format!("waiting for {} at {}", self.name, self.base), answer).await
        };
        answer.map_err(|error| self.no_answer(&error))
    }

    /// The whole body of an answer, up to the maximum size.
    pub(crate) async fn body(&self, mut response: Response) -> Outcome<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.no_answer(&error))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > ANSWER_MAX_BYTES {
                return Err(Failure::unreachable(format!("{} sent more than anybody asked for", self.name)));
            }
        }
        Ok(bytes)
    }

    /// Writes the whole body of an answer to a file, however large it is.
    pub(crate) async fn save(&self, mut response: Response, mut file: files::NewFile) -> Outcome<()> {
        while let Some(chunk) = response.chunk().await.map_err(|error| self.no_answer(&error))? {
            file.write(&chunk)?;
        }
        file.finish()
    }

    /// Passes each line of an answer to the caller as it arrives. A line may be as long as the maximum answer.
    pub(crate) async fn lines(
        &self,
        mut response: Response,
        mut take: impl FnMut(&[u8]) -> Outcome<()>,
    ) -> Outcome<()> {
        let mut waiting = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.no_answer(&error))? {
            waiting.extend_from_slice(&chunk);
            while let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
                take(&waiting[..end])?;
                waiting.drain(..=end);
            }
            if waiting.len() > ANSWER_MAX_BYTES {
                return Err(Failure::unreachable(format!("{} sent more than anybody asked for", self.name)));
            }
        }
        if waiting.is_empty() { Ok(()) } else { Err(self.nonsense(&"it ends within a line")) }
    }

    /// The caller, by the access token of this client.
    pub(crate) fn caller(&self) -> TokenCaller {
        self.token.as_ref().map(|token| TokenCaller::of(token)).unwrap_or_default()
    }

    fn no_answer(&self, error: &reqwest::Error) -> Failure {
        let said = chain("no answer", error);
        let failure = Failure::unreachable(format!("{} at {}: {said}", self.name, self.base));
        if said.contains("certificate") || said.contains("UnknownIssuer") {
            return failure
                .next("check ca_file: it must hold the authority that issued the server's certificate");
        }
        failure.next("check the address and the line, then try again")
    }

    pub(crate) fn nonsense(&self, error: &dyn std::fmt::Display) -> Failure {
        Failure::unreachable(format!(
            "{} at {} answered something else than JSON: {error}",
            self.name, self.base
        ))
        .next("check the address: another server may be listening there")
    }

    /// The failure for an answer that is JSON, but has a member of another form than expected, or lacks one.
    fn unexpected(&self, asked: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> Failure {
        let path = error.path().to_string();
        let member = if path == "." { String::new() } else { format!("{path}: ") };
        let what = format!(
            "{}: the answer to {asked} is not what it should be: {member}{}",
            self.name,
            error.inner()
        );
        Failure::unreachable(crate::output::safe(&what))
            .next("update rovumactl, or check the address: another server may be listening there")
    }

    /// The failure that a refusal means for the user.
    pub(crate) fn refusal(&self, status: StatusCode, body: &[u8]) -> Failure {
        let problem: Option<Problem> = serde_json::from_slice(body).ok();
        let said = problem.as_ref().map_or_else(
            || status.to_string(),
            |problem| {
                let detail = problem.detail.as_deref().unwrap_or(&problem.title);
                format!("{} ({})", crate::output::safe(detail), problem.code)
            },
        );
        let (exit, next) = match status {
            StatusCode::UNAUTHORIZED => (Exit::NotLoggedIn, Some("log in: rovumactl login")),
            StatusCode::TOO_MANY_REQUESTS => (Exit::Unreachable, Some("wait a while, then try again")),
            status if status.is_server_error() => (Exit::Unreachable, Some("try again later")),
            _ => (Exit::Refused, None),
        };
        let next = problem.as_ref().and_then(|problem| next_after(&problem.code)).or(next);
        let mut failure = Failure::new(exit, format!("{}: {said}", self.name));
        failure.next = next.map(ToOwned::to_owned);
        match problem {
            Some(problem) => failure.problem(problem),
            None => failure,
        }
    }
}

/// Escapes a name as one segment of a path, whatever it contains.
pub(crate) fn segment(name: &str) -> String {
    let mut url = base_url("http://localhost/").ok();
    if let Some(Ok(mut path)) = url.as_mut().map(Url::path_segments_mut) {
        path.clear().push(name);
    }
    url.map(|url| url.path().trim_start_matches('/').to_owned()).unwrap_or_default()
}

/// A client that trusts only the authorities of `ca_file` and follows no redirect: a token must not go to an address
/// that is not configured.
fn http_client(ca_file: Option<&Path>, answer: Duration) -> Outcome<reqwest::Client> {
    let roots = match ca_file {
        Some(path) => reqwest::Certificate::from_pem_bundle(&files::read(path)?)
            .ok()
            .filter(|roots| !roots.is_empty())
            .ok_or_else(|| Failure::usage(format!("{} holds no PEM certificate", path.display())))?,
        None => Vec::new(),
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(own_locale().as_str()));
    reqwest::Client::builder()
        .default_headers(headers)
        .tls_certs_only(roots)
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT)
        .read_timeout(answer)
        .build()
        .map_err(|error| Failure::local(chain("cannot make an HTTP client", &error)))
}

/// The language of the user's environment (POSIX, 8.2). Servers describe faults in it.
pub(crate) fn own_locale() -> Locale {
    let said = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|variable| std::env::var(variable).ok().filter(|value| !value.is_empty()));
    said.and_then(|value| value.get(..2)?.parse().ok()).unwrap_or_default()
}

/// Parses an address, which must be `https`, or `http` on this machine.
pub(crate) fn base_url(text: &str) -> Outcome<Url> {
    let mut url =
        Url::parse(text).map_err(|error| Failure::usage(format!("{text:?} is no address: {error}")))?;
    let secure = match url.scheme() {
        "https" => true,
        "http" => is_loopback(&url),
        _ => false,
    };
    if !secure {
        return Err(Failure::usage(format!("{text} is not encrypted"))
            .next("give an https:// address; http:// is taken only on a loopback host"));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_a_path() {
        for (name, part) in
            [("who read it", "who%20read%20it"), ("a/b?c#d", "a%2Fb%3Fc%23d"), ("..", ""), ("é", "%C3%A9")]
        {
            assert_eq!(segment(name), part);
        }
    }

    #[test]
    fn addresses_are_encrypted_or_local() {
        for good in
            ["https://gateway.mz.example", "http://127.0.0.1:1", "http://[::1]:1/x", "http://localhost"]
        {
            assert!(base_url(good).expect(good).path().ends_with('/'));
        }
        for bad in
            ["http://gateway.mz.example", "ftp://127.0.0.1", "gateway", "", "http://127.0.0.1.evil.example"]
        {
            assert!(base_url(bad).is_err(), "{bad:?} was taken");
        }
    }
}
