//! Log-ins that outlive their first access token, and those that must not.

use std::process::Stdio;

use crate::{
    harness::TestFolder,
    login::PendingLogin,
    provider::{ProviderBehaviour, RenewalFault, TOKEN, TestProvider, parameters},
    servers::TestServer,
};

const MESSAGE: &str = "0199c5a1-7b3e-7001-8a10-000000000001";
const NO_ITEMS: &str = r#"{"items":[]}"#;

fn provider(life_s: u64) -> TestProvider {
    faulty_provider(life_s, None)
}

fn faulty_provider(life_s: u64, renewal_fault: Option<RenewalFault>) -> TestProvider {
    TestProvider::start(ProviderBehaviour {
        renews: true,
        life_s: Some(life_s),
        renewal_fault,
        ..ProviderBehaviour::default()
    })
}

/// A folder whose configuration names this provider, and in which Maria has logged in.
fn logged_in(provider: &TestProvider) -> TestFolder {
    let desk = TestFolder::new();
    desk.write("rovumactl.toml", format!("[identity]\nissuer = \"{}\"\n", provider.issuer));
    let waiting = PendingLogin::start(&desk, &provider.issuer);
    let state = parameters(&waiting.url)["state"].clone();
    waiting.comes_back(&[("code", "c1"), ("state", &state)]);
    let (code, said) = waiting.ends();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("then renewed by itself"), "{said}");
    desk
}

/// The refresh tokens that were brought to the provider.
fn brought(provider: &TestProvider) -> Vec<String> {
    let asked = provider.asked.lock().expect("not poisoned");
    asked.iter().filter_map(|request| request.form.get("refresh_token").cloned()).collect()
}

fn inbox(server: &TestServer) -> String {
    format!("--config rovumactl.toml inbox --server {}", server.url)
}

#[test]
fn each_command_renews_a_token_that_has_expired() {
    // Expired at once: a token that lives no longer than the margin is not sent.
    let provider = provider(5);
    let desk = logged_in(&provider);
    let server = TestServer::start([("200 OK", NO_ITEMS), ("200 OK", NO_ITEMS)]);
    desk.ok(&inbox(&server));
    desk.ok(&inbox(&server));
    assert!(brought(&provider).starts_with(&["r1".to_owned()]), "{:?}", brought(&provider));
    assert!(!server.tokens().contains(&format!("{TOKEN}1")), "an expired token was sent");
    let mut once = brought(&provider);
    once.dedup();
    assert_eq!(once, brought(&provider), "each is good once");
    let form = provider.asked.lock().expect("not poisoned").last().expect("asked").form.clone();
    assert_eq!((form["grant_type"].as_str(), form["client_id"].as_str()), ("refresh_token", "rovumactl"));
}

#[test]
fn a_token_that_is_still_valid_is_not_renewed() {
    let provider = provider(600);
    let desk = logged_in(&provider);
    let server = TestServer::start([("200 OK", NO_ITEMS)]);
    desk.ok(&inbox(&server));
    assert_eq!(server.tokens(), [format!("{TOKEN}1")]);
    assert!(brought(&provider).is_empty());
}

/// The provider may have used the token up, and would take its second use for a theft.
#[test]
fn a_token_whose_renewal_was_not_answered_is_not_brought_again() {
    let provider = faulty_provider(5, Some(RenewalFault::Lost));
    let desk = logged_in(&provider);
    let server = TestServer::start([("200 OK", NO_ITEMS)]);
    desk.run(&inbox(&server)).is(6, "the log-in was not renewed, and cannot be any more");
    desk.run(&inbox(&server)).is(6, "rovumactl login");
    assert_eq!(brought(&provider), ["r1"]);
    assert!(server.tokens().is_empty());
}

#[test]
fn a_refusal_that_uses_no_token_up_ends_no_log_in() {
    let provider = faulty_provider(5, Some(RenewalFault::Refused("unauthorized_client")));
    let desk = logged_in(&provider);
    let server = TestServer::start([("200 OK", NO_ITEMS)]);
    desk.run(&inbox(&server)).is(3, "unauthorized_client");
    desk.run(&inbox(&server)).is(3, "unauthorized_client");
    assert_eq!(brought(&provider), ["r1", "r1"]);
}

#[test]
fn a_command_goes_on_as_nobody_else() {
    let provider = faulty_provider(11, Some(RenewalFault::OtherPerson));
    let desk = logged_in(&provider);
    let server = TestServer::start(under_way());
    desk.run(&follow(&server)).is(6, "somebody else has logged in");
    assert!(server.tokens().iter().all(|token| *token == format!("{TOKEN}1")), "{:?}", server.tokens());
}

/// The stream of events, which ends at once, and the trace of a message that has not arrived, by turns.
fn under_way() -> impl Iterator<Item = (&'static str, String)> {
    let trace = format!(
        r#"{{"id":"{MESSAGE}","direction":"sent","hops":[],"copies":[{{"recipient":"tz.tpf","lane":"normal",
        "state":"queued","since":"2026-11-27T10:00:00Z","attempts":1}}]}}"#
    );
    [String::new(), trace].map(|body| ("200 OK", body)).into_iter().cycle().take(40)
}

fn follow(server: &TestServer) -> String {
    format!("--config rovumactl.toml trace --follow --timeout 7s {MESSAGE} --server {}", server.url)
}

#[test]
fn a_command_outlives_its_token() {
    // Valid for about a second when the margin is taken off: the wait for receipts is longer.
    let provider = provider(11);
    let desk = logged_in(&provider);
    let server = TestServer::start(under_way());
    desk.run(&follow(&server)).is(1, "not every receipt came in time");
    let tokens = server.tokens();
    assert_eq!(tokens[0], format!("{TOKEN}1"), "{tokens:?}");
    assert_ne!(tokens[0], *tokens.last().expect("requests"), "never renewed");
    assert_eq!(brought(&provider)[0], "r1");
}

#[test]
fn commands_that_run_at_once_use_no_token_twice() {
    let provider = provider(5);
    let desk = logged_in(&provider);
    let server = TestServer::start(std::iter::repeat_n(("200 OK", NO_ITEMS), 6));
    let start = |_| {
        let mut command = desk.command();
        command.args(inbox(&server).split_whitespace()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().expect("runs")
    };
    let running: Vec<_> = (0..6).map(start).collect();
    for child in running {
        let output = child.wait_with_output().expect("ours");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let mut once = brought(&provider);
    let all = once.len();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), all, "the provider would have ended the log-in");
}

#[test]
fn a_log_in_that_the_provider_has_ended_is_forgotten() {
    let provider = provider(5);
    let desk = logged_in(&provider);
    let server = TestServer::start([("200 OK", NO_ITEMS)]);
    desk.ok(&inbox(&server));
    // Somebody else has used a copy of the token file: the newest token is no longer the one in the file.
    let stolen = brought(&provider)[0].clone();
    let runtime = runtime();
    let form = [("grant_type", "refresh_token"), ("refresh_token", stolen.as_str())];
    let status = runtime.block_on(async {
        let request = reqwest::Client::new().post(format!("{}/token", provider.issuer)).form(&form);
        request.send().await.expect("answers").status().as_u16()
    });
    assert_eq!(status, 400);
    desk.run(&inbox(&server)).is(6, "rovumactl login");
    let before = brought(&provider).len();
    desk.run(&inbox(&server)).is(6, "not logged in");
    assert_eq!(brought(&provider).len(), before, "a token that is gone is not brought again");
}

#[test]
fn a_log_out_is_told_to_the_provider() {
    let provider = provider(600);
    let desk = logged_in(&provider);
    desk.ok("--config rovumactl.toml logout");
    let form = provider.asked.lock().expect("not poisoned").last().expect("asked").form.clone();
    assert_eq!((form["token"].as_str(), form["client_id"].as_str()), ("r1", "rovumactl"));
    desk.run("--config rovumactl.toml whoami").is(6, "not logged in");
}

#[test]
fn the_commands_that_follow_act_as_the_machine_that_logged_in() {
    let provider = TestProvider::start(ProviderBehaviour::default());
    let desk = TestFolder::new();
    desk.write("rovumactl.toml", format!("[identity]\nissuer = \"{}\"\n", provider.issuer));
    desk.write_private("secret", "s\n");
    desk.ok("--config rovumactl.toml login --client-id mz.prm.cad --client-secret-file secret");
    desk.run("--config rovumactl.toml whoami").is(0, "mz.prm");
    let server = TestServer::start([("200 OK", NO_ITEMS)]);
    desk.ok(&inbox(&server));
    assert_eq!(server.tokens(), [TOKEN]);
    // A person's log-in takes its place, and a log-out of the machine ends it.
    desk.ok("--config rovumactl.toml logout");
    desk.run("--config rovumactl.toml whoami").is(6, "not logged in");
}

#[test]
fn a_machines_token_is_renewed_with_its_secret() {
    let provider = TestProvider::start(ProviderBehaviour { life_s: Some(5), ..ProviderBehaviour::default() });
    let desk = TestFolder::new();
    desk.write("rovumactl.toml", format!("[identity]\nissuer = \"{}\"\n", provider.issuer));
    desk.write_private("secret", "s\n");
    desk.ok("--config rovumactl.toml login --client-id mz.prm.cad --client-secret-file secret");
    let server = TestServer::start([("200 OK", NO_ITEMS)]);
    desk.ok(&inbox(&server));
    let asked = provider.asked.lock().expect("not poisoned").clone();
    assert!(asked.len() >= 2, "{asked:?}");
    assert!(asked.iter().all(|request| request.form["grant_type"] == "client_credentials"), "{asked:?}");
}

fn runtime() -> tokio::runtime::Runtime {
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Runtime::new().expect("a runtime")
}
