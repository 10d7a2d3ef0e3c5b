//! The program itself: its configuration file, its start without a broker, its end at a signal.

use std::{
    collections::HashMap,
    fmt::Write,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rovuma_envelope::{SealingKey, Signer, SigningKey};

use crate::support::{PASSWORD, secret};

const BINARY: &str = env!("CARGO_BIN_EXE_rovuma-identity");

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// Writes keys and certificates of nobody, and a configuration that uses them. Its broker is away.
fn configuration(folder: &Path, port: u16) -> String {
    let shown = folder.display();
    let certified = rcgen::generate_simple_self_signed(vec!["identity".to_owned()]).expect("a certificate");
    secret(folder, "broker.pem", &certified.cert.pem());
    secret(folder, "broker.key", &certified.signing_key.serialize_pem());
    let pem = SigningKey::generate_pem().expect("a key");
    let key = SigningKey::from_pkcs8_pem(&pem).expect("a key");
    secret(folder, "audit.pem", &pem);
    secret(folder, "audit.jwk", &key.public_key().to_jwk());
    secret(folder, "audit.age", &SealingKey::generate().recipient().to_string());
    secret(folder, "password", PASSWORD);
    let mut text = format!("issuer = \"http://127.0.0.1:{port}\"\n");
    let sections = [
        format!("[http]\nlisten = \"127.0.0.1:{port}\""),
        format!(
            "[store]\nurl = \"{}\"",
            rovuma_lab::postgres::test_store(folder, "identity").expect("a store")
        ),
        format!("[signing]\ndirectory = \"{shown}/keys\""),
        format!(
            "[audit]\nsource = \"mz.identity\"\nkey_file = \"{shown}/audit.pem\"\n\
             recipient_file = \"{shown}/audit.age\"\nack_key_file = \"{shown}/audit.jwk\""
        ),
        format!(
            "[broker]\nurl = \"amqps://127.0.0.1:1/rovuma\"\nca_file = \"{shown}/broker.pem\"\n\
             cert_file = \"{shown}/broker.pem\"\nkey_file = \"{shown}/broker.key\""
        ),
        "[[applications]]\nclient_id = \"rovumactl\"\nname = \"rovumactl\"\n\
         redirect_uris = [\"http://127.0.0.1/callback\"]"
            .to_owned(),
        format!(
            "[[bootstrap]]\nagency = \"mz.prm\"\nlogin = \"admin\"\nname = \"Admin\"\n\
             password_file = \"{shown}/password\""
        ),
    ];
    for section in sections {
        write!(text, "\n{section}\n").expect("text");
    }
    text
}

/// A child that does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _it_may_have_ended = self.0.kill();
        let _status = self.0.wait();
    }
}

fn start(folder: &Path, text: &str) -> Process {
    let file = folder.join("identity.toml");
    std::fs::write(&file, text).expect("written");
    let child = Command::new(BINARY).arg("--config").arg(file).stderr(Stdio::null()).spawn();
    Process(child.expect("it starts"))
}

/// Waits until `ready` holds; the bound only ends a test that hangs.
async fn until(what: &str, mut ready: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !ready().await {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn it_serves_without_a_broker_and_ends_within_ten_seconds_of_a_signal() {
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let mut child = start(folder.path(), &configuration(folder.path(), port));
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let url = format!("http://127.0.0.1:{port}/.well-known/openid-configuration");
    until("it never listened", async || client.get(&url).send().await.is_ok_and(|r| r.status().is_success()))
        .await;
    let id = child.0.id().to_string();
    let signalled = Instant::now();
    assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
    let mut ended = None;
    until("it did not end", async || {
        ended = child.0.try_wait().expect("a child");
        ended.is_some()
    })
    .await;
    assert!(signalled.elapsed() < Duration::from_secs(10), "{:?}", signalled.elapsed());
    assert_eq!(ended.and_then(|status| status.code()), Some(0));
}

#[test]
fn a_mistyped_key_of_the_configuration_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = configuration(folder.path(), 1).replace("directory", "directry");
    let file = folder.path().join("identity.toml");
    std::fs::write(&file, text).expect("written");
    let said =
        Command::new(BINARY).arg("--check-config").arg("--config").arg(file).output().expect("it runs");
    assert!(!said.status.success());
    let text = String::from_utf8_lossy(&said.stderr);
    assert!(text.contains("directry") && text.contains("did you mean `directory`"), "{text}");
}

#[test]
fn the_configuration_in_the_readme_is_sound() {
    let readme = include_str!("../../README.md");
    let text = readme.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("identity.toml");
    std::fs::write(&file, text).expect("written");
    // Its files are nowhere: only the keys are read.
    let loaded =
        rovuma_runtime::config::load_with_env::<rovuma_identity::IdentityConfig>(Some(&file), HashMap::new());
    loaded.expect("the README's configuration is sound");
}

#[test]
fn the_check_refuses_what_the_start_refuses() {
    let folder = tempfile::tempdir().expect("a folder");
    let sound = configuration(folder.path(), free_port());
    let file = folder.path().join("identity.toml");
    let run = |text: &str, check: bool| {
        std::fs::write(&file, text).expect("written");
        let mut command = Command::new(BINARY);
        command.arg("--config").arg(&file);
        if check {
            command.arg("--check-config");
        }
        let output = command.output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(run(&sound, true).0, Some(0), "{:?}", run(&sound, true));
    std::fs::write(folder.path().join("open.key"), "a key").expect("written");
    let shown = folder.path().display().to_string();
    for (from, to, said) in [
        ("listen = \"127.0.0.1:", "listen = \"0.0.0.0:", "is not a loopback address"),
        ("ca_file = \"", "ca_file = \"/nowhere", "/nowhere"),
        ("broker.key", "open.key", "chmod 600"),
        ("audit.pem", "open.key", "chmod 600"),
        ("audit.age", "none.age", "none.age"),
        ("issuer = \"http:", "issuer = \"ftp:", "issuer"),
        ("amqps:", "amqp:", "amqps://"),
        ("http://127.0.0.1/callback", "http://example.org/callback", "redirect URI"),
        ("login = \"admin\"", "login = \"a\"", "bootstrap account"),
        ("[signing]\n", "[signing]\nrotate_after_days = 2\n", "rotate_after_days"),
        ("[store]\nurl = \"", "[store]\nurl = \"ftp:", "store address"),
    ] {
        let bent = sound.replacen(from, to, 1);
        assert_ne!(bent, sound, "{from}");
        for check in [true, false] {
            let (code, stderr) = run(&bent, check);
            assert_eq!(code, Some(1), "{from}: {stderr}");
            assert!(stderr.contains(said), "{from}: {stderr} in {shown}");
        }
    }
    // Nothing was made on the way.
    assert!(!folder.path().join("keys").exists());
}
