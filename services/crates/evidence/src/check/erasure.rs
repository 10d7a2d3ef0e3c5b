//! Missing events: an order in the bundle erased each of them, and each order erased one.

use rovuma_schemas::{
    Digest,
    audit::{AuditAction, AuditLeaf, AuditObject, AuditOutcome},
};
use rovuma_tlog::{Hash, HashList};

use super::{CheckedEntry, CheckedEvidence, EvidenceFault};
use crate::{EntryRole, ErasureProof};

/// Checks that a missing event was erased by an order in the bundle, that an order erased something, and that an entry
/// covered by a head has a proof.
pub(super) fn check_missing_event(
    index: u64,
    entry: &CheckedEntry,
    checked: &CheckedEvidence,
) -> Result<(), String> {
    match (&entry.event, entry.erased_by, entry.role) {
        (Some(_), Some(_), _) => Err("it counts as erased, but its event is there".to_owned()),
        (None, None, EntryRole::Item) => {
            Err("its event is missing, and it names no order that erased it".to_owned())
        }
        (_, Some(order), _) if !checked.is_erased_by(index, entry, order) => {
            Err(format!("its event is missing, and there is no proven order {order} that erased it"))
        }
        (_, _, EntryRole::Order) if !checked.orders.contains(&index) => {
            Err("it counts as an order, but nothing was erased by it".to_owned())
        }
        _ if !entry.is_proven() && checked.covers(&entry.origin, index) => {
            Err("it has no proof, though the head of its log covers it".to_owned())
        }
        _ => Ok(()),
    }
}

/// The service of a log, and the log's year and number: `mz.audit/2026-2` is the second of 2026.
fn log_number(origin: &str) -> Option<(&str, (u16, u16))> {
    let (service, named) = origin.rsplit_once('/')?;
    let (year, number) = named.split_once('-').unwrap_or((named, "1"));
    Some((service, (year.parse().ok()?, number.parse().ok()?)))
}

/// Checks that each log of a service begins after the one before it ends, whatever indexes the bundle's maker gave.
pub(super) fn check_log_order(checked: &CheckedEvidence) -> Result<(), EvidenceFault> {
    let mut logs: Vec<_> = checked
        .begins
        .iter()
        .filter_map(|(origin, begin)| {
            Some((log_number(origin)?, *begin, begin.checked_add(checked.heads.get(origin)?.head().size)?))
        })
        .collect();
    logs.sort_unstable();
    for pair in logs.windows(2) {
        let [(before, _, end), (after, begin, _)] = pair else { continue };
        if before.0 == after.0 && begin < end {
            let what = "its log begins before the previous log ends".to_owned();
            return Err(EvidenceFault::Entry { index: *begin, what });
        }
    }
    Ok(())
}

impl CheckedEvidence {
    /// Whether the head of a log covers the entry at this index.
    fn covers(&self, origin: &str, index: u64) -> bool {
        let end = self.begins.get(origin).zip(self.heads.get(origin));
        end.is_some_and(|(begin, head)| index < begin.saturating_add(head.head().size))
    }

    /// Whether this order erased this entry: the order is proven, is in a later place of the same service's logs, was
    /// carried out, names what the entry is about, and its leaf commits to a list that has this entry's leaf. Leaves do not
    /// state references, so for a reference the scope cannot be compared; the list can.
    fn is_erased_by(&self, index: u64, erased: &CheckedEntry, order_index: u64) -> bool {
        let order = self.entries.get(&order_index).filter(|order| order.is_proven());
        let Some(order) = order.filter(|order| order.leaf.action == AuditAction::Erase) else { return false };
        let is_later = match log_number(&order.origin).zip(log_number(&erased.origin)) {
            Some((order, erased)) if order == erased => order_index > index,
            Some((order, erased)) => order.0 == erased.0 && order.1 > erased.1,
            None => false,
        };
        // Entries that the log wrote about itself are never erased.
        let of_log =
            [AuditAction::Erase, AuditAction::LogBegin, AuditAction::LogPrune, AuditAction::AuditAlarm];
        let Some(scope) = order.leaf.object.as_ref() else { return false };
        let was_carried_out = order.leaf.outcome == AuditOutcome::Success;
        let named = order.leaf.erased.zip(erased.erasure.as_ref());
        let is_named = named.is_some_and(|(root, proof)| proof.proves(root, erased.leaf_hash));
        let is_of_log = of_log.contains(&erased.leaf.action);
        is_later && was_carried_out && is_named && !is_of_log && is_about(scope, &erased.leaf)
    }
}

impl ErasureProof {
    /// Whether the list with this root has the leaf with this hash.
    fn proves(&self, root: Digest, leaf: Hash) -> bool {
        let hash = |digest: &Digest| Hash(*digest.as_bytes());
        let hashes: Vec<Hash> = self.hashes.iter().map(hash).collect();
        HashList::includes(hash(&root), (self.index, self.size), leaf, &hashes).is_ok()
    }
}

/// Whether the leaf's object belongs to the scope of an order.
fn is_about(scope: &AuditObject, leaf: &AuditLeaf) -> bool {
    let object = leaf.object.as_ref();
    let kind = object.map(|object| object.kind.as_str());
    match scope.kind.as_str() {
        "reference" => true,
        // An entry about a message, user, account, client or person is erased by its object, not by its actor.
        "actor" => {
            let has_scope = ["message", "draft", "user", "account", "client", "person"];
            leaf.actor == scope.id && kind.is_none_or(|kind| !has_scope.contains(&kind))
        }
        // A draft's id becomes the message's id.
        "message" => {
            matches!(kind, Some("message" | "draft")) && object.is_some_and(|object| object.id == scope.id)
        }
        _ => object == Some(scope),
    }
}

#[cfg(test)]
mod unit {
    use rovuma_schemas::{Epoch, StoreId, audit::FIRST_PREVIOUS};

    use std::collections::{BTreeMap, BTreeSet};

    use rovuma_envelope::digest;
    use rovuma_schemas::audit::AuditEvent;
    use rovuma_tlog::leaf_hash;

    use super::*;
    use crate::StatedDigests;

    fn entry(origin: &str, action: AuditAction, (kind, id): (&str, &str)) -> CheckedEntry {
        let event = AuditEvent {
            version: 1,
            id: "0199c5a1-7b3e-7001-8a10-000000000001".parse().expect("an id"),
            source: "mz.audit".to_owned(),
            epoch: Epoch::from_slice(&[7; 16]).expect("16 bytes"),
            sequence: 1,
            previous: FIRST_PREVIOUS,
            time: "2026-11-27T10:00:00Z".parse().expect("RFC 3339"),
            actor: "officer-1".to_owned(),
            session: None,
            agency: None,
            action,
            object: Some(AuditObject::new(kind, id)),
            purpose: None,
            outcome: AuditOutcome::Success,
            reason: None,
            blind: Some(StoreId::draw()),
            details: BTreeMap::new(),
        };
        let leaf = AuditLeaf::of(&event, digest(b""));
        CheckedEntry {
            role: EntryRole::Item,
            origin: origin.to_owned(),
            leaf_hash: leaf_hash(&leaf.to_bytes()),
            leaf,
            event: None,
            leaf_index: Some(0),
            erased_by: None,
            erasure: None,
        }
    }

    /// Whether an entry at index 5 counts as erased by an order at this index, which names that entry alone.
    fn is_erased(erased: &CheckedEntry, order_index: u64, mut order: CheckedEntry) -> bool {
        let erasure = Some(ErasureProof { index: 0, size: 1, hashes: Vec::new() });
        let erased = &CheckedEntry {
            erasure,
            leaf: erased.leaf.clone(),
            origin: erased.origin.clone(),
            event: None,
            ..*erased
        };
        order.leaf.erased = Some(Digest::from_bytes(erased.leaf_hash.0));
        let mut checked = CheckedEvidence {
            heads: BTreeMap::new(),
            pruned: Vec::new(),
            entries: BTreeMap::new(),
            begins: BTreeMap::new(),
            stated: StatedDigests::default(),
            orders: BTreeSet::new(),
        };
        checked.entries.insert(order_index, order);
        checked.is_erased_by(5, erased, order_index)
    }

    const LOG: &str = "mz.audit/2026";

    #[test]
    fn an_order_is_of_the_same_service_and_later() {
        let read = || entry(LOG, AuditAction::MessageRead, ("message", "m-1"));
        let order = |origin: &str| entry(origin, AuditAction::Erase, ("message", "m-1"));
        for (origin, index, is_one) in [
            (LOG, 6, true),
            (LOG, 4, false),
            ("tz.audit/2026", 6, false),
            ("mz.audit/2027", 6, true),
            ("mz.audit/2026-2", 6, true),
            // The logs decide, not the indexes: the maker of a bundle chooses those.
            ("mz.audit/2025", 6, false),
            ("mz.audit/2027", 4, true),
            ("mz.audit", 6, false),
        ] {
            assert_eq!(is_erased(&read(), index, order(origin)), is_one, "{origin} {index}");
        }
        let second = entry("mz.audit/2026-2", AuditAction::MessageRead, ("message", "m-1"));
        assert!(!is_erased(&second, 6, order(LOG)));
    }

    #[test]
    fn an_order_is_about_what_the_entry_is_about() {
        let scopes = [
            (("message", "m-1"), ("message", "m-1"), true),
            (("draft", "m-1"), ("message", "m-1"), true),
            (("message", "m-2"), ("message", "m-1"), false),
            (("user", "m-1"), ("message", "m-1"), false),
            (("user", "u-1"), ("user", "u-1"), true),
            (("user", "u-1"), ("person", "u-1"), false),
            (("agency", "mz.prm"), ("actor", "officer-1"), true),
            (("agency", "mz.prm"), ("actor", "officer-2"), false),
            // An entry about a message or a person belongs to that object, whoever acted.
            (("message", "m-1"), ("actor", "officer-1"), false),
            (("person", "p-1"), ("actor", "officer-1"), false),
            (("message", "m-1"), ("reference", "xyz"), true),
        ];
        for (object, scope, is_one) in scopes {
            let read = entry(LOG, AuditAction::MessageRead, object);
            assert_eq!(
                is_erased(&read, 6, entry(LOG, AuditAction::Erase, scope)),
                is_one,
                "{object:?} {scope:?}"
            );
        }
        // Entries that the log wrote about itself are never erased.
        for action in
            [AuditAction::Erase, AuditAction::LogBegin, AuditAction::LogPrune, AuditAction::AuditAlarm]
        {
            let own = entry(LOG, action, ("message", "m-1"));
            assert!(!is_erased(&own, 6, entry(LOG, AuditAction::Erase, ("message", "m-1"))));
        }
        let read = entry(LOG, AuditAction::MessageRead, ("message", "m-1"));
        let unproven =
            CheckedEntry { leaf_index: None, ..entry(LOG, AuditAction::Erase, ("message", "m-1")) };
        assert!(!is_erased(&read, 6, unproven));
    }
}
