//! Searches the files of the store for what was erased, byte by byte, in every form in which it may stand there.

use serde_json::json;

use super::{OVER, short, start, stolen, wanted_person};
use crate::tests::support::{Fixture, example};

/// What must not be found any more: names, numbers of documents, a plate, numbers of a vehicle, and words of the narrative.
const NEEDLES: [&str; 8] = [
    "Mfano Juma Mtungwa",
    "MFANO JUMA MTUNGWA",
    "Bwana Mfano",
    "19880101-00000-00000-00",
    "AAA 000 CD",
    "MD2EXAMPLE0000417",
    "DUZEXAMPLE0417",
    "Guarda-lama traseiro partido",
];

/// Base64url without padding.
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut word = [0; 3];
        word[..chunk.len()].copy_from_slice(chunk);
        let number = u32::from_be_bytes([0, word[0], word[1], word[2]]);
        for place in 0..=chunk.len() {
            let value = number >> (18 - 6 * place) & 63;
            text.push(char::from(ALPHABET[usize::try_from(value).expect("six bits")]));
        }
    }
    text
}

/// The forms of a text: as it is, in UTF-16 of both orders, and within base64url at each of three alignments, without the characters
/// that what stands beside it determines.
fn forms(needle: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![
        needle.as_bytes().to_vec(),
        needle.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        needle.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    ];
    for shift in 0..3 {
        let mut bytes = vec![0; shift];
        bytes.extend_from_slice(needle.as_bytes());
        let text = base64url(&bytes);
        let (from, to) = ((shift * 8).div_ceil(6), bytes.len() * 8 / 6);
        forms.push(text.as_bytes()[from..to].to_vec());
    }
    forms
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    let finder = |at: &usize| bytes[*at..].starts_with(needle);
    let first = needle[0];
    bytes.iter().enumerate().filter(|(_, byte)| **byte == first).map(|(at, _)| at).any(|at| finder(&at))
}

/// The needles that the files of the store hold, in any form.
fn found(fixture: &Fixture) -> Vec<&'static str> {
    let path = fixture.config.store.url.strip_prefix("sqlite:").expect("a file").to_owned();
    let files =
        ["", "-wal", "-shm", "-journal"].map(|end| std::fs::read(format!("{path}{end}")).unwrap_or_default());
    assert!(!files[0].is_empty());
    let is_there =
        |needle: &&str| forms(needle).iter().any(|form| files.iter().any(|file| contains(file, form)));
    NEEDLES.into_iter().filter(is_there).collect()
}

#[test]
fn every_form_is_found_where_it_stands() {
    for needle in NEEDLES {
        for before in 0..4 {
            let text = format!("{}{needle}}}", "x".repeat(before));
            let encoded = base64url(text.as_bytes());
            assert!(
                forms(needle).iter().any(|form| contains(encoded.as_bytes(), form)),
                "{needle} after {before}"
            );
        }
        assert!(forms(needle).iter().all(|form| !contains(b"nothing of the kind", form)));
    }
    assert_eq!(base64url(b"Rovuma"), "Um92dW1h");
    assert_eq!(base64url(b"Rovu"), "Um92dQ");
}

#[tokio::test]
async fn neither_name_nor_number_is_left_in_the_files() {
    if rovuma_lab::postgres::tests_use_postgres() {
        // Its files belong to a server. What it keeps beside its tables is the operator's (README).
        return;
    }
    let fixture = start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer", "supervisor"]);
    // Of each side: alerts received, and one of ours, drafted, changed, released, with kept answers; and its withdrawal.
    for number in 1..=12 {
        fixture.receive("mz.prm", number, &wanted_person()).await;
        fixture.receive("mz.senami", number, &short(example("alert-stolen-motorcycle"))).await;
    }
    let keyed = |key: &str| officer.with("Idempotency-Key", key);
    let draft = keyed("k1").create(&stolen()).await.id();
    let mut changed = stolen();
    changed["body"]["circumstances"] =
        json!(format!("{} {}", "AAA 000 CD.".repeat(40), changed["body"]["circumstances"]));
    officer.with("If-Match", "\"1\"").put(&format!("/v1/drafts/{draft}"), &changed).await.expect(200);
    keyed("k2").step(&format!("/v1/drafts/{draft}/release")).await.expect(200);
    let at_once = keyed("k3").post("/v1/messages", &stolen()).await.expect(201).id();
    for id in [&draft, &at_once] {
        fixture.delivered("tz.tpf", "mz.prm", id).await;
    }
    // Reading changes rows of received messages, and so moves others.
    let ids = officer.get("/v1/inbox").await.expect(200).ids();
    for id in &ids[..6] {
        officer.get(&format!("/v1/messages/{id}")).await.expect(200);
    }
    assert_eq!(found(&fixture), NEEDLES, "else not finding them would prove nothing");

    fixture.at(OVER);
    let run = fixture.erase().await;
    assert_eq!((run.erased, run.left), (26, 0));
    assert_eq!(found(&fixture), [""; 0]);
    // The requests are still recognised, and not done again.
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer", "supervisor"]);
    for row in officer.get("/v1/inbox").await.expect(200).json["items"].as_array().expect("rows") {
        assert_eq!(row["erased_at"], OVER, "{row}");
    }
}

#[tokio::test]
async fn a_kept_answer_says_that_it_was_erased() {
    let fixture = start().await;
    let officer =
        fixture.person("officer-1", "mz.prm", &["liaison_officer"]).with("Idempotency-Key", "key-1");
    let mut today = stolen();
    today["terms"]["retain_until"] = json!("2026-11-23");
    today["body"]["validity"] = json!({ "until": "2026-11-23T23:00:00Z" });
    let id = officer.post("/v1/messages", &today).await.expect(201).id();
    fixture.delivered("tz.tpf", "mz.prm", &id).await;
    fixture.at("2026-11-24T00:00:00Z");
    assert_eq!(fixture.erase().await.erased, 1);
    let officer =
        fixture.person("officer-1", "mz.prm", &["liaison_officer"]).with("Idempotency-Key", "key-1");
    // Valid again: the same bytes, which is what the key stands for.
    let again = officer.post("/v1/messages", &today).await;
    assert!(matches!(again.status, 410 | 422), "{again:?}");
    assert_eq!(fixture.count("SELECT COUNT(*) FROM sent").await, 1, "it was not sent again");
}
