//! Writes the files that the targets start from: missing keys, missing seeds, and the dictionaries.
//!
//! An existing seed stays unchanged: sealing draws random numbers, and a seed that was once a crash cannot be
//! generated again.

mod dictionaries;
mod requests;

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_envelope::{Bundle, Jws, SealingKey, Signer as _, SigningKey, Typ, seal};
use rovuma_fuzz::{audit_ack, audit_batch, bundle, evidence, inbox, jws, keys, message, token, trust_list};
use rovuma_tokens::TokenKey;
use serde_json::{Value, json};

fn main() {
    make_keys();
    dictionaries::write(&folder().join("dictionaries"));
    sealed();
    bundles();
    messages();
    trust_lists();
    tokens();
    jwk_sets();
    drafts();
    audit();
    deliveries();
    evidence();
    lists();
    scans();
    requests::write();
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A list of each source, whole and cut.
fn lists() {
    let un = br#"<?xml version="1.0"?><CONSOLIDATED_LIST dateGenerated="2026-11-01"><INDIVIDUALS><INDIVIDUAL><DATAID>1</DATAID><FIRST_NAME>Mfano</FIRST_NAME><SECOND_NAME>Juma</SECOND_NAME><INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>Abu Mfano; Juma M.</ALIAS_NAME></INDIVIDUAL_ALIAS><INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>BETWEEN</TYPE_OF_DATE><FROM_YEAR>1970</FROM_YEAR><TO_YEAR>1975</TO_YEAR></INDIVIDUAL_DATE_OF_BIRTH><INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>Libya B/002210</NUMBER></INDIVIDUAL_DOCUMENT></INDIVIDUAL></INDIVIDUALS><ENTITIES></ENTITIES></CONSOLIDATED_LIST>"#;
    let ofac = b"1,\"MFANO, Juma\",\"individual\",\"SDGT\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,\"DOB 14 Mar 1974; Passport B12345 (Iran); a.k.a. 'FUPI'.\"\r\n\x1a";
    let csv = b"id,surname,given,birth,doc_type,doc_issuer,doc_number,doc_number_to,plate,plate_country\n1,Mfano,Juma,1974-03-14,passport,TZA,AB1200000,AB1209999,,\n2,,,,,,,,MC 123 ABC,TZA\n";
    for (mode, name, file) in [(0, "un", un.as_slice()), (1, "ofac", ofac), (2, "csv", csv)] {
        seed_of("list", name, mode, file);
        seed_of("list", &format!("{name}-cut"), mode, &file[..file.len() / 2]);
    }
    seed_of(
        "list",
        "un-doctype",
        0,
        b"<!DOCTYPE x [<!ENTITY a \"b\">]><CONSOLIDATED_LIST>&a;</CONSOLIDATED_LIST>",
    );
}

/// A zone, and numbers of each kind.
fn scans() {
    let zone = b"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10";
    seed_of("screen", "zone", 0, zone);
    seed_of("screen", "zone-cut", 1, &zone[..80]);
    for (mode, name, text) in [
        (2 | 16 | 32 | 128, "series", "AB1204711"),
        (3, "nida", "19880214-11101-00001-23"),
        (5, "plate", "mc.123-abc"),
        (6, "vin", "IM8GDM9AXKP042788"),
        (7, "frame-end", "KP042788"),
        (9, "imei", "35-209900-176148-1"),
        (0, "anything", "A8 12O0000"),
    ] {
        seed_of("screen", name, mode, text.as_bytes());
    }
}

/// Writes a seed if it does not exist.
fn seed(target: &str, name: &str, content: &[u8]) {
    let path = folder().join("corpus-seeds").join(target).join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    if !path.exists() {
        fs::write(&path, content).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    }
}

/// The same for a target whose first byte chooses the form of the rest.
fn seed_of(target: &str, name: &str, mode: u8, rest: &[u8]) {
    seed(target, name, &[&[mode], rest].concat());
}

fn make_keys() {
    let missing = |path: &PathBuf| !path.exists();
    for path in keys::SIGNING.map(keys::signing_file).iter().filter(|path| missing(path)) {
        fs::write(path, SigningKey::generate_pem().expect("random numbers").as_str()).expect("written");
    }
    for path in keys::SEALING.map(keys::sealing_file).iter().filter(|path| missing(path)) {
        fs::write(path, SealingKey::generate().to_text().as_str()).expect("written");
    }
    let issuer = keys::signing_file(keys::ISSUER);
    if missing(&issuer) {
        let key = TokenKey::generate().expect("random numbers");
        fs::write(issuer, key.to_pkcs8_pem().as_str()).expect("written");
    }
}

/// Name and content of the files of `schemas/examples/<kind>`.
fn examples(kind: &str) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder().join("../../schemas/examples").join(kind)).expect("the examples");
    let mut found: Vec<_> = files
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (stem(&path), fs::read(&path).expect("a file")))
        .collect();
    found.sort();
    found
}

fn stem(path: &Path) -> String {
    path.file_stem().expect("a name").to_string_lossy().into_owned()
}

/// A text that ends with a signature, with one letter of the signature changed.
fn altered(signed: &str) -> String {
    let at = signed.len() - 9;
    let other = if signed[at..].starts_with('A') { "B" } else { "A" };
    format!("{}{other}{}", &signed[..at], &signed[at + 1..])
}

/// The examples of messages, signed by `mz.prm`.
fn signed_messages() -> Vec<Jws> {
    let key = keys::signing("mz.prm");
    let sign = |(_, payload)| Jws::sign(Typ::MESSAGE, payload, &key).expect("signed");
    message::examples().into_iter().map(sign).collect()
}

fn sealed() {
    let key = keys::sealing("mz.prm");
    let close = |plain: &[u8]| seal(plain, key.recipient()).expect("sealed");
    let all = signed_messages();
    seed("sealed", "one-message", &close(&Bundle::pack(&all[..1]).expect("a bundle")));
    seed("sealed", "all-messages", &close(&Bundle::pack(&all).expect("a bundle")));
    seed("sealed", "empty", &close(b""));
    seed("sealed", "short", &close(b"not a bundle"));
    seed("sealed", "of-another", &seal(b"x", keys::sealing("tz.tpf").recipient()).expect("sealed"));
    seed("sealed", "two-chunks", &close(&[7; 64 * 1024 + 1]));
    seed("sealed", "header-only", b"age-encryption.org/v1\n-> X25519 AAAA\nAAAA\n--- AAAA\n");
}

/// The content of a bundle of these messages, framed in format 1.
fn framed(messages: &[Jws]) -> Vec<u8> {
    let mut out = Vec::new();
    for jws in messages {
        out.extend(u32::try_from(Bundle::packed_len(jws) - 4).expect("small").to_be_bytes());
        out.extend(u16::try_from(jws.protected().len()).expect("small").to_be_bytes());
        out.extend(jws.protected());
        out.extend(jws.unverified_payload());
        out.extend(jws.signature().as_bytes());
    }
    out
}

fn bundles() {
    let all = signed_messages();
    let pack = |messages: &[Jws]| Bundle::pack(messages).expect("a bundle");
    let small = Jws::sign(Typ::MESSAGE, b"{}".to_vec(), &keys::signing("mz.prm")).expect("signed");
    let many = vec![small.clone(); 64];
    seed_of("bundle", "raw-one", bundle::RAW, &pack(&all[..1]));
    seed_of("bundle", "raw-all", bundle::RAW, &pack(&all));
    seed_of("bundle", "raw-64", bundle::RAW, &pack(&many));
    seed_of("bundle", "raw-other-format", bundle::RAW, &[&[2], &pack(&all[..1])[1..]].concat());
    seed_of("bundle", "content-one", bundle::CONTENT, &framed(&all[..1]));
    seed_of("bundle", "content-all", bundle::CONTENT, &framed(&all));
    seed_of("bundle", "content-64", bundle::CONTENT, &framed(&many));
    seed_of("bundle", "content-65", bundle::CONTENT, &framed(&vec![small; 65]));
    seed_of("bundle", "content-cut-short", bundle::CONTENT, &framed(&all[..1])[..40]);
    seed_of("bundle", "content-empty-body", bundle::CONTENT, &[0; 4]);
    seed_of("bundle", "bomb", bundle::BOMB, &framed(&many[..2]));
    seed_of("bundle", "bomb-of-zeros", bundle::BOMB, &[0; 16]);
}

fn messages() {
    for (name, text) in message::examples() {
        seed("message", &name, &text);
    }
    for (name, text) in examples("invalid") {
        let example: Value = serde_json::from_slice(&text).expect("JSON");
        if let Some(message) = example.get("message") {
            seed("message", &format!("invalid-{name}"), message.to_string().as_bytes());
        }
    }
    let key = keys::signing("mz.prm");
    for (number, text) in jws::signed().iter().enumerate() {
        seed("jws", &format!("signed-{number:02}"), text.as_bytes());
    }
    let stranger = Jws::sign(Typ::MESSAGE, b"{}".to_vec(), &keys::signing("tz.tpf")).expect("signed");
    seed("jws", "by-another", stranger.to_compact().as_bytes());
    let other = Jws::sign(Typ::new("JWT"), b"{}".to_vec(), &key).expect("signed");
    seed("jws", "for-another-purpose", other.to_compact().as_bytes());
    seed("jws", "altered", altered(&jws::signed()[0]).as_bytes());
    seed("jws", "unsigned", b"eyJhbGciOiJub25lIn0.e30.");
}

fn trust_lists() {
    for (number, json) in trust_list::signed().iter().enumerate() {
        seed_of("trust_list", &format!("signed-{number}"), trust_list::RAW, json.as_bytes());
    }
    let list: Value = serde_json::from_str(&trust_list::signed()[0]).expect("JSON");
    let mut other = list.clone();
    let signature = list["signatures"][0]["signature"].as_str().expect("a signature");
    other["signatures"][0]["signature"] = json!(altered(signature));
    other["payload"] = json!(URL_SAFE_NO_PAD.encode(json!(trust_list::first()).to_string()));
    seed_of("trust_list", "altered", trust_list::RAW, other.to_string().as_bytes());
    let mut content = serde_json::to_value(trust_list::first()).expect("JSON");
    let text = |content: &Value| serde_json::to_vec(content).expect("JSON");
    seed_of("trust_list", "first", trust_list::FIRST, &text(&content));
    content["serial"] = json!(2);
    seed_of("trust_list", "next", trust_list::NEXT, &text(&content));
    content["agencies"][1]["signing_keys"][0]["revoked"] =
        json!({ "at": "2026-11-01T00:00:00Z", "reason": "compromised" });
    content["agencies"][1]["valid_until"] = json!("2026-12-01T00:00:00Z");
    content["next_authority"] =
        json!(rovuma_envelope::Signer::public_key(&keys::signing("mz.authority.next")));
    seed_of("trust_list", "next-revoked", trust_list::NEXT, &text(&content));
    let succeeded = serde_json::to_vec(trust_list::succession().content()).expect("JSON");
    seed_of("trust_list", "succeeded", trust_list::SUCCEEDED, &succeeded);
}

fn tokens() {
    let value = format!("Bearer {}", token::minted());
    seed_of("token", "minted", token::RAW, value.as_bytes());
    seed_of("token", "altered", token::RAW, altered(&value).as_bytes());
    seed_of("token", "basic", token::RAW, b"Basic Y29uc29sZTpzZWNyZXQ=");
    let claims = |change: Value| {
        let mut claims = token::claims();
        let members = claims.as_object_mut().expect("an object");
        members.extend(change.as_object().expect("an object").clone());
        claims.to_string()
    };
    let client = json!({ "iss": "mz.prm.cad", "sub": "mz.prm.cad", "jti": "7" });
    for (name, change) in [
        ("good", json!({})),
        ("audiences", json!({ "aud": ["other", "rovuma"], "roles": "liaison_officer analyst" })),
        ("fractions", json!({ "exp": 1795460400.5, "iat": 1795456800.25, "nbf": 1795456800 })),
        ("expired", json!({ "exp": 1 })),
        ("assertion", client),
    ] {
        seed_of("token", &format!("claims-{name}"), token::CLAIMS, claims(change).as_bytes());
    }
    for (name, member, value) in [
        ("good", "typ", json!("at+jwt")),
        ("media-type", "typ", json!("application/AT+JWT")),
        ("critical", "crit", json!(["b64"])),
        ("none", "alg", json!("none")),
        ("other-key", "jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA" })),
    ] {
        let mut header = token::header();
        header[member] = value;
        let text = format!("{header}\n{}", token::claims());
        seed_of("token", &format!("header-{name}"), token::HEADER, text.as_bytes());
    }
}

fn jwk_sets() {
    let own = serde_json::to_value(keys::issuer().public()).expect("JSON");
    let point = json!({
        "kty": "EC", "kid": "p256", "crv": "P-256", "alg": "ES256", "use": "sig",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let modulus = rovuma_fuzz::jwks::modulus();
    let rsa = json!({ "kty": "RSA", "kid": "rsa", "n": modulus, "e": "AQAB" });
    for (name, keys) in [
        ("own", json!([own])),
        ("p256", json!([point])),
        ("rsa", json!([rsa])),
        ("all", json!([own, point, rsa])),
        ("same-name", json!([own, own])),
        (
            "unusable",
            json!([{ "kty": "oct", "kid": "s", "k": "AA" }, 7, { "kty": "OKP", "crv": "X25519", "kid": "e" }]),
        ),
        ("none", json!([])),
    ] {
        seed("jwks", name, json!({ "keys": keys }).to_string().as_bytes());
    }
    let key = keys::signing("mz.prm");
    seed("jwks", "public-key", rovuma_envelope::Signer::public_key(&key).to_jwk().as_bytes());
}

fn drafts() {
    for (name, text) in examples("valid").into_iter().filter(|(name, _)| name.starts_with("alert-")) {
        seed("draft", &name, &text);
    }
    // One fault of each kind that only the rules of drafts find; the fuzzer reaches the rest by small changes.
    let wanted =
        ["mrz_mismatch", "imo_check_digit", "vin_check_digit", "birth_date_incoherent", "duplicate_key"];
    let wanted_too = [
        "validity_too_long",
        "restriction_missing",
        "too_deep",
        "document_number_shape",
        "code_not_in_force",
    ];
    for (name, text) in examples("invalid")
        .into_iter()
        .filter(|(name, _)| wanted.iter().chain(&wanted_too).any(|rule| name == rule))
    {
        let example: Value = serde_json::from_slice(&text).expect("JSON");
        let times = usize::try_from(example["times"].as_u64().unwrap_or(1)).expect("small").min(64);
        let draft = match example["text"].as_str() {
            Some(text) => text.repeat(times),
            None => example["draft"].to_string(),
        };
        seed("draft", &format!("invalid-{name}"), draft.as_bytes());
    }
}

fn audit() {
    let (key, sealing) = (keys::signing("mz.gateway"), keys::sealing("mz.audit"));
    let batch = audit_batch::batch(3).to_string();
    let payload = audit_batch::chained(batch.as_bytes()).expect("a batch");
    let jws = Jws::sign(Typ::AUDIT, payload.clone(), &key).expect("signed").to_compact();
    let close = |text: &str| seal(text.as_bytes(), sealing.recipient()).expect("sealed");
    seed_of("audit_batch", "sealed", audit_batch::SEALED, &close(&jws));
    seed_of("audit_batch", "sealed-nothing", audit_batch::SEALED, &close(""));
    seed_of("audit_batch", "text", audit_batch::TEXT, jws.as_bytes());
    seed_of("audit_batch", "payload", audit_batch::PAYLOAD, &payload);
    seed_of("audit_batch", "chained", audit_batch::CHAINED, batch.as_bytes());
    for (name, change) in [
        ("later", json!({ "first": 9, "last": 11 })),
        ("last-numbers", json!({ "first": u64::MAX, "last": u64::MAX })),
        ("other-source", json!({ "source": "mz.identity" })),
        ("other-epoch", json!({ "epoch": "ffffffffffffffffffffffffffffffff" })),
        ("empty", json!({ "events": [] })),
    ] {
        let mut batch = audit_batch::batch(3);
        batch.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
        let (first, epoch) = (batch["first"].as_u64().unwrap_or(1), batch["epoch"].clone());
        for (place, event) in (0..).zip(batch["events"].as_array_mut().expect("events")) {
            event["sequence"] = json!(first.saturating_add(place));
            event["epoch"] = epoch.clone();
        }
        seed_of(
            "audit_batch",
            &format!("chained-{name}"),
            audit_batch::CHAINED,
            batch.to_string().as_bytes(),
        );
    }
    let good = audit_ack::good();
    seed_of("audit_ack", "good", audit_ack::PAYLOAD, good.as_bytes());
    for (name, from, to) in [
        ("first", "\"sequence\":2", "\"sequence\":1"),
        ("ahead", "\"sequence\":2", "\"sequence\":18446744073709551615"),
        ("nothing", "\"sequence\":2", "\"sequence\":0"),
        ("other-source", "mz.gateway", "mz.identity"),
        ("other-epoch", "{epoch}", "0a1b2c3d4e5f40718293a4b5c6d7e8f9"),
    ] {
        seed_of("audit_ack", name, audit_ack::PAYLOAD, good.replace(from, to).as_bytes());
    }
    let whole = good.replace("{epoch}", &"0a".repeat(16)).replace("{digest}", &"A".repeat(43));
    let own = Jws::sign(Typ::AUDIT_ACK, whole.into_bytes(), &keys::signing("mz.audit")).expect("signed");
    seed_of("audit_ack", "altered", audit_ack::RAW, altered(&own.to_compact()).as_bytes());
    let stranger = Jws::sign(Typ::AUDIT_ACK, good.into_bytes(), &keys::signing("mz.prm")).expect("signed");
    seed_of("audit_ack", "by-another", audit_ack::RAW, stranger.to_compact().as_bytes());
}

fn deliveries() {
    let from_tpf = |message: &mut Value, kind: &str| {
        message["header"]["sender"] = json!({ "agency": if kind == "link" { "tz.node" } else { "tz.tpf" } });
        if let Some(case) = message["header"].get_mut("case") {
            case["owner"] = json!("tz.tpf");
        }
        message["header"]["recipients"][0]["agency"] =
            json!(if kind == "link" { "mz.node" } else { "mz.prm" });
        let recipients = message["header"]["recipients"].as_array_mut().expect("recipients");
        recipients.truncate(1);
    };
    for (name, text) in message::examples() {
        let kind = name.split('.').next().unwrap_or_default();
        let mut message: Value = serde_json::from_slice(&text).expect("JSON");
        from_tpf(&mut message, kind);
        if name.starts_with("receipt") {
            message["body"]["entries"][0]["id"] = json!("{sent}");
            message["body"]["entries"][0]["digest"] = json!("{digest}");
        }
        if name == "stream.request" {
            message["body"]["streams"][0]["stream"] = json!("{stream}");
            message["body"]["streams"][0]["missing"][0] = json!({ "from": 1, "to": 1 });
        }
        let lane = match message["header"]["recipients"][0]["lane"].as_str() {
            Some("normal") => 1 << 4,
            Some("bulk") => 2 << 4,
            _ => 0,
        };
        let (sender, recipient) = if kind == "link" { (2 << 2, 2 << 6) } else { (0, 0) };
        let mode = inbox::PAYLOADS | sender | lane | recipient;
        seed_of("inbox", &name, mode, message.to_string().as_bytes());
        if name == "alert.issue" {
            seed_of("inbox", "by-another", mode | 1 << 2, message.to_string().as_bytes());
            seed_of(
                "inbox",
                "from-home",
                mode | 3 << 2,
                message.to_string().replace("tz.tpf", "mz.senami").as_bytes(),
            );
            let mut second = message.clone();
            second["header"]["id"] = json!("0199c5a1-7b3e-7001-8a10-0000000000ff");
            second["header"]["recipients"][0]["number"] = json!(5);
            let both = [message.to_string().as_bytes(), second.to_string().as_bytes()].join(&0);
            seed_of("inbox", "two-alerts", mode, &both);
            second["body"] = json!({});
            let both = [message.to_string().as_bytes(), second.to_string().as_bytes()].join(&0);
            seed_of("inbox", "good-and-bad", mode, &both);
            message["header"]["expires"] = json!("2026-11-23T18:00:01Z");
            message["header"]["created"] = json!("2026-11-23T17:00:01Z");
            seed_of("inbox", "expired", mode, message.to_string().as_bytes());
        }
    }
    let all = signed_messages();
    let pack = Bundle::pack(&all).expect("a bundle");
    seed_of("inbox", "content", inbox::CONTENT, &framed(&all[..2]));
    seed_of("inbox", "bundle", inbox::BUNDLE, &pack);
    let closed = seal(&pack, keys::sealing("mz.prm").recipient()).expect("sealed");
    seed_of("inbox", "sealed", inbox::SEALED, &closed);
}

fn evidence() {
    let key = SigningKey::from_pkcs8_pem(&fs::read_to_string(keys::signing_file("mz.audit")).expect("a key"));
    let key = key.expect("a key");
    let origin = "mz.audit/2026".to_owned();
    let head = rovuma_tlog::Head { origin: origin.clone(), size: 0, root: rovuma_tlog::EMPTY_HASH };
    let checkpoint = rovuma_tlog::sign(&head, &key).expect("signed");
    let policy = "Diploma Ministerial n.º 12/2027".to_owned();
    let pruned = rovuma_tlog::Pruned { origin, minimum_index: 7, unix_s: 1_798_761_600, policy };
    let pruned = pruned.sign(&key).expect("signed");
    seed_of("evidence", "checkpoint", evidence::NOTE, &checkpoint);
    seed_of("evidence", "pruned", evidence::NOTE, &pruned);
    let proof = rovuma_tlog::ProofFile {
        unverified_extra: b"{}".to_vec(),
        index: 0,
        hashes: Vec::new(),
        checkpoint: rovuma_tlog::UnverifiedCheckpoint::read(&checkpoint).expect("a checkpoint"),
    };
    seed_of("evidence", "proof", evidence::PROOF, proof.to_string().as_bytes());
    let log = rovuma_tlog::NoteKey::of_log("mz.audit/2026", key.public_key()).expect("a key");
    seed_of("evidence", "policy", evidence::POLICY, format!("log {log}\nquorum none\n").as_bytes());
    seed_of("evidence", "bundle", evidence::BUNDLE, &bundle_of(&proof.to_string(), pruned));
}

/// A bundle with one file of each kind.
fn bundle_of(proof: &str, pruned: Vec<u8>) -> Vec<u8> {
    let id = "0199c5a1-7b3e-7001-8a10-000000000001";
    let manifest = json!({
        "format": rovuma_evidence::FORMAT, "made_at": "2026-11-27T10:00:00Z", "made_with": "rovumactl", "language": "pt",
        "requester": { "subject": "auditor-1" }, "query": { "message": id }, "log_length": 1, "end": 1,
        "counts": {
            "items": 1, "orders": 0, "disclosed": 1, "erased": 0, "unproven": 0, "messages": 1, "receipts": 1,
        },
        "heads": [], "erased": [], "left_out": [], "files": {},
    });
    let event = rovuma_evidence::Disclosed { salt: "AA".to_owned(), exact: "{}".to_owned() };
    let entry = rovuma_evidence::EvidenceEntry {
        erasure: None,
        index: 0,
        role: rovuma_evidence::EntryRole::Item,
        origin: "mz.audit/2026".to_owned(),
        leaf: "{}".to_owned(),
        event: Some(event),
        erased_by: None,
        proof: Some(proof.to_owned()),
    };
    let message = rovuma_evidence::MessageFiles {
        signed: [("tz".parse().expect("a country"), "a.b.c".to_owned())].into(),
        receipts: [("A".repeat(43).parse().expect("a digest"), "a.b.c".to_owned())].into(),
    };
    let contents = rovuma_evidence::EvidenceContents {
        manifest: serde_json::from_value(manifest).expect("a manifest"),
        policy: "quorum none\n".to_owned(),
        entries: [(0, entry)].into(),
        messages: [(id.parse().expect("an id"), message)].into(),
        pruned: [("mz.audit/2026".to_owned(), String::from_utf8(pruned).expect("UTF-8"))].into(),
        trust: [("mz".parse().expect("a country"), "{}".to_owned())].into(),
    };
    rovuma_evidence::EvidenceBundle { contents, report: "<p>".to_owned() }.pack().expect("packed")
}
