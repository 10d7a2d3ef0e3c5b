//! `rovumactl verify`: a message that holds, and the changes to one that must be found.

use rovuma_envelope::{Bundle, Jws, SealingKey, Signer as _, SigningKey, Typ, seal};
use serde_json::{Value, json};

use crate::harness::{CommandResult, TestFolder, with_trust_list};

const PINS: &str = "--trust mz.json --authority mz=authority.jwk";
const CREATED: &str = "2026-06-01T00:00:00Z";

/// A read receipt of `mz.prm` for `tz.tpf`: the smallest message.
fn payload(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut message = json!({
        "header": {
            "id": "019a0000-0000-7000-8000-000000000001",
            "type": "receipt.read",
            "version": "1.0",
            "status": "actual",
            "sender": { "agency": "mz.prm" },
            "recipients": [{ "agency": "tz.tpf", "lane": "urgent" }],
            "created": CREATED,
        },
        "body": { "entries": [{
            "id": "019a0000-0000-7000-8000-000000000002",
            "digest": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "read_at": CREATED,
        }]},
    });
    change(&mut message);
    serde_json::to_vec(&message).expect("serialises")
}

fn key(desk: &TestFolder, name: &str) -> SigningKey {
    SigningKey::from_pkcs8_pem(&desk.read(name)).expect("a key")
}

fn signed(desk: &TestFolder, change: impl FnOnce(&mut Value)) -> Jws {
    Jws::sign(Typ::MESSAGE, payload(change), &key(desk, "prm.pem")).expect("signs")
}

/// A folder with a trust list of Mozambique that has the key of `mz.prm` since January.
fn desk() -> TestFolder {
    let desk = TestFolder::new();
    with_trust_list(&desk);
    desk
}

fn verify(desk: &TestFolder, file: &str) -> CommandResult {
    desk.run(&format!("--json verify {file} {PINS}"))
}

fn check(desk: &TestFolder, jws: &Jws) -> CommandResult {
    desk.write("message.jws", jws.to_compact());
    verify(desk, "message.jws")
}

#[track_caller]
fn fails_at(ended: &CommandResult, code: i32, verdict: &str, check: &str) {
    assert_eq!(ended.code, code, "{ended:?}");
    let message = ended.json()["messages"][0].clone();
    assert_eq!(message["verdict"], verdict, "{message:#}");
    let checks = message["checks"].as_array().expect("checks").clone();
    let at = checks.iter().position(|one| one["standing"] == "fails" || one["standing"] == "open");
    let at = at.expect("a check that does not hold");
    assert!(checks[at]["check"].as_str().expect("a name").contains(check), "{message:#}");
    assert!(checks[..at].iter().all(|one| one["standing"] == "holds"), "{message:#}");
    assert!(checks[at + 1..].iter().all(|one| one["standing"] == "unchecked"), "{message:#}");
}

#[test]
fn a_message_verifies_and_says_who_when_and_with_which_key() {
    let desk = desk();
    let jws = signed(&desk, |_| {});
    let ended = check(&desk, &jws);
    assert_eq!(ended.code, 0, "{ended:?}");
    let message = ended.json()["messages"][0].clone();
    assert_eq!(message["says"]["sender"], "mz.prm");
    assert_eq!(message["says"]["recipients"], json!(["tz.tpf"]));
    assert_eq!(message["says"]["created"], CREATED);
    assert_eq!(message["key"], key(&desk, "prm.pem").key_id().to_string());
    assert_eq!(message["digest"], jws.digest().to_string());
    let people = desk.ok(&format!("verify message.jws {PINS}"));
    assert!(people.stdout.contains("VERIFIED") && people.stdout.contains("from mz.prm to tz.tpf"));
}

#[test]
fn a_saved_message_is_found_in_its_json() {
    let desk = desk();
    let jws = signed(&desk, |_| {});
    let saved =
        json!({ "id": "x", "messages": [{ "country": "tz", "jws": jws.to_compact() }], "receipts": [] });
    desk.write("saved.json", saved.to_string());
    assert_eq!(verify(&desk, "saved.json").code, 0);
}

#[test]
fn a_bundle_is_verified_message_by_message() {
    let desk = desk();
    let (good, other) = (signed(&desk, |_| {}), SigningKey::generate().expect("a key"));
    let forged = Jws::sign(Typ::MESSAGE, payload(|_| {}), &other).expect("signs");
    desk.write("bundle", Bundle::pack(std::slice::from_ref(&good)).expect("packs"));
    assert_eq!(verify(&desk, "bundle").code, 0);
    desk.write("bundle", Bundle::pack(&[good, forged]).expect("packs"));
    let ended = verify(&desk, "bundle");
    assert_eq!(ended.code, 1, "{ended:?}");
    let messages = ended.json()["messages"].clone();
    assert_eq!((&messages[0]["verdict"], &messages[1]["verdict"]), (&"verified".into(), &"held".into()));
}

#[test]
fn a_sealed_bundle_needs_the_recipients_key() {
    let desk = desk();
    desk.ok("keys generate sealing --out tpf.key");
    let tpf = SealingKey::from_text(&desk.read("tpf.key")).expect("a key");
    let bundle = Bundle::pack(&[signed(&desk, |_| {})]).expect("packs");
    desk.write("sealed", seal(&bundle, tpf.recipient()).expect("seals"));
    verify(&desk, "sealed").is(2, "--sealing-key");
    verify(&desk, "sealed --sealing-key prm.key").is(5, "sealed to none of our 1 keys");
    assert_eq!(verify(&desk, "sealed --sealing-key tpf.key").code, 0);
    let mut cut = std::fs::read(desk.path("sealed")).expect("there");
    cut.truncate(cut.len() - 1);
    desk.write("cut", cut);
    assert_eq!(verify(&desk, "cut --sealing-key tpf.key").code, 5);
}

#[test]
fn any_changed_part_is_refused() {
    let desk = desk();
    let compact = signed(&desk, |_| {}).to_compact();
    let parts: Vec<&str> = compact.split('.').collect();
    let altered = payload(|message| message["body"]["entries"][0]["read_at"] = "2026-06-02T00:00:00Z".into());
    let genuine = signed(&desk, |_| {});
    let forged = Jws::from_segments(genuine.protected().to_vec(), altered, *genuine.signature());
    fails_at(&check(&desk, &forged), 5, "refused", "signature matches");
    let flipped = if parts[2].starts_with('A') { "B" } else { "A" };
    desk.write("message.jws", format!("{}.{}.{flipped}{}", parts[0], parts[1], &parts[2][1..]));
    fails_at(&verify(&desk, "message.jws"), 5, "refused", "signature matches");
}

#[test]
fn another_type_of_signed_text_is_no_message() {
    let desk = desk();
    let audit = Jws::sign(Typ::AUDIT, payload(|_| {}), &key(&desk, "prm.pem")).expect("signs");
    fails_at(&check(&desk, &audit), 5, "refused", "signature matches");
}

#[test]
fn an_unlisted_key_is_held_and_an_unlisted_agency_refused() {
    let desk = desk();
    let other = SigningKey::generate().expect("a key");
    let forged = Jws::sign(Typ::MESSAGE, payload(|_| {}), &other).expect("signs");
    fails_at(&check(&desk, &forged), 1, "held", "has the key");
    let unlisted = signed(&desk, |message| message["header"]["sender"]["agency"] = "mz.sernic".into());
    fails_at(&check(&desk, &unlisted), 5, "refused", "has the sender");
    let foreign = signed(&desk, |message| message["header"]["sender"]["agency"] = "ke.nps".into());
    // Of that country no list was given: whether it has the agency is open.
    fails_at(&check(&desk, &foreign), 1, "unchecked", "has the sender");
}

#[test]
fn another_agencys_key_does_not_speak_for_the_sender() {
    let desk = desk();
    desk.ok("trust revise mz.json --authority authority.jwk --draft next.draft");
    desk.ok("trust add-agency mz.sernic --draft next.draft --name pt=SERNIC --from 2026-01-01");
    desk.ok("trust sign --draft next.draft --authority-key authority.pem --out mz.json");
    let stolen = signed(&desk, |message| message["header"]["sender"]["agency"] = "mz.sernic".into());
    fails_at(&check(&desk, &stolen), 1, "held", "has the key");
}

#[test]
fn it_is_for_whom_it_names() {
    let desk = desk();
    let jws = signed(&desk, |_| {});
    desk.write("message.jws", jws.to_compact());
    assert_eq!(verify(&desk, "message.jws --for tz.tpf").code, 0);
    fails_at(&verify(&desk, "message.jws --for tz.tisd"), 5, "refused", "names the recipient");
}

#[test]
fn a_revoked_key_is_refused_from_its_revocation_on_and_a_compromised_one_always() {
    let desk = desk();
    let kid = key(&desk, "prm.pem").key_id().to_string();
    let jws = signed(&desk, |_| {});
    let revoke = |reason: &str, at: &str| {
        let draft = format!("{reason}-{at}.draft");
        desk.ok(&format!("trust revise mz.json --authority authority.jwk --draft {draft}"));
        desk.ok(&format!("trust revoke mz.prm {kid} --draft {draft} --reason {reason} --at {at}"));
        desk.ok(&format!(
            "trust sign --draft {draft} --authority-key authority.pem --out {reason}-{at}.json"
        ));
        desk.write("message.jws", jws.to_compact());
        let pins = format!("--trust {reason}-{at}.json --authority mz=authority.jwk");
        desk.run(&format!("--json verify message.jws {pins} --at 2026-08-01"))
    };
    fails_at(&revoke("superseded", "2026-05-01"), 5, "refused", "not revoked");
    assert_eq!(revoke("superseded", "2026-07-01").code, 0);
    fails_at(&revoke("compromised", "2026-07-01"), 5, "refused", "not revoked");
}

#[test]
fn a_message_from_outside_its_keys_term_is_refused() {
    let desk = desk();
    let early = signed(&desk, |message| message["header"]["created"] = "2025-06-01T00:00:00Z".into());
    fails_at(&check(&desk, &early), 5, "refused", "were valid");
    let future = signed(&desk, |message| message["header"]["created"] = "2027-06-01T00:00:00Z".into());
    let ended = check(&desk, &future);
    fails_at(&ended, 5, "rejected", "were valid");
}

#[test]
fn a_list_that_is_long_overdue_holds_what_it_would_vouch_for() {
    let desk = desk();
    desk.write("message.jws", signed(&desk, |_| {}).to_compact());
    fails_at(&verify(&desk, "message.jws --at 2027-11-01"), 1, "held", "fresh enough");
}

#[test]
fn what_the_sender_may_not_send_and_what_nobody_can_read_is_not_acceptable() {
    let desk = desk();
    let node_only = signed(&desk, |message| message["header"]["type"] = "link.fault".into());
    fails_at(&check(&desk, &node_only), 5, "rejected", "may send");
    let empty = signed(&desk, |message| message["body"]["entries"] = json!([]));
    fails_at(&check(&desk, &empty), 5, "rejected", "meets its schema");
}

#[test]
fn a_list_of_another_authority_vouches_for_nothing() {
    let desk = desk();
    desk.write("message.jws", signed(&desk, |_| {}).to_compact());
    desk.ok("keys generate authority --out other.pem");
    let pins = "--trust mz.json --authority mz=other.jwk";
    desk.run(&format!("verify message.jws {pins}")).is(5, "not signed by its authority");
    desk.run("verify message.jws --trust mz.json --authority tz=authority.jwk").is(2, "--authority mz=FILE");
}

#[test]
fn what_is_no_message_is_told() {
    let desk = desk();
    for (name, content) in [
        ("empty", b"".as_slice()),
        ("text", b"hello"),
        ("json", b"{}"),
        ("broken", b"{"),
        ("binary", &[0xff, 0x00, 0x80]),
        ("bundle", &[1, 2, 3]),
        ("age", b"age-encryption.org/v1\nnonsense"),
    ] {
        desk.write(name, content);
        let ended = verify(&desk, name);
        assert!(matches!(ended.code, 2 | 5), "{name}: {ended:?}");
        assert!(!ended.stderr.contains("panicked"), "{name}: {ended:?}");
    }
}

#[test]
fn names_in_a_message_do_not_move_the_cursor() {
    let desk = desk();
    let jws = signed(&desk, |message| message["header"]["type"] = "x\u{1b}[2J.y".into());
    desk.write("message.jws", jws.to_compact());
    let ended = desk.run(&format!("verify message.jws {PINS}"));
    assert!(!ended.stdout.contains('\u{1b}'), "{ended:?}");
}

/// What the API shows of a sent message holds receipts that another country's agency signed.
#[test]
fn what_a_country_signed_whose_list_was_not_given_is_not_checked() {
    let desk = desk();
    let ours = signed(&desk, |_| {}).to_compact();
    let theirs =
        signed(&desk, |message| message["header"]["sender"]["agency"] = "tz.tpf".into()).to_compact();
    let saved = json!({ "messages": [{ "jws": ours }], "receipts": [{ "jws": theirs }] });
    desk.write("message.json", saved.to_string());
    let ended = desk.run(&format!("verify message.json {PINS}"));
    ended.is(1, "not checked: no trust list of tz given");
    assert!(ended.stdout.contains("VERIFIED\n") && !ended.stdout.contains("do not believe"), "{ended:?}");
    let messages = desk.run(&format!("--json verify message.json {PINS}")).json()["messages"].clone();
    assert_eq!((&messages[0]["verdict"], &messages[1]["verdict"]), (&json!("verified"), &json!("unchecked")));
    // An agency that the given list lacks is another matter.
    let unknown = signed(&desk, |message| message["header"]["sender"]["agency"] = "mz.nobody".into());
    fails_at(&check(&desk, &unknown), 5, "refused", "has the sender");
}
