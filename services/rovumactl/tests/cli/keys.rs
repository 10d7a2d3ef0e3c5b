//! `rovumactl keys`.

use crate::harness::{TestFolder, files};

#[test]
fn a_signing_key_is_private_and_shows_its_public_half() {
    let desk = TestFolder::new();
    let made = desk.json("keys generate signing --out prm.pem");
    assert_eq!((desk.mode("prm.pem"), desk.mode("prm.jwk")), (0o600, 0o644));
    assert!(desk.read("prm.pem").starts_with("-----BEGIN PRIVATE KEY-----"));
    for file in ["prm.pem", "prm.jwk"] {
        let shown = desk.json(&format!("keys show {file}"));
        assert_eq!((&shown["id"], &shown["kind"]), (&made["id"], &"signing".into()), "{file}");
    }
}

#[test]
fn a_sealing_key_is_an_age_identity() {
    let desk = TestFolder::new();
    let made = desk.json("keys generate sealing --out prm.key");
    assert_eq!((desk.mode("prm.key"), desk.mode("prm.pub")), (0o600, 0o644));
    assert_eq!(desk.read("prm.pub").trim(), made["id"]);
    assert!(desk.read("prm.key").contains("AGE-SECRET-KEY-1"));
    for file in ["prm.key", "prm.pub"] {
        assert_eq!(desk.json(&format!("keys show {file}"))["id"], made["id"], "{file}");
    }
}

#[test]
fn nothing_is_overwritten() {
    let desk = TestFolder::new();
    desk.ok("keys generate authority --out authority.pem");
    let before = desk.read("authority.pem");
    desk.run("keys generate authority --out authority.pem").is(2, "is not overwritten");
    desk.run("keys generate authority --out other.pem --public-out authority.jwk")
        .is(2, "is not overwritten");
    assert_eq!(desk.read("authority.pem"), before);
    assert!(!desk.path("other.pem").exists(), "half a key pair was left");
}

#[test]
fn both_halves_do_not_go_into_one_file() {
    let desk = TestFolder::new();
    desk.run("keys generate signing --out key.jwk").is(2, "cannot hold both halves");
    desk.run("keys generate sealing --out key.pub").is(2, "cannot hold both halves");
    assert!(files(&desk.path("")).is_empty());
}

#[test]
fn no_private_half_is_ever_printed() {
    let desk = TestFolder::new();
    for purpose in ["signing", "sealing", "authority", "service"] {
        let mut said = String::new();
        for line in [
            format!("keys generate {purpose} --out {purpose}.private"),
            format!("keys show {purpose}.private"),
            format!("--json keys show {purpose}.private"),
        ] {
            let ended = desk.ok(&line);
            said.push_str(&ended.stdout);
            said.push_str(&ended.stderr);
        }
        let private = desk.read(&format!("{purpose}.private"));
        for secret in private.lines().filter(|line| line.len() > 20 && !line.starts_with(['-', '#'])) {
            assert!(!said.contains(secret), "{purpose}: a private key was printed");
        }
    }
}

#[test]
fn a_private_key_that_everybody_can_read_is_refused() {
    let desk = TestFolder::new();
    desk.ok("keys generate signing --out prm.pem");
    let readable = desk.read("prm.pem");
    desk.write("open.pem", readable);
    let ended = desk.run("--json keys show open.pem");
    ended.is(2, "chmod 600");
    assert_eq!(ended.error()["exit"], "usage");
}

#[test]
fn what_is_no_key_is_refused_with_what_would_be_one() {
    let desk = TestFolder::new();
    desk.write("empty", "");
    desk.write("text", "hello");
    desk.write("rsa.jwk", r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#);
    desk.write("low.pub", "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq");
    for file in ["empty", "text", "rsa.jwk", "low.pub", "nowhere"] {
        let ended = desk.run(&format!("keys show {file}"));
        assert_eq!(ended.code, 2, "{file}: {ended:?}");
    }
    desk.run("keys show text").is(2, "give a PKCS#8 PEM");
}

#[test]
fn an_act_without_a_configuration_says_that_it_is_not_audited() {
    let ended = TestFolder::new().ok("keys generate service --out gateway.pem");
    assert!(ended.stderr.contains("not audited"), "{ended:?}");
}

#[test]
fn a_folder_that_cannot_be_written_is_this_machines_failure() {
    TestFolder::new().run("keys generate signing --out nowhere/prm.pem").is(7, "nowhere/prm.pem");
}
