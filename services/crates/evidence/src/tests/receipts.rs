//! Receipts that do not belong to the message that they are filed under.

use rovuma_envelope::{Jws, SigningKey, Typ, digest};
use serde_json::json;

use super::case::{Case, MESSAGE};
use crate::CheckedEvidence;

#[test]
fn a_receipt_is_one_for_the_message_that_it_stands_under() {
    let compact = |payload: &serde_json::Value| {
        let key = SigningKey::generate().expect("a key");
        let jws = Jws::sign(Typ::MESSAGE, serde_json::to_vec(payload).expect("JSON"), &key).expect("signed");
        jws.to_compact()
    };
    let header = |id: &str, kind: &str, sender: &str, recipient: &str| {
        json!({
            "id": id, "type": kind, "version": "1.0", "status": "actual", "sender": { "agency": sender },
            "recipients": [{ "agency": recipient, "lane": "urgent" }], "created": "2026-11-27T10:00:00Z",
        })
    };
    const RECEIPT: &str = "0199c5a1-7b3e-7001-8a10-000000000009";
    let message =
        compact(&json!({ "header": header(MESSAGE, "alert.issue", "mz.prm", "tz.tpf"), "body": {} }));
    let digest = digest(message.as_bytes()).to_string();
    let receipt = |id: &str, kind: &str, sender: &str, about: &str, digest: &str| {
        let entries = json!([{ "id": about, "digest": digest, "read_at": "2026-11-27T10:00:00Z" }]);
        compact(&json!({ "header": header(id, kind, sender, "mz.prm"), "body": { "entries": entries } }))
    };
    let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let cases = [
        ("a receipt", receipt(RECEIPT, "receipt.read", "tz.tpf", MESSAGE, &digest), None),
        (
            "of another message",
            receipt(RECEIPT, "receipt.read", "tz.tpf", RECEIPT, &digest),
            Some("another message"),
        ),
        (
            "of other bytes",
            receipt(RECEIPT, "receipt.read", "tz.tpf", MESSAGE, other),
            Some("another message"),
        ),
        (
            "of somebody else",
            receipt(RECEIPT, "receipt.read", "tz.dci", MESSAGE, &digest),
            Some("no recipient"),
        ),
        ("under another name", receipt(MESSAGE, "receipt.read", "tz.tpf", MESSAGE, &digest), Some("it is")),
        ("no receipt", receipt(RECEIPT, "alert.issue", "tz.tpf", MESSAGE, &digest), Some("no receipt")),
        ("nothing", "a.b.c".to_owned(), Some("cannot be read")),
    ];
    for (what, receipt, word) in cases {
        let mut case = Case::of(message.clone());
        let files = case.contents.messages.values_mut().next().expect("a message");
        files.receipts.insert(RECEIPT.parse().expect("an id"), receipt);
        let checked = CheckedEvidence::complete(&mut case.contents, &case.log.policy());
        match word {
            None => drop(checked.expect(what)),
            Some(word) => {
                let fault = checked.expect_err(what).to_string();
                assert!(fault.contains("receipts/") && fault.contains(word), "{what}: {fault}");
            }
        }
    }
}
