//! Receipts that do not belong to the message that they are filed under.

use rovuma_envelope::{Jws, SigningKey, Typ, digest};
use rovuma_schemas::audit::{AuditAction, AuditEvent, AuditObject, AuditOutcome};
use serde_json::json;

use super::case::{Case, MESSAGE, event};
use crate::CheckedEvidence;

const RECEIPT: &str = "0199c5a1-7b3e-7001-8a10-000000000009";

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
        ("no receipt", receipt(RECEIPT, "alert.issue", "tz.tpf", MESSAGE, &digest), Some("no receipt")),
        ("nothing", "a.b.c".to_owned(), Some("cannot be read")),
    ];
    for (what, receipt, word) in cases {
        let mut case = Case::of(message.clone());
        let files = case.contents.messages.values_mut().next().expect("a message");
        let name = rovuma_envelope::digest(receipt.as_bytes());
        files.receipts.insert(name, receipt);
        case.log_with(&event(5, AuditAction::ReceiptAccept, &[("receipt", name.to_string())]));
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

#[test]
fn a_receipt_is_filed_under_its_own_digest() {
    let mut case = Case::new();
    let files = case.contents.messages.values_mut().next().expect("a message");
    files.receipts.insert(digest(b"other bytes"), "a.b.c".to_owned());
    assert!(case.fault_completed().contains("its name is not its SHA-256"), "{}", case.fault_completed());
}

/// Receipts that never came, signed now with the recipient's key; or another one in the place of the one that came.
#[test]
fn a_receipt_counts_only_if_the_log_says_that_it_was_accepted() {
    let key = SigningKey::generate().expect("a key");
    let sign = |payload: &serde_json::Value| {
        let jws = Jws::sign(Typ::MESSAGE, serde_json::to_vec(payload).expect("JSON"), &key).expect("signed");
        jws.to_compact()
    };
    let header = |id: &str, kind: &str, from: &str, to: &str| {
        json!({
            "id": id, "type": kind, "version": "1.0", "status": "actual", "sender": { "agency": from },
            "recipients": [{ "agency": to, "lane": "urgent" }], "created": "2026-11-27T10:00:00Z",
        })
    };
    let message = sign(&json!({ "header": header(MESSAGE, "alert.issue", "mz.prm", "tz.tpf"), "body": {} }));
    let receipt = |kind: &str, sequence: u64| {
        let entries = json!([{ "id": MESSAGE, "digest": digest(message.as_bytes()), "sequence": sequence }]);
        sign(&json!({ "header": header(RECEIPT, kind, "tz.tpf", "mz.prm"), "body": { "entries": entries } }))
    };
    let (came, never) = (receipt("receipt.delivered", 1), receipt("receipt.rejected", 2));
    let named = [("receipt", digest(came.as_bytes()).to_string())];
    let with = |receipt: &String, event: Option<AuditEvent>| {
        let mut case = Case::of(message.clone());
        case.contents.manifest.query.clear();
        let files = case.contents.messages.values_mut().next().expect("a message");
        files.receipts.insert(digest(receipt.as_bytes()), receipt.clone());
        if let Some(event) = event {
            case.log_with(&event);
        }
        case
    };
    let accepted = || event(5, AuditAction::ReceiptAccept, &named);
    let mut case = with(&came, Some(accepted()));
    let checked = CheckedEvidence::complete(&mut case.contents, &case.log.policy()).expect("it was accepted");
    let id = MESSAGE.parse().expect("an id");
    assert_eq!(checked.receipt_at(&id, &came), Some(super::case::at()));
    assert_eq!(checked.receipt_at(&id, &never), None);

    let other_message = AuditObject::new("message", RECEIPT);
    for (what, receipt, logged) in [
        ("one that never came", &never, None),
        ("one in the place of the one that came", &never, Some(accepted())),
        ("one that was refused", &came, Some(event(5, AuditAction::ReceiptRefuse, &named))),
        (
            "one whose acceptance failed",
            &came,
            Some(AuditEvent { outcome: AuditOutcome::Failed, ..accepted() }),
        ),
        ("one for another message", &came, Some(AuditEvent { object: Some(other_message), ..accepted() })),
    ] {
        let fault = with(receipt, logged).fault_completed();
        assert!(fault.contains("receipts/") && fault.contains("was accepted"), "{what}: {fault}");
    }
}
