//! What `deploy/install.md` installs: certificates that the services and the broker take, and units that leave a service no
//! more than it needs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use rovuma_broker::{Broker, BrokerConfig};

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn certificates(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(deploy("certificates")).args(arguments).current_dir(folder).output().expect("runs")
}

fn ok(folder: &Path, arguments: &[&str]) {
    let output = certificates(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

/// What `openssl x509` says of a certificate.
fn shown(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("openssl");
    command.args(["x509", "-noout", "-in"]).args(arguments).current_dir(folder);
    String::from_utf8(command.output().expect("openssl runs").stdout).expect("UTF-8")
}

fn verifies(folder: &Path, certificate: &str) -> bool {
    let mut command = Command::new("openssl");
    command.args(["verify", "-CAfile", "ca.pem", certificate]).current_dir(folder);
    command.output().expect("openssl runs").status.success()
}

#[test]
fn an_authority_issues_what_broker_and_services_need() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    ok(path, &["authority", "Rovuma mz"]);
    ok(path, &["server", "broker", "rabbit.mz.example", "10.0.0.1"]);
    ok(path, &["client", "gateway.police"]);
    let names = shown(path, &["broker.pem", "-ext", "subjectAltName,extendedKeyUsage"]);
    assert!(names.contains("DNS:rabbit.mz.example") && names.contains("IP Address:10.0.0.1"), "{names}");
    let client =
        shown(path, &["gateway.police.pem", "-subject", "-ext", "extendedKeyUsage,basicConstraints"]);
    assert!(client.contains("CN = gateway.police") && client.contains("Client"), "{client}");
    assert!(client.contains("CA:FALSE") && !client.contains("Server"), "{client}");
    assert!(verifies(path, "broker.pem") && verifies(path, "gateway.police.pem"));
    let config = BrokerConfig {
        url: "amqps://rabbit.mz.example:5671/rovuma".to_owned(),
        ca_file: path.join("ca.pem"),
        cert_file: path.join("gateway.police.pem"),
        key_file: path.join("gateway.police.key"),
        server_name: None,
    };
    Broker::check(&config).expect("a service takes them");
    let key = fs::read(path.join("gateway.police.key")).expect("the key");
    ok(path, &["client", "gateway.police"]);
    assert_eq!(fs::read(path.join("gateway.police.key")).expect("the key"), key, "a renewal keeps the key");
}

#[test]
fn a_partners_request_is_signed_for_its_link_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (folder.path().join("tz"), folder.path().join("mz"));
    for path in [&ours, &theirs] {
        fs::create_dir(path).expect("made");
    }
    ok(&ours, &["authority", "Rovuma tz"]);
    // The request names somebody else: what counts is what the authority writes.
    ok(&theirs, &["request", "gateway.police"]);
    let request = theirs.join("gateway.police.csr").display().to_string();
    ok(&ours, &["sign", "link.mz", &request]);
    let subject = shown(&ours, &["link.mz.pem", "-subject"]);
    assert_eq!(subject.trim(), "subject=CN = link.mz");
    assert!(verifies(&ours, "link.mz.pem"));
    assert!(!ours.join("link.mz.key").exists(), "the private key stays with the partner");
    for name in ["x/CN=gateway.police", "", "a b"] {
        assert_eq!(certificates(&ours, &["sign", name, &request]).status.code(), Some(2), "{name:?}");
    }
}

const UNITS: [&str; 4] = ["rovuma-gateway", "rovuma-identity", "rovuma-audit", "rovuma-watchlist"];

/// Lines without which a unit would leave a service more than it needs.
const REQUIRED: [&str; 16] = [
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectControlGroups=yes",
    "RestrictNamespaces=yes",
    "RestrictSUIDSGID=yes",
    "MemoryDenyWriteExecute=yes",
    "SystemCallFilter=@system-service",
    "StateDirectoryMode=0700",
    "LimitCORE=0",
    "UMask=0077",
];

#[test]
fn every_service_has_a_unit_that_confines_it() {
    for unit in UNITS {
        let text = fs::read_to_string(deploy("systemd").join(format!("{unit}.service"))).expect("the unit");
        let has = |line: &str| text.lines().any(|own| own == line);
        for line in REQUIRED {
            assert!(has(line), "{unit} lacks {line}");
        }
        let name = unit.trim_start_matches("rovuma-");
        for line in [
            format!("User={unit}"),
            format!("StateDirectory={unit}"),
            format!("LoadCredential=key:/etc/rovuma/keys/{name}"),
            format!("ExecStart=/usr/local/bin/{unit} --config /etc/rovuma/{name}.toml --log json"),
        ] {
            assert!(has(&line), "{unit} lacks {line}");
        }
    }
}

/// systemd rates a unit from 0 (confined) to 10 (not at all), times ten here.
const EXPOSURE_MAX: &str = "--threshold=20";

#[test]
fn systemd_understands_the_units() {
    let analyze = |arguments: &[&str]| Command::new("systemd-analyze").args(arguments).output();
    analyze(&["--version"]).expect("systemd-analyze, which tests/run installs");
    let folder = tempfile::tempdir().expect("a folder");
    for unit in UNITS {
        let name = format!("{unit}.service");
        let text = fs::read_to_string(deploy("systemd").join(&name)).expect("the unit");
        let copy = folder.path().join(&name);
        // The program is not installed here.
        let text = text.replace(&format!("/usr/local/bin/{unit}"), "/bin/true");
        fs::write(&copy, text).expect("written");
        let copy = copy.display().to_string();
        let verified = analyze(&["verify", "--man=no", &copy]).expect("runs");
        assert!(verified.status.success() && verified.stderr.is_empty(), "{unit}: {verified:?}");
        let rated = analyze(&["security", "--offline=true", EXPOSURE_MAX, &copy]).expect("runs");
        assert!(rated.status.success(), "{unit}: {}", String::from_utf8_lossy(&rated.stdout));
    }
}
