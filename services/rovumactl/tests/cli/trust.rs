//! `rovumactl trust`: from a draft to a signed list, and the steps that must be refused.

use serde_json::Value;

use crate::harness::{TestFolder, with_trust_list};

#[test]
fn a_list_is_signed_and_verifies_against_the_pinned_key() {
    let desk = TestFolder::new();
    with_trust_list(&desk);
    let checked = desk.json("trust check mz.json --authority authority.jwk");
    assert_eq!((&checked["country"], &checked["serial"]), (&"mz".into(), &1.into()));
    let shown = desk.json("trust show mz.json --authority authority.jwk");
    assert_eq!(shown["standing"], "verified");
    let agencies = shown["list"]["agencies"].as_array().expect("a list");
    let codes: Vec<&Value> = agencies.iter().map(|agency| &agency["code"]).collect();
    assert_eq!(codes, ["mz.node", "mz.prm"]);
}

#[test]
fn a_list_that_is_not_verified_says_so() {
    let desk = TestFolder::new();
    with_trust_list(&desk);
    assert!(desk.ok("trust show mz.json").stdout.contains("NOT VERIFIED"));
    assert!(desk.ok("trust show mz.draft").stdout.contains("DRAFT"));
}

#[test]
fn another_authority_and_a_changed_list_are_refused() {
    let desk = TestFolder::new();
    with_trust_list(&desk);
    desk.ok("keys generate authority --out other.pem");
    desk.run("trust check mz.json --authority other.jwk").is(5, "not signed by its authority");
    desk.run("trust show mz.json --authority other.jwk").is(5, "not signed by its authority");
    let list = desk.read("mz.json");
    let at = list.find("payload").expect("a payload") + 40;
    let mut changed = list.into_bytes();
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    desk.write("changed.json", changed);
    assert_ne!(desk.run("trust check changed.json --authority authority.jwk").code, 0);
    let mut list: Value = serde_json::from_str(&desk.read("mz.json")).expect("JSON");
    let signature = list["signatures"][0]["signature"].as_str().expect("a signature").to_owned();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    list["signatures"][0]["signature"] = format!("{flipped}{}", &signature[1..]).into();
    desk.write("forged.json", list.to_string());
    desk.run("trust check forged.json --authority authority.jwk").is(5, "not signed by its authority");
}

#[test]
fn only_the_authority_signs() {
    let desk = TestFolder::new();
    with_trust_list(&desk);
    let ended = desk.run("trust sign --draft mz.draft --authority-key prm.pem --out evil.json");
    ended.is(2, "is not the list's authority");
    assert!(!desk.path("evil.json").exists());
}

#[test]
fn a_signed_list_replaces_an_earlier_one_and_no_other_file() {
    let desk = TestFolder::new();
    with_trust_list(&desk);
    let sign = |draft: &str, out: &str| {
        desk.run(&format!("trust sign --draft {draft} --authority-key authority.pem --out {out}"))
    };
    desk.ok("trust revise mz.json --authority authority.jwk --draft second.draft");
    for kept in ["authority.pem", "mz.draft", "prm.jwk"] {
        let before = desk.read(kept);
        sign("second.draft", kept).is(2, "is there already and is not overwritten");
        assert_eq!(desk.read(kept), before);
    }
    sign("second.draft", "mz.json").is(0, "serial 2");
    sign("mz.draft", "mz.json").is(2, "is there already");
    assert_eq!(desk.json("trust show mz.json")["list"]["serial"], 2);
}

#[test]
fn a_foreign_agency_and_a_second_one_are_refused() {
    let desk = TestFolder::new();
    with_trust_list(&desk);
    desk.run("trust add-agency tz.tpf --draft mz.draft --name sw=Polisi").is(2, "tz.tpf");
    desk.run("trust add-agency mz.prm --draft mz.draft --name pt=PRM").is(2, "mz.prm");
    desk.run("trust add-key mz.nobody --draft mz.draft --signing prm.jwk").is(2, "trust add-agency");
}

#[test]
fn a_refused_change_leaves_the_draft_as_it_was() {
    let desk = TestFolder::new();
    with_trust_list(&desk);
    let before = desk.read("mz.draft");
    assert_ne!(desk.run("trust add-agency tz.tpf --draft mz.draft --name sw=Polisi").code, 0);
    assert_eq!(desk.read("mz.draft"), before);
}

#[test]
fn serials_go_up_and_never_down() {
    let desk = TestFolder::new();
    with_trust_list(&desk);
    desk.ok("trust revise mz.json --authority authority.jwk --draft second.draft");
    desk.ok("trust sign --draft second.draft --authority-key authority.pem --out second.json");
    let checked = desk.json("trust check second.json --authority authority.jwk --previous mz.json");
    assert_eq!(checked["serial"], 2);
    desk.run("trust check mz.json --authority authority.jwk --previous second.json")
        .is(5, "serial 1, serial 2 was seen before");
}

#[test]
fn a_key_is_revoked_once_and_for_all() {
    let desk = TestFolder::new();
    with_trust_list(&desk);
    let kid = desk.json("keys show prm.jwk")["id"].as_str().expect("a key id").to_owned();
    desk.ok("trust revise mz.json --authority authority.jwk --draft next.draft");
    desk.ok(&format!("trust revoke mz.prm {kid} --draft next.draft --reason compromised"));
    desk.run(&format!("trust revoke mz.prm {kid} --draft next.draft --reason superseded"))
        .is(2, "revoked already");
    desk.run("trust revoke mz.prm nonsense --draft next.draft --reason ceased").is(2, "not a key id");
    assert!(desk.ok("trust show next.draft").stdout.contains("COMPROMISED"));
    let recipient = desk.read("prm.pub");
    desk.ok(&format!("trust revoke mz.prm {} --draft next.draft --reason superseded", recipient.trim()));
}

#[test]
fn a_key_id_may_begin_with_a_hyphen() {
    let desk = TestFolder::new();
    with_trust_list(&desk);
    for kid in ["-HqESBXe9eUqBAyGrluKHgy7GbnrNwBfUlllbew9CAU", "-hqESBXe9eUqBAyGrluKHgy7GbnrNwBfUlllbew9CAU"]
    {
        desk.run(&format!("trust revoke mz.prm {kid} --draft mz.draft --reason compromised"))
            .is(2, &format!("no key {kid}"));
    }
}

#[test]
fn a_rotation_lets_the_old_key_end_after_the_overlap() {
    let desk = TestFolder::new();
    with_trust_list(&desk);
    desk.ok("keys generate signing --out new.pem");
    desk.ok("trust rotate mz.prm --draft mz.draft --signing new.jwk --from 2027-01-01 --overlap 10d");
    let shown = desk.json("trust show mz.draft");
    let keys = &shown["list"]["agencies"][1]["signing_keys"];
    assert_eq!(keys[0]["not_after"], "2027-01-11T00:00:00Z");
    assert_eq!(keys[1]["not_before"], "2027-01-01T00:00:00Z");
}

#[test]
fn the_authority_goes_over_signed_by_both_keys() {
    let desk = TestFolder::new();
    with_trust_list(&desk);
    desk.ok("keys generate authority --out next.pem");
    desk.ok("keys generate authority --out usurper.pem");
    desk.ok("trust announce --draft mz.draft --next next.jwk");
    desk.run("trust succeed --draft mz.draft --old-key authority.pem --new-key usurper.pem")
        .is(2, "next authority");
    desk.run("trust succeed --draft mz.draft --old-key usurper.pem --new-key next.pem").is(2, "authority");
    desk.ok("trust succeed --draft mz.draft --old-key authority.pem --new-key next.pem");
    desk.run("trust sign --draft mz.draft --authority-key authority.pem --out n.json").is(2, "trust succeed");
    desk.ok("trust sign --draft mz.draft --authority-key next.pem --out n.json");
    let checked = desk.json("trust check n.json --authority authority.jwk");
    assert_eq!(checked["pin_outdated"], true);
    desk.run("trust check n.json --authority usurper.jwk").is(5, "not signed by its authority");
}

#[test]
fn what_ends_soon_is_warned_of_and_an_overdue_list_is_a_negative_answer() {
    let desk = TestFolder::new();
    with_trust_list(&desk);
    desk.ok("trust sign --draft mz.draft --authority-key authority.pem --next-update 20d --out mz.json");
    let checked = desk.json("trust check mz.json --authority authority.jwk");
    assert_eq!(checked["warnings"][0]["level"], "within30_days", "{checked}");
    let late = desk.run("trust check mz.json --authority authority.jwk --at 2099-01-01");
    assert_eq!(late.code, 1, "{late:?}");
}

#[test]
fn drafts_and_lists_are_not_taken_for_each_other() {
    let desk = TestFolder::new();
    with_trust_list(&desk);
    desk.run("trust check mz.draft --authority authority.jwk").is(2, "mz.draft");
    desk.run("trust sign --draft mz.json --authority-key authority.pem --out x.json").is(2, "not a draft");
    desk.run("trust new --country mz --authority authority.jwk --draft mz.draft").is(2, "not overwritten");
    desk.write("noise", [0xff, 0xfe, 0x00]);
    assert_eq!(desk.run("trust check noise --authority authority.jwk").code, 2);
}

#[test]
fn a_key_is_added_once() {
    let desk = TestFolder::new();
    with_trust_list(&desk);
    let before = desk.read("mz.draft");
    let ended = desk.run("trust add-key mz.prm --draft mz.draft --signing prm.jwk");
    ended.is(2, "of mz.prm is listed twice");
    ended.is(2, "rovumactl trust show");
    desk.run("trust add-key mz.node --draft mz.draft --signing prm.jwk").is(2, "listed twice");
    desk.run("trust add-key mz.prm --draft mz.draft --sealing prm.pub").is(2, "listed twice");
    assert_eq!(desk.read("mz.draft"), before, "a refused key changed the draft");
}

#[test]
fn a_key_is_taken_out_of_a_draft_while_no_signed_list_has_it() {
    let desk = TestFolder::new();
    with_trust_list(&desk);
    let keys = |name: &str| {
        let draft: Value = serde_json::from_str(&desk.read(name)).expect("JSON");
        let prm = draft["agencies"].as_array().expect("a list").iter().find(|it| it["code"] == "mz.prm");
        prm.expect("listed")["signing_keys"].as_array().expect("a list").clone()
    };
    let listed = keys("mz.draft")[0]["kid"].as_str().expect("a key id").to_owned();
    desk.ok("keys generate signing --out wrong.pem");
    desk.ok("trust revise mz.json --authority authority.jwk --draft next.draft");
    desk.ok("trust add-key mz.prm --draft next.draft --signing wrong.jwk");
    let wrong = keys("next.draft")[1]["kid"].as_str().expect("a key id").to_owned();
    desk.run(&format!("trust remove-key mz.prm {wrong} --draft next.draft")).is(2, "give --previous");
    let remove =
        |key: &str| desk.run(&format!("trust remove-key mz.prm {key} --draft next.draft --previous mz.json"));
    remove(&listed).is(2, "rovumactl trust revoke");
    remove(&wrong).is(0, "taken out");
    remove(&wrong).is(2, "has no key");
    assert_eq!(keys("next.draft").len(), 1);
    // Before the first list is signed nothing can depend on a key.
    desk.run(&format!("trust remove-key mz.prm {listed} --draft mz.draft")).is(0, "taken out");
}

#[test]
fn a_code_that_is_none_says_why() {
    let desk = TestFolder::new();
    for (code, why) in [
        ("tz.x", "its name is shorter than 2 letters"),
        ("tz.abcdefghijklmnopq", "its name is longer than 16 letters"),
        ("tzpolice", "it has no dot"),
        ("TZ.tpf", "it does not begin with a country of two lower-case letters"),
        ("tz.TPF", "other signs than lower-case letters and digits"),
    ] {
        desk.run(&format!("trust add-agency {code} --draft d --name pt=X")).is(2, why);
    }
}
