//! The tool's own acts are recorded, and wait while they cannot be shipped.

use crate::harness::TestFolder;

fn configured(desk: &TestFolder) {
    desk.ok("keys generate service --out own.pem");
    desk.ok("keys generate service --out audit.pem");
    desk.ok("keys generate sealing --out audit.key");
    desk.write(
        "ctl.toml",
        "country = \"mz\"\n[store]\nurl = \"sqlite:ctl.db\"\n[audit]\nsource = \"mz.rovumactl\"\n\
         key_file = \"own.pem\"\nrecipient_file = \"audit.pub\"\nack_key_file = \"audit.jwk\"\n\
         ship_timeout_ms = 300\n",
    );
}

#[test]
fn an_act_is_recorded_even_when_it_cannot_be_shipped() {
    let desk = TestFolder::new();
    configured(&desk);
    let ended = desk.ok("--config ctl.toml keys generate signing --out prm.pem --agency mz.prm");
    ended.is(0, "the audit event stays on this machine for now");
    assert!(!ended.stderr.contains("not audited"), "{ended:?}");
    let ended = desk.run("--json --config ctl.toml audit ship");
    assert_ne!(ended.code, 0);
    assert!(desk.path("ctl.db").exists());
}

#[test]
fn a_broker_that_is_away_keeps_nobody_from_working() {
    let desk = TestFolder::new();
    configured(&desk);
    for name in ["ca.pem", "cert.pem", "key.pem"] {
        desk.write_private(name, "not read before the connection");
    }
    let broker = "[broker]\nurl = \"amqps://127.0.0.1:9/rovuma\"\nca_file = \"ca.pem\"\n\
                  cert_file = \"cert.pem\"\nkey_file = \"key.pem\"\n";
    desk.write("ctl.toml", format!("{}{broker}", desk.read("ctl.toml")));
    let ended = desk.ok("--config ctl.toml keys generate signing --out prm.pem");
    ended.is(0, "the audit event stays on this machine for now");
    assert!(desk.path("prm.pem").exists());
}

#[test]
fn what_cannot_be_recorded_is_not_done() {
    let desk = TestFolder::new();
    configured(&desk);
    desk.write("ctl.toml", desk.read("ctl.toml").replace("sqlite:ctl.db", "sqlite:nowhere/ctl.db"));
    desk.run("--config ctl.toml keys generate signing --out prm.pem").is(7, "store of audit events");
    assert!(!desk.path("prm.pem").exists());
}

#[test]
fn half_a_configuration_is_refused() {
    let desk = TestFolder::new();
    desk.write("ctl.toml", "[store]\nurl = \"sqlite:ctl.db\"\n");
    desk.run("--config ctl.toml keys generate signing --out prm.pem")
        .is(2, "only one of [store] and [audit]");
    assert!(!desk.path("prm.pem").exists());
}

#[test]
fn a_failed_act_is_recorded_too() {
    let desk = TestFolder::new();
    configured(&desk);
    desk.run("--config ctl.toml keys generate signing --out nowhere/prm.pem").is(7, "nowhere/prm.pem");
    // One event waits, and shipping it needs a broker.
    desk.run("--config ctl.toml audit ship").is(2, "[broker]");
}

#[test]
fn with_nothing_recorded_nothing_waits() {
    let desk = TestFolder::new();
    configured(&desk);
    assert_eq!(desk.json("--config ctl.toml audit ship")["acknowledged"], 0);
    desk.run("audit ship").is(2, "nothing is recorded");
}
