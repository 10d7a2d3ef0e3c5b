//! The loopback redirect (RFC 8252 §7.3): receives one request from the browser on a free port of this machine, or its address
//! from whoever logged in on another machine.

use std::{collections::HashMap, future::IntoFuture as _, net::Ipv4Addr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderName, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use tokio::{
    net::TcpListener,
    sync::mpsc::{self, Receiver, Sender},
};

use url::Url;

use crate::{
    app::App,
    exit::{Exit, Failure, Outcome},
};

const PATH: &str = "/callback";

/// Time limit for the browser to fetch the last page.
const PARTING: Duration = Duration::from_secs(1);

type Parameters = HashMap<String, String>;

/// A listener that waits for the browser's redirect.
pub(super) struct Loopback {
    listener: TcpListener,
    redirect_uri: String,
}

/// What the handler needs to recognise the redirect of this log-in.
struct ExpectedRedirect {
    state: String,
    found: Sender<Parameters>,
}

impl Loopback {
    /// Listens on `port`; on any free one for 0.
    pub(super) async fn listen(port: u16) -> Outcome<Self> {
        let failed = |error| Failure::local(format!("cannot listen on the loopback address: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        Ok(Self { listener, redirect_uri: format!("http://127.0.0.1:{port}{PATH}") })
    }

    pub(super) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Waits for the redirect that carries this `state`, or for its address on standard input, and returns its code.
    pub(super) async fn answer(self, app: &App, state: &str, issuer: &str) -> Outcome<String> {
        let (found, mut answers) = mpsc::channel(1);
        let expected = Arc::new(ExpectedRedirect { state: state.to_owned(), found });
        let router = Router::new().route(PATH, get(callback)).with_state(expected);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let server = axum::serve(self.listener, router).with_graceful_shutdown(async {
            // An error means that the other half was dropped, which stops the server as well.
            let _ = stopped.await;
        });
        let mut serving = std::pin::pin!(server.into_future());
        let parameters = tokio::select! {
            _ = &mut serving => return Err(Failure::local("the loopback listener has gone")),
            parameters = next(&mut answers) => parameters?,
            parameters = pasted(app, state) => return code(&parameters?, issuer),
        };
        drop(stop);
        // Let the page go out before closing; a browser may hold other connections open for ever.
        let _ = tokio::time::timeout(PARTING, serving).await;
        code(&parameters, issuer)
    }
}

async fn next(answers: &mut Receiver<Parameters>) -> Outcome<Parameters> {
    answers.recv().await.ok_or_else(|| Failure::local("the loopback listener has gone"))
}

/// The parameters of the address that somebody pastes. Pending for ever once standard input has ended, because the browser may
/// still come back.
///
/// # Errors
/// Standard input ended after something else was pasted: whoever pasted it has no browser on this machine, and nobody can paste
/// again.
async fn pasted(app: &App, state: &str) -> Outcome<Parameters> {
    let (lines, mut pasted) = mpsc::channel(1);
    // The thread stays until a line comes: the process does not wait for it.
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    let mut is_wrong = false;
    while let Some(line) = pasted.recv().await {
        let parameters: Parameters =
            Url::parse(line.trim()).map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default();
        if parameters.get("state").is_some_and(|said| said == state) {
            return Ok(parameters);
        }
        if !line.trim().is_empty() {
            is_wrong = true;
            app.out.note("this is not the address at which this log-in ended");
        }
    }
    if is_wrong {
        return Err(Failure::usage("nothing that was pasted is the address at which this log-in ended")
            .next("run it again, and paste the whole address of the page at which the browser ends"));
    }
    std::future::pending().await
}

/// Any page can send a browser here, so a request without our `state` is refused and changes nothing.
async fn callback(
    State(expected): State<Arc<ExpectedRedirect>>,
    Query(parameters): Query<Parameters>,
) -> impl IntoResponse {
    let ours = parameters.get("state").is_some_and(|state| *state == expected.state);
    let (status, text) = if !ours {
        (StatusCode::BAD_REQUEST, "This is not the answer that rovumactl waits for.")
    } else if expected.found.try_send(parameters).is_err() {
        (StatusCode::BAD_REQUEST, "rovumactl has its answer already.")
    } else {
        (StatusCode::OK, "You may close this page and go back to the terminal.")
    };
    const REFERRER: HeaderName = header::REFERRER_POLICY;
    (status, [(header::CACHE_CONTROL, "no-store"), (REFERRER, "no-referrer")], text)
}

/// The code, or why there is none (RFC 6749 §4.1.2.1). `iss` must be the provider that was asked (RFC 9207).
fn code(parameters: &Parameters, issuer: &str) -> Outcome<String> {
    if parameters.get("iss").is_some_and(|said| said != issuer) {
        return Err(Failure::verification("the browser came back from another identity provider"));
    }
    if let Some(error) = parameters.get("error") {
        let detail = parameters.get("error_description").map_or("", String::as_str);
        let what = crate::output::safe(&format!("the identity provider refused: {error} {detail}"));
        return Err(Failure::new(Exit::Refused, what.trim_end()));
    }
    parameters
        .get("code")
        .cloned()
        .ok_or_else(|| Failure::unreachable("the identity provider sent the browser back with no code"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::CommandOutput;

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_code_of_another_provider_is_not_redeemed() {
        let good = parameters(&[("code", "c"), ("iss", "https://id.mz")]);
        assert_eq!(code(&good, "https://id.mz").expect("a code"), "c");
        let mixed_up = parameters(&[("code", "c"), ("iss", "https://id.evil")]);
        assert_eq!(code(&mixed_up, "https://id.mz").expect_err("refused").exit, Exit::Verification);
    }

    #[test]
    fn a_refusal_is_told() {
        let refused = parameters(&[("error", "access_denied"), ("error_description", "no")]);
        let failure = code(&refused, "https://id.mz").expect_err("refused");
        assert!(failure.what.contains("access_denied no"), "{}", failure.what);
        assert!(code(&parameters(&[]), "https://id.mz").is_err());
    }

    #[tokio::test]
    async fn only_an_answer_with_our_state_counts() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let loopback = Loopback::listen(0).await.expect("listens");
        let uri = loopback.redirect_uri().to_owned();
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("rovumactl.toml");
        std::fs::write(&config, "").expect("written");
        let app = App::new(Some(&config), None, CommandOutput::new(false)).expect("an app");
        let waiting = tokio::spawn(async move { loopback.answer(&app, "right", "https://id.mz").await });
        let client = reqwest::Client::new();
        let forged = client.get(format!("{uri}?code=evil&state=wrong")).send().await.expect("answers");
        assert_eq!(forged.status(), 400);
        let ours = client.get(format!("{uri}?code=good&state=right")).send().await.expect("answers");
        assert_eq!(ours.status(), 200);
        assert_eq!(waiting.await.expect("no panic").expect("a code"), "good");
    }
}
