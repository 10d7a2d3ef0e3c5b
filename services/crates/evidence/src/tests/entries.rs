//! Changes to entries, heads and numbers.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_schemas::{
    Digest,
    audit::{AuditAction, AuditEvent, AuditObject, AuditOutcome},
};
use rovuma_tlog::leaf_hash;

use super::case::{BEGINS, Case, TestLog, event, leaf_of};
use crate::{CheckedEvidence, EntryRole, ErasureProof, EvidenceEntry, EvidenceFault, check};

#[test]
fn what_is_changed_about_an_entry_is_found() {
    type Alteration = fn(&mut Case);
    let alterations: [(&str, Alteration, &str); 13] = [
        ("the leaf", |case| case.entry(0).leaf = case.entry(1).leaf.clone(), "another leaf"),
        ("another's proof", |case| case.entry(0).proof = case.entry(1).proof.clone(), "another leaf"),
        (
            "the event",
            |case| {
                let event = case.entry(0).event.as_mut().expect("an event");
                event.exact = event.exact.replace("officer-1", "officer-2");
            },
            "another event",
        ),
        (
            "the salt",
            |case| {
                case.entry(0).event.as_mut().expect("an event").salt = URL_SAFE_NO_PAD.encode([9; 32]);
            },
            "another event",
        ),
        (
            "the place in the log",
            |case| {
                let proof = case.entry(0).proof.as_mut().expect("a proof");
                *proof = proof.replace("index 0", "index 1");
            },
            "not in the log",
        ),
        (
            "the place among all entries",
            |case| {
                let mut entry = case.contents.entries.remove(&(BEGINS + 1)).expect("an entry");
                entry.index = BEGINS + 9;
                case.contents.entries.insert(BEGINS + 9, entry);
            },
            "does not match its place",
        ),
        (
            "the log's name",
            |case| case.entry(0).origin = "mz.audit/2025".to_owned(),
            "and not in mz.audit/2025",
        ),
        (
            "the order",
            |case| {
                case.contents.entries.remove(&(BEGINS + 3));
            },
            "no proven order 1003",
        ),
        ("what is no order", |case| case.entry(2).erased_by = Some(BEGINS), "no proven order 1000"),
        ("why it is not there", |case| case.entry(2).erased_by = None, "names no order"),
        ("an event is held back", |case| case.entry(0).event = None, "names no order"),
        ("what is erased is there", |case| case.entry(1).erased_by = Some(BEGINS + 3), "its event is there"),
        ("an order of nothing", |case| case.entry(0).role = EntryRole::Order, "nothing was erased by it"),
    ];
    for (what, alter, word) in alterations {
        let mut case = Case::new();
        alter(&mut case);
        let fault = case.fault();
        assert!(fault.contains(word), "{what}: {fault}");
        // Completing the manifest again does not help.
        assert!(CheckedEvidence::complete(&mut case.contents, &case.log.policy()).is_err(), "{what}");
    }
}

#[test]
fn what_is_changed_about_heads_messages_and_numbers_is_found() {
    let mut case = Case::new();
    let alone = case.log.checkpoint(1, 1_795_000_000);
    case.entry(0).proof = Some(case.log.proof(0, &alone));
    assert!(case.fault().contains("not cosigned by tz"), "{}", case.fault());

    let mut case = Case::new();
    let other = case.log.checkpoint(2, 1_795_000_001);
    case.entry(2).proof = Some(case.log.proof(2, &other));
    assert!(case.fault().contains("different heads"), "{}", case.fault());

    let (case, strangers) = (Case::new(), TestLog::new());
    let fault = check(&case.contents, &strangers.policy()).expect_err("strangers' keys").to_string();
    assert!(fault.contains("not signed by a log that the policy names"), "{fault}");

    let mut case = Case::new();
    case.contents.manifest.counts.items = 4;
    assert!(case.fault().contains("counts"), "{}", case.fault());
    let mut case = Case::new();
    case.contents.manifest.heads[0].size = 5;
    assert!(case.fault().contains("heads"), "{}", case.fault());
    let mut case = Case::new();
    case.contents.manifest.erased.clear();
    assert!(case.fault().contains("erased"), "{}", case.fault());
    let mut case = Case::new();
    case.contents.manifest.format = "rovuma-evidence/2".to_owned();
    assert!(case.fault().contains("rovuma-evidence/2"), "{}", case.fault());

    let mut case = Case::new();
    for files in case.contents.messages.values_mut() {
        files.signed.values_mut().for_each(|jws| *jws = jws.replacen('e', "f", 1));
    }
    assert!(case.fault().contains("was sent or received"), "{}", case.fault());
    // An entry that a head covers needs its proof.
    let mut case = Case::new();
    case.entry(1).proof = None;
    case.contents.manifest.counts.unproven = 1;
    assert!(case.fault().contains("entry 1001: it has no proof"), "{}", case.fault());
}

/// Changes by somebody who wants to hide one event and completes the manifest again.
#[test]
fn an_event_is_not_hidden_behind_an_order_that_is_none() {
    type Alteration = fn(&mut Case);
    // Entry 2 is named by the order's list, so that only the order is wrong.
    let invent: Alteration = |case| {
        let mut order = case.contents.entries[&(BEGINS + 3)].clone();
        (order.index, order.proof) = (BEGINS + 900, None);
        case.contents.entries.insert(order.index, order);
        case.entry(2).erased_by = Some(BEGINS + 900);
    };
    let of_another_year: Alteration = |case| {
        let mut order = case.contents.entries[&(BEGINS + 3)].clone();
        (order.index, order.proof, order.origin) = (BEGINS + 900, None, "mz.audit/2027".to_owned());
        case.contents.entries.insert(order.index, order);
        case.entry(2).erased_by = Some(BEGINS + 900);
    };
    let of_something_else: Alteration = |case| {
        let order = order_about(case, 0);
        case.log_with(&AuditEvent { object: Some(AuditObject::new("message", "another")), ..order });
        hide_alone(case, 0, BEGINS + 4);
    };
    let refused: Alteration = |case| {
        let order = order_about(case, 0);
        case.log_with(&AuditEvent { outcome: AuditOutcome::Refused, ..order });
        hide_alone(case, 0, BEGINS + 4);
    };
    let alterations = [
        ("an invented one", invent),
        ("one of a log without a head", of_another_year),
        ("one about something else", of_something_else),
        ("one that was refused", refused),
    ];
    for (what, alter) in alterations {
        let mut case = Case::new();
        alter(&mut case);
        let fault =
            CheckedEvidence::complete(&mut case.contents, &case.log.policy()).expect_err(what).to_string();
        assert!(fault.contains("no proven order"), "{what}: {fault}");
    }
    // The order comes one index before the entry that it would have erased.
    let mut case = Case::new();
    let later = event(6, AuditAction::MessageRead, &[]);
    let named = Digest::from_bytes(leaf_hash(&leaf_of(&later)).0).to_string();
    case.log_with(&event(5, AuditAction::Erase, &[("erased", named)]));
    case.log_with(&later);
    hide_alone(&mut case, 5, BEGINS + 4);
    let fault = case.fault_completed();
    assert!(fault.contains("entry 1005") && fault.contains("no proven order"), "{fault}");
}

/// An order whose list has this one entry.
fn order_about(case: &Case, place: usize) -> AuditEvent {
    let named = Digest::from_bytes(leaf_hash(&case.log.leaves[place]).0).to_string();
    event(5, AuditAction::Erase, &[("erased", named)])
}

/// Hides an event behind an order whose list has this one entry.
fn hide_alone(case: &mut Case, place: u64, order: u64) {
    let entry = case.entry(place);
    (entry.event, entry.erased_by) = (None, Some(order));
    entry.erasure = Some(ErasureProof { index: 0, size: 1, hashes: Vec::new() });
}

#[test]
fn what_has_no_proof_at_all_proves_nothing() {
    let mut case = Case::new();
    case.contents.messages.clear();
    for entry in case.contents.entries.values_mut() {
        entry.proof = None;
    }
    let fault = CheckedEvidence::complete(&mut case.contents, &case.log.policy())
        .expect_err("nothing is proven")
        .to_string();
    assert!(fault.contains("no proven order 1003"), "{fault}");
    case.contents.entries.retain(|index, _| *index == BEGINS);
    let fault =
        CheckedEvidence::complete(&mut case.contents, &case.log.policy()).expect_err("nothing is proven");
    assert_eq!(fault, EvidenceFault::Nothing);
}

/// After a restore a log may end with entries that no head covers: they are shown as unproven, and are no reason to
/// refuse the rest.
#[test]
fn an_entry_that_no_head_covers_needs_no_proof() {
    let mut case = Case::new();
    let leaf = case.contents.entries[&BEGINS].clone();
    let beyond = EvidenceEntry { index: BEGINS + 4, proof: None, ..leaf };
    case.contents.entries.insert(beyond.index, beyond);
    CheckedEvidence::complete(&mut case.contents, &case.log.policy())
        .expect("it holds as far as it is proven");
    assert_eq!(case.contents.manifest.counts.unproven, 1);
    let mut case = Case::new();
    case.entry(0).proof = None;
    let fault = CheckedEvidence::complete(&mut case.contents, &case.log.policy()).expect_err("it is within");
    assert!(fault.to_string().contains("the head of its log covers it"), "{fault}");
}

/// No byte of a text that is checked can change unnoticed, whatever its length.
#[test]
fn every_byte_of_what_is_proven_counts() {
    let texts: [fn(&mut Case) -> &mut String; 5] = [
        |case| &mut case.entry(1).leaf,
        |case| &mut case.entry(1).event.as_mut().expect("an event").exact,
        |case| &mut case.entry(1).event.as_mut().expect("an event").salt,
        |case| case.entry(1).proof.as_mut().expect("a proof"),
        |case| {
            case.contents
                .messages
                .values_mut()
                .next()
                .and_then(|files| files.signed.values_mut().next())
                .expect("a message")
        },
    ];
    let mut case = Case::new();
    for (number, text) in texts.into_iter().enumerate() {
        let whole = text(&mut case).clone();
        for place in (0..whole.len())
            .filter(|place| whole.is_char_boundary(*place) && whole.is_char_boundary(place + 1))
        {
            let mut bent = whole.clone().into_bytes();
            bent[place] ^= 1;
            *text(&mut case) = String::from_utf8(bent).expect("ASCII");
            assert!(check(&case.contents, &case.log.policy()).is_err(), "text {number}, byte {place}");
        }
        *text(&mut case) = whole;
    }
    check(&case.contents, &case.log.policy()).expect("as it was, it holds");
}
