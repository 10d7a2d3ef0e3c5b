//! Bundles that prove something else than they show. Whoever made them completed the manifest again.

use rovuma_envelope::{Jws, SigningKey, Typ, digest};
use rovuma_schemas::{
    Digest, HandlingCode,
    audit::{AuditAction, AuditEvent, AuditObject, AuditOutcome},
};
use rovuma_tlog::{Hash, HashList, leaf_hash};

use super::case::{BEGINS, Case, ORIGIN, event};
use crate::{CheckedEvidence, EntryRole, ErasureProof, EvidenceBundle, EvidenceEntry, LeftOut, Withheld};

/// Contents that the sender signed under the message's id instead of those that were sent.
fn other_content() -> String {
    let key = SigningKey::generate().expect("a key");
    Jws::sign(Typ::MESSAGE, b"{\"other\":true}".to_vec(), &key).expect("signed").to_compact()
}

/// A log names what it refused by its digest too, and what a receipt is about.
#[test]
fn a_message_that_was_refused_does_not_stand_for_the_one_that_was_sent() {
    for (action, outcome) in [
        (AuditAction::MessageReject, AuditOutcome::Success),
        (AuditAction::MessageReceive, AuditOutcome::Refused),
        (AuditAction::MessageSend, AuditOutcome::Failed),
        (AuditAction::ReceiptAccept, AuditOutcome::Success),
    ] {
        let (mut case, refused) = (Case::new(), other_content());
        let named = [("digest", digest(refused.as_bytes()).to_string())];
        case.log_with(&AuditEvent { outcome, ..event(5, action.clone(), &named) });
        let files = case.contents.messages.values_mut().next().expect("a message");
        files.signed.values_mut().for_each(|jws| jws.clone_from(&refused));
        assert!(
            case.fault_completed().contains("was sent or received"),
            "{action}: {}",
            case.fault_completed()
        );
    }
    // The same bytes count where the log says that they came.
    let (mut case, received) = (Case::new(), other_content());
    let named = [("digest", digest(received.as_bytes()).to_string())];
    case.log_with(&event(5, AuditAction::MessageReceive, &named));
    let files = case.contents.messages.values_mut().next().expect("a message");
    files.signed.values_mut().for_each(|jws| jws.clone_from(&received));
    CheckedEvidence::complete(&mut case.contents, &case.log.policy()).expect("it was received");
}

/// A message for several countries is signed once for each.
#[test]
fn a_message_stands_for_the_country_that_it_was_signed_for() {
    for (country, holds) in [("tz", true), ("mw", false)] {
        let (mut case, signed) = (Case::new(), other_content());
        let named = format!("digest.{country}");
        case.log_with(&event(
            5,
            AuditAction::MessageSend,
            &[(named.as_str(), digest(signed.as_bytes()).to_string())],
        ));
        let files = case.contents.messages.values_mut().next().expect("a message");
        files.signed.values_mut().for_each(|jws| jws.clone_from(&signed));
        let checked = CheckedEvidence::complete(&mut case.contents, &case.log.policy());
        assert_eq!(checked.is_ok(), holds, "{country}");
    }
}

/// The leaves of entries, by their places in the log, as an order of erasure names them.
fn hashes(case: &Case, places: &[usize]) -> Vec<Hash> {
    places.iter().map(|place| leaf_hash(&case.log.leaves[*place])).collect()
}

fn root(list: &HashList) -> String {
    Digest::from_bytes(list.root().0).to_string()
}

/// Hides an entry behind an order, with the proof for a place in the order's list.
fn hide(case: &mut Case, place: u64, order: u64, (list, index, size): (&HashList, u64, u64)) {
    let proof = list.inclusion(index).expect("proved");
    let hashes = proof.iter().map(|hash| Digest::from_bytes(hash.0)).collect();
    let entry = case.entry(place);
    (entry.event, entry.erased_by) = (None, Some(BEGINS + order));
    entry.erasure = Some(ErasureProof { index, size, hashes });
}

#[test]
fn an_order_explains_the_entries_that_it_names_and_no_other() {
    // An order about a reference names two entries. Nothing but its list says which.
    let with_order = || {
        let mut case = Case::new();
        case.contents.manifest.query.clear();
        let list = HashList::of(&hashes(&case, &[0, 1]));
        let order = event(5, AuditAction::Erase, &[("erased", root(&list))]);
        case.log_with(&AuditEvent { object: Some(AuditObject::new("reference", "xyz")), ..order });
        (case, list)
    };
    let (mut case, list) = with_order();
    case.contents.messages.clear();
    hide(&mut case, 0, 4, (&list, 0, 2));
    hide(&mut case, 1, 4, (&list, 1, 2));
    let checked = CheckedEvidence::complete(&mut case.contents, &case.log.policy());
    assert_eq!(checked.expect("both are named").entries[&BEGINS].erased_by, Some(BEGINS + 4));

    // A later entry was not named; its maker withholds who read the message.
    let (mut case, list) = with_order();
    case.log_with(&event(6, AuditAction::MessageRead, &[]));
    let order = event(7, AuditAction::Erase, &[("erased", root(&list))]);
    case.log_with(&AuditEvent { object: Some(AuditObject::new("reference", "xyz")), ..order });
    hide(&mut case, 5, 6, (&list, 0, 2));
    assert!(case.fault_completed().contains("no proven order 1006"), "{}", case.fault_completed());

    type Bend = fn(&mut EvidenceEntry);
    let bends: [(&str, Bend); 4] = [
        ("without its proof", |entry| entry.erasure = None),
        ("at another place", |entry| entry.erasure.as_mut().expect("a proof").index = 1),
        ("in a list of another size", |entry| entry.erasure.as_mut().expect("a proof").size = 1),
        ("with another path", |entry| {
            entry.erasure.as_mut().expect("a proof").hashes = vec![Digest::from_bytes([9; 32])];
        }),
    ];
    for (what, bend) in bends {
        let (mut case, list) = with_order();
        hide(&mut case, 0, 4, (&list, 0, 2));
        bend(case.entry(0));
        assert!(
            case.fault_completed().contains("no proven order 1004"),
            "{what}: {}",
            case.fault_completed()
        );
    }
    // An order that commits to nothing explains nothing.
    let mut case = Case::new();
    let list = HashList::of(&hashes(&case, &[0]));
    case.log_with(&event(5, AuditAction::Erase, &[]));
    hide(&mut case, 0, 4, (&list, 0, 1));
    assert!(case.fault_completed().contains("no proven order 1004"), "{}", case.fault_completed());
}

#[test]
fn what_the_manifest_claims_must_not_contradict_the_entries() {
    type Bend = fn(&mut Case);
    let bends: [(&str, Bend, &str); 9] = [
        ("another action", |case| claim(case, "action", "message.send"), "action is not message.send"),
        ("another actor", |case| claim(case, "actor", "officer-2"), "actor is not officer-2"),
        ("another message", |case| claim(case, "message", "x"), "message is not x"),
        ("a later time", |case| claim(case, "from", "2026-11-28T00:00:00Z"), "from is not"),
        ("an earlier time", |case| claim(case, "to", "2026-11-27T10:00:00Z"), "to is not"),
        ("no filter", |case| claim(case, "everything", "yes"), "unknown filter"),
        (
            "it was made before its entries",
            |case| case.contents.manifest.made_at = "2026-11-27T09:00:00Z".parse().expect("RFC 3339"),
            "made_at",
        ),
        ("it ends within a head", |case| case.contents.manifest.end -= 1, "end, log_length"),
        ("the log was shorter", |case| case.contents.manifest.log_length = BEGINS, "end, log_length"),
    ];
    for (what, bend, word) in bends {
        let mut case = Case::new();
        bend(&mut case);
        let fault = case.fault_completed();
        assert!(fault.contains(word), "{what}: {fault}");
        assert_eq!(case.fault(), fault, "{what}: a check finds it too");
    }
    let mut case = Case::new();
    for (name, value) in [
        ("actor", "officer-1"),
        ("agency", "mz.prm"),
        ("object_kind", "message"),
        ("outcome", "success"),
        ("source", "mz.gateway.police"),
        ("from", "2026-11-27T10:00:00Z"),
        ("to", "2026-11-28T00:00:00Z"),
        ("order", "oldest"),
    ] {
        claim(&mut case, name, value);
    }
    CheckedEvidence::complete(&mut case.contents, &case.log.policy()).expect("every entry matches");
}

fn claim(case: &mut Case, name: &str, value: &str) {
    case.contents.manifest.query.insert(name.to_owned(), value.to_owned());
}

/// The indexes by which entries are filed are their maker's; the report numbers entries by their proven places.
#[test]
fn entries_filed_under_other_indexes_keep_their_numbers() {
    let honest = Case::new();
    let mut moved = Case { log: super::case::TestLog::new(), contents: honest.contents.clone() };
    const BY: u64 = 1_000_000;
    let entries = std::mem::take(&mut moved.contents.entries);
    moved.contents.entries = entries
        .into_iter()
        .map(|(index, mut entry)| {
            (entry.index, entry.erased_by) = (index + BY, entry.erased_by.map(|order| order + BY));
            (index + BY, entry)
        })
        .collect();
    moved.contents.manifest.end += BY;
    moved.contents.manifest.log_length += BY;
    let checked = CheckedEvidence::complete(&mut moved.contents, &honest.log.policy()).expect("it holds");
    let report = crate::render(&moved.contents, &checked).expect("renders");
    let rows = |report: &str| -> Vec<String> {
        let rows = report.lines().filter(|line| line.starts_with("<tr><td>"));
        rows.map(ToOwned::to_owned).collect()
    };
    let honest = honest.bundle().report;
    assert!(honest.contains(&format!("<td>{ORIGIN} 2</td><td>{ORIGIN} 3</td>")), "{honest}");
    assert!(rows(&honest).iter().any(|row| row.contains(&format!("<td>{ORIGIN} 0</td>"))), "{honest}");
    assert_eq!(rows(&honest), rows(&report));
}

#[test]
fn an_entry_that_nothing_proves_is_not_among_the_proven() {
    let mut case = Case::new();
    let honest = case.contents.manifest.counts;
    let leaf = case.contents.entries[&BEGINS].clone();
    let invented = EvidenceEntry { index: BEGINS + 4, proof: None, role: EntryRole::Item, ..leaf };
    case.contents.entries.insert(invented.index, invented);
    let checked = CheckedEvidence::complete(&mut case.contents, &case.log.policy())
        .expect("it holds as far as it is proven");
    let counts = case.contents.manifest.counts;
    assert_eq!((counts.items, counts.unproven), (honest.items + 1, 1));
    assert_eq!(counts.disclosed, honest.disclosed, "it is not among those that say what they committed to");
    let report = crate::render(&case.contents, &checked).expect("renders");
    let (before, after) = report.split_once("Entradas que nada prova").expect("a heading of its own");
    assert_eq!(before.matches("draft.read: content").count(), 1, "{before}");
    assert_eq!(after.matches("draft.read: content").count(), 1, "{after}");
    assert!(!after.contains(&format!("{ORIGIN} 4")), "it has no number: {after}");
}

#[test]
fn a_bundle_without_entries_proves_nothing() {
    let mut case = Case::new();
    case.contents.messages.clear();
    case.contents.entries.clear();
    assert!(case.fault_completed().contains("proves nothing"), "{}", case.fault_completed());
}

/// Contents without the message, which is withheld under its digest.
fn withholding() -> (Case, Digest) {
    let mut case = Case::new();
    let (id, files) = case.contents.messages.pop_first().expect("a message");
    let digest = digest(files.signed.values().next().expect("signed").as_bytes());
    let withheld =
        Withheld { sender: "tz.tpf".parse().expect("an agency"), handling: HandlingCode::H2, digest };
    let left = LeftOut { withheld: Some(withheld), ..LeftOut::message(id, "handling_breach") };
    case.contents.manifest.left_out = vec![left];
    (case, digest)
}

#[test]
fn a_message_is_withheld_by_the_digest_that_an_entry_names_and_by_a_code_that_withholds() {
    let (mut case, named) = withholding();
    CheckedEvidence::complete(&mut case.contents, &case.log.policy()).expect("it holds");
    let mut bundle = case.bundle();
    for word in ["H2", "tz.tpf", &named.to_string(), "handling_breach"] {
        assert!(bundle.report.contains(word), "{word}");
    }
    let bytes = bundle.pack().expect("packed");
    assert_eq!(EvidenceBundle::unpack(&bytes).expect("unpacked"), bundle);

    let bent = |bend: fn(&mut LeftOut)| {
        let (mut case, _) = withholding();
        bend(&mut case.contents.manifest.left_out[0]);
        case.fault_completed()
    };
    let withheld = |left: &mut LeftOut| left.withheld.clone().expect("withheld");
    let other = bent(|left| left.withheld.iter_mut().for_each(|withheld| withheld.digest = digest(b"other")));
    assert!(other.contains("no entry of the bundle says"), "{other}");
    let other_id = bent(|left| left.id = "0199c5a1-7b3e-7001-8a10-000000000002".parse().expect("an id"));
    assert!(other_id.contains("no entry of the bundle says"), "{other_id}");
    for free in [HandlingCode::H0, HandlingCode::H1] {
        let (mut case, _) = withholding();
        let left = &mut case.contents.manifest.left_out[0];
        left.withheld = Some(Withheld { handling: free, ..withheld(left) });
        assert!(case.fault_completed().contains("no handling code withholds it"));
    }
    let mut both = Case::new();
    let (id, files) = both.contents.messages.first_key_value().expect("a message");
    let named = digest(files.signed.values().next().expect("signed").as_bytes());
    let mut left = withholding().0.contents.manifest.left_out.remove(0);
    left.withheld = Some(Withheld { digest: named, ..withheld(&mut left) });
    assert_eq!(left.id, *id);
    both.contents.manifest.left_out = vec![left];
    assert!(both.fault_completed().contains("it is in the bundle"), "{}", both.fault_completed());
}
