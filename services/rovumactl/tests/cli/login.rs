//! Logging in with a browser and as a machine, and the log-ins that must be refused.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStderr, Stdio},
};

use rovuma_tokens::Pkce;
use url::Url;

use crate::{
    harness::{TestFolder, files},
    provider::{ProviderBehaviour, TOKEN, TestProvider, parameters},
};

/// A log-in that waits for the browser.
pub(crate) struct PendingLogin {
    child: Child,
    stderr: BufReader<ChildStderr>,
    pub(crate) url: Url,
}

impl PendingLogin {
    pub(crate) fn start(desk: &TestFolder, issuer: &str) -> Self {
        let mut command = desk.command();
        command.args(["login", "--no-browser", "--issuer", issuer]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("runs");
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        let url = loop {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).expect("UTF-8"), 0, "no address was printed");
            if let Ok(url) = Url::parse(line.trim()) {
                break url;
            }
        };
        Self { child, stderr, url }
    }

    /// Redirects back as a browser would, with these parameters, and returns the status.
    pub(crate) fn comes_back(&self, answer: &[(&str, &str)]) -> u16 {
        let mut back = Url::parse(&parameters(&self.url)["redirect_uri"]).expect("an address");
        back.query_pairs_mut().extend_pairs(answer);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async { reqwest::get(back).await.expect("answers").status().as_u16() })
    }

    /// Pastes a line.
    fn paste(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().expect("piped"), "{line}").expect("written");
    }

    /// Ends standard input.
    fn stop_pasting(&mut self) {
        self.child.stdin = None;
    }

    pub(crate) fn ends(mut self) -> (i32, String) {
        let mut said = String::new();
        self.child.stdout.take().expect("piped").read_to_string(&mut said).expect("UTF-8");
        self.stderr.read_to_string(&mut said).expect("UTF-8");
        (self.child.wait().expect("ours").code().expect("not killed"), said)
    }
}

#[test]
fn a_person_logs_in_through_a_loopback_redirect_with_pkce() {
    let (desk, provider) = (TestFolder::new(), TestProvider::start(ProviderBehaviour::default()));
    let waiting = PendingLogin::start(&desk, &provider.issuer);
    let asked = parameters(&waiting.url);
    assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", "rovumactl"));
    assert_eq!(asked["code_challenge_method"], "S256");
    assert!(asked["redirect_uri"].starts_with("http://127.0.0.1:"));
    let (state, issuer) = (asked["state"].clone(), provider.issuer.clone());
    assert_eq!(waiting.comes_back(&[("code", "evil"), ("state", "guessed")]), 400);
    assert_eq!(waiting.comes_back(&[("code", "c1"), ("state", &state), ("iss", &issuer)]), 200);
    let (code, said) = waiting.ends();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Maria of mz.prm (auditor)"), "{said}");
    assert!(!said.contains(TOKEN), "the token was printed");

    let redeemed = provider.asked.lock().expect("not poisoned")[0].clone();
    assert_eq!(
        (redeemed.form["code"].as_str(), &redeemed.form["redirect_uri"]),
        ("c1", &asked["redirect_uri"])
    );
    assert!(Pkce::is_proof(&asked["code_challenge"], &redeemed.form["code_verifier"]));

    let kept: Vec<_> = files(&desk.path(".local/state/rovuma"));
    let name = kept[0].strip_prefix(desk.path("")).expect("below").to_str().expect("UTF-8").to_owned();
    assert_eq!((kept.len(), desk.mode(&name), desk.mode(".local/state/rovuma")), (1, 0o600, 0o700));
    let who = desk.json(&format!("whoami --issuer {issuer}"));
    assert_eq!((who["agency"].as_str(), who["subject"].as_str()), (Some("mz.prm"), Some("u1")));
    desk.run(&format!("whoami --issuer {issuer} --client-id other")).is(6, "not logged in");
    desk.ok(&format!("logout --issuer {issuer}"));
    assert!(files(&desk.path(".local/state/rovuma")).is_empty());
}

#[test]
fn a_person_logs_in_on_another_machine_and_pastes_the_address() {
    let (desk, provider) = (TestFolder::new(), TestProvider::start(ProviderBehaviour::default()));
    let mut waiting = PendingLogin::start(&desk, &provider.issuer);
    let asked = parameters(&waiting.url);
    let back = |code: &str, state: &str| {
        let mut back = Url::parse(&asked["redirect_uri"]).expect("an address");
        back.query_pairs_mut().extend_pairs([("code", code), ("state", state)]);
        back.to_string()
    };
    waiting.paste("what now?");
    waiting.paste(&back("evil", "guessed"));
    waiting.paste(&back("c1", &asked["state"]));
    let (code, said) = waiting.ends();
    assert_eq!(code, 0, "{said}");
    assert_eq!(said.matches("this is not the address").count(), 2, "{said}");
    assert_eq!(provider.asked.lock().expect("not poisoned")[0].form["code"], "c1");
}

/// The browser comes back to this machine without anything being pasted, so an end of the input alone ends nothing.
#[test]
fn a_log_in_ends_when_what_was_pasted_is_wrong_and_nothing_more_can_be() {
    let (desk, provider) = (TestFolder::new(), TestProvider::start(ProviderBehaviour::default()));
    let mut waiting = PendingLogin::start(&desk, &provider.issuer);
    waiting.stop_pasting();
    let state = parameters(&waiting.url)["state"].clone();
    assert_eq!(waiting.comes_back(&[("code", "c1"), ("state", &state)]), 200);
    assert_eq!(waiting.ends().0, 0);
    let mut waiting = PendingLogin::start(&desk, &provider.issuer);
    waiting.paste("http://127.0.0.1/callback?code=c1");
    waiting.stop_pasting();
    let begun = std::time::Instant::now();
    let (code, said) = waiting.ends();
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("paste the whole address"), "{said}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(60), "it waited for the browser");
}

#[test]
fn each_name_has_a_log_in_of_its_own() {
    let provider = TestProvider::start(ProviderBehaviour::default());
    let desk = TestFolder::new();
    desk.write_private("secret", "s\n");
    let machine = format!("--issuer {} --client-id mz.prm.cad --client-secret-file secret", provider.issuer);
    desk.ok(&format!("--as cad login {machine}"));
    let whoami = format!("whoami --issuer {}", provider.issuer);
    desk.ok(&format!("--as cad {whoami}"));
    desk.run(&whoami).is(6, "not logged in");
    desk.run(&format!("--as other {whoami}")).is(6, "log in: rovumactl --as other login");
    desk.run("inbox --as other --server http://127.0.0.1:9").is(6, "rovumactl --as other login");
    desk.ok(&format!("--as cad logout --issuer {}", provider.issuer));
    desk.run(&format!("--as cad {whoami}")).is(6, "not logged in");
}

#[test]
fn an_answer_of_another_provider_is_not_redeemed() {
    let (desk, provider) = (TestFolder::new(), TestProvider::start(ProviderBehaviour::default()));
    let waiting = PendingLogin::start(&desk, &provider.issuer);
    let state = parameters(&waiting.url)["state"].clone();
    waiting.comes_back(&[("code", "c1"), ("state", &state), ("iss", "https://evil.example")]);
    let (code, said) = waiting.ends();
    assert_eq!(code, 5, "{said}");
    assert!(provider.asked.lock().expect("not poisoned").is_empty(), "the code was redeemed");
}

#[test]
fn a_refusal_of_the_provider_is_told() {
    let (desk, provider) = (TestFolder::new(), TestProvider::start(ProviderBehaviour::default()));
    let waiting = PendingLogin::start(&desk, &provider.issuer);
    let state = parameters(&waiting.url)["state"].clone();
    waiting.comes_back(&[("error", "access_denied"), ("state", &state)]);
    let (code, said) = waiting.ends();
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("access_denied"), "{said}");
}

#[test]
fn a_provider_that_calls_itself_otherwise_is_refused() {
    let provider = TestProvider::start(ProviderBehaviour {
        calls_itself: Some("https://id.mz.example"),
        ..ProviderBehaviour::default()
    });
    TestFolder::new().run(&format!("login --issuer {}", provider.issuer)).is(5, "calls itself");
}

#[test]
fn a_machine_logs_in_with_its_secret() {
    let (desk, provider) = (TestFolder::new(), TestProvider::start(ProviderBehaviour::default()));
    desk.write_private("secret", "s:e c\n");
    let machine = format!("--issuer {} --client-id mz.prm.cad --client-secret-file secret", provider.issuer);
    let ended = desk.ok(&format!("login {machine}"));
    assert!(!ended.stdout.contains(TOKEN) && !ended.stderr.contains(TOKEN), "the token was printed");
    let asked = provider.asked.lock().expect("not poisoned")[0].clone();
    assert_eq!(asked.form["grant_type"], "client_credentials");
    // RFC 6749, 2.3.1: base64 of `mz.prm.cad:s%3Ae+c`.
    assert_eq!(asked.authorization.as_deref(), Some("Basic bXoucHJtLmNhZDpzJTNBZStj"));
}

#[test]
fn the_provider_must_be_known() {
    TestFolder::new().run("login").is(2, "--issuer");
    TestFolder::new().run("whoami").is(2, "--issuer");
}

#[test]
fn a_provider_that_is_away_is_unreachable() {
    TestFolder::new().run("login --issuer http://127.0.0.1:9").is(4, "identity provider");
}

#[test]
fn a_provider_in_clear_text_is_refused() {
    TestFolder::new().run("login --issuer http://id.mz.example").is(2, "not encrypted");
}

#[test]
fn nobody_is_logged_in_at_first() {
    let desk = TestFolder::new();
    desk.run("whoami --issuer http://127.0.0.1:9").is(6, "rovumactl login");
    desk.run("logout --issuer http://127.0.0.1:9").is(0, "was not logged in");
}

#[test]
fn a_secret_that_everybody_can_read_is_refused_before_it_is_sent() {
    let desk = TestFolder::new();
    desk.write("secret", "s\n");
    let ended =
        desk.run("login --issuer http://127.0.0.1:9 --client-id mz.prm.cad --client-secret-file secret");
    ended.is(2, "chmod 600");
}
