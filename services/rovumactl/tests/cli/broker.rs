//! `rovumactl broker` against a real RabbitMQ.

use rovuma_lab::rabbit::{RabbitNode, RabbitOptions};
use serde_json::Value;

use crate::harness::{CommandResult, TestFolder};

const SPEC: &str = r#"country = "mz"

[[gateways]]
name = "police"
agencies = ["mz.prm", "mz.node"]

[[partners]]
country = "tz"
[partners.link]
host = "rabbit.tz.example"
port = 5671
ca_file = "/etc/rovuma/tz-ca.pem"
cert_file = "/etc/rovuma/link.pem"
key_file = "/etc/rovuma/link.key"
"#;

#[test]
fn a_specification_is_checked_and_gives_definitions() {
    let desk = TestFolder::new();
    desk.write("node.toml", SPEC);
    let definitions = desk.json("broker definitions --spec node.toml");
    let queues = definitions["queues"].as_array().expect("a list");
    assert!(queues.iter().any(|queue| queue["name"] == "link.tz.urgent"));
    desk.write("typo.toml", SPEC.replace("agencies", "agancies"));
    desk.run("broker definitions --spec typo.toml").is(2, "agancies");
    desk.write("foreign.toml", SPEC.replace("mz.prm", "tz.tpf"));
    desk.run("broker definitions --spec foreign.toml").is(2, "tz.tpf");
    desk.write("no-node.toml", SPEC.replace(", \"mz.node\"", ""));
    desk.run("broker definitions --spec no-node.toml").is(2, "mz.node");
}

#[test]
fn the_management_api_must_be_known_and_encrypted() {
    let desk = TestFolder::new();
    desk.write("node.toml", SPEC);
    desk.write_private("password", "p\n");
    desk.run("broker check --spec node.toml").is(2, "--url");
    desk.run(
        "broker check --spec node.toml --url http://rabbit.example:15672 --user a --password-file password",
    )
    .is(2, "not encrypted");
    desk.run("broker check --spec node.toml --url https://127.0.0.1:9 --user a").is(2, "--password-file");
    desk.run("broker check --spec node.toml --url https://127.0.0.1:9 --user a --password-file password")
        .is(4, "management API");
}

struct BrokerFixture {
    desk: TestFolder,
    rabbit: RabbitNode,
}

impl BrokerFixture {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let desk = TestFolder::new();
        desk.write("node.toml", SPEC);
        let rabbit = RabbitNode::start(&desk.path("rabbit"), RabbitOptions::new("ctl"), |_| {}).await;
        Self { rabbit: rabbit.expect("RabbitMQ starts"), desk }
    }

    async fn run(&self, line: &str) -> CommandResult {
        let (user, password) = self.rabbit.admin();
        let line = format!(
            "--json broker {line} --spec node.toml --url {} --ca-file {} --user {user} --password-file {}",
            self.rabbit.management().base().trim_end_matches("/api"),
            self.rabbit.authority().ca_file().display(),
            password.display(),
        );
        let mut command = self.desk.command();
        command.args(line.split_whitespace());
        let output =
            tokio::task::spawn_blocking(move || command.output().expect("runs")).await.expect("no panic");
        CommandResult {
            code: output.status.code().expect("not killed"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

fn names(differences: &Value) -> Vec<String> {
    let list = differences.as_array().expect("a list");
    list.iter().map(|one| format!("{} {}", one["section"], one["name"]).replace('"', "")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topology_is_applied_verified_and_restored() {
    let mut node = BrokerFixture::start().await;

    let fresh = node.run("check").await;
    assert_eq!(fresh.code, 1, "{fresh:?}");
    let dry = node.run("apply --dry-run").await;
    assert_eq!(dry.code, 0, "{dry:?}");
    assert_eq!(node.run("check").await.code, 1, "a dry run changes nothing");

    let applied = node.run("apply").await;
    assert_eq!(applied.code, 0, "{applied:?}");
    assert_eq!(applied.json()["now"]["differences"], serde_json::json!([]));
    assert!(applied.stderr.contains("not audited"), "{applied:?}");

    // The partner's broker is down, so the links do not run, and the command says so.
    let checked = node.run("check").await;
    assert_eq!(checked.code, 1, "{checked:?}");
    assert_eq!(checked.json()["differences"], serde_json::json!([]));
    let shovels = checked.json()["shovels"].clone();
    assert_eq!(shovels.as_array().map(Vec::len), Some(3), "{shovels:#}");
    assert!(shovels.as_array().expect("a list").iter().all(|shovel| shovel["state"] != "running"));

    let again = node.run("apply").await;
    assert_eq!(again.json()["before"], serde_json::json!([]), "it converges");

    let management = node.rabbit.management();
    management.delete("/queues/rovuma/link.tz.bulk").await.expect("deleted");
    let stranger = serde_json::json!({ "password": "stranger", "tags": "administrator" });
    management.put("/users/stranger", &stranger).await.expect("added");
    let checked = node.run("check").await.json()["differences"].clone();
    let found = names(&checked);
    assert!(found.contains(&"queues link.tz.bulk".to_owned()), "{found:?}");
    assert!(found.contains(&"users stranger".to_owned()), "{found:?}");

    let careful = node.run("apply").await;
    assert_eq!(careful.code, 1, "{careful:?}");
    assert_eq!(names(&careful.json()["now"]["differences"]), ["users stranger"]);
    let pruned = node.run("apply --prune").await;
    assert_eq!(pruned.code, 0, "{pruned:?}");
    assert_eq!(pruned.json()["removed"], serde_json::json!(["users stranger"]));

    node.desk.write_private("wrong", "wrong\n");
    let line = format!(
        "broker check --spec node.toml --url {} --ca-file {} --user {} --password-file wrong",
        node.rabbit.management().base().trim_end_matches("/api"),
        node.rabbit.authority().ca_file().display(),
        node.rabbit.admin().0,
    );
    node.desk.run(&line).is(3, "check the password");
    let stranger_ca = line.replace(&node.rabbit.authority().ca_file().display().to_string(), "none.pem");
    node.desk.run(&stranger_ca).is(2, "none.pem");
    node.rabbit.stop().await;
}
