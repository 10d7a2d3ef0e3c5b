//! What is not there: erased by an order that is there, and nothing else.

use rovuma_schemas::audit::{AuditAction, AuditLeaf, AuditObject, AuditOutcome};

use super::{CheckedEntry, CheckedEvidence, EvidenceFault};
use crate::EntryRole;

/// What is not there was erased by an order that is there, and an order is there for something.
pub(super) fn is_accounted_for(
    index: u64,
    entry: &CheckedEntry,
    checked: &CheckedEvidence,
) -> Result<(), String> {
    match (&entry.event, entry.erased_by, entry.role) {
        (Some(_), Some(_), _) => Err("it is said to be erased, and is there".to_owned()),
        (None, None, EntryRole::Item) => Err("its event is not there, and no order says why".to_owned()),
        (_, Some(order), _) if !checked.is_erased_by(index, entry, order) => {
            Err(format!("its event was erased, and no proven order {order} about it is there"))
        }
        (_, _, EntryRole::Order) if !checked.entries.values().any(|other| other.erased_by == Some(index)) => {
            Err("it is said to be an order, and nothing was erased by it".to_owned())
        }
        _ if !entry.is_proven && checked.reaches(&entry.origin, index) => {
            Err("it has no proof, and the head of its log reaches it".to_owned())
        }
        _ => Ok(()),
    }
}

/// The service that a log is of, and which of its logs it is: `mz.audit/2026-2` is the second of 2026.
fn place_of(origin: &str) -> Option<(&str, (u16, u16))> {
    let (service, named) = origin.rsplit_once('/')?;
    let (year, number) = named.split_once('-').unwrap_or((named, "1"));
    Some((service, (year.parse().ok()?, number.parse().ok()?)))
}

/// The logs of a service follow each other among its entries, whatever numbers these have.
pub(super) fn follow_each_other(checked: &CheckedEvidence) -> Result<(), EvidenceFault> {
    let mut logs: Vec<_> = checked
        .begins
        .iter()
        .filter_map(|(origin, begin)| {
            Some((place_of(origin)?, *begin, begin.checked_add(checked.heads.get(origin)?.head().size)?))
        })
        .collect();
    logs.sort_unstable();
    for pair in logs.windows(2) {
        let [(before, _, end), (after, begin, _)] = pair else { continue };
        if before.0 == after.0 && begin < end {
            let what = "its log begins before the one before it ends".to_owned();
            return Err(EvidenceFault::Entry { index: *begin, what });
        }
    }
    Ok(())
}

impl CheckedEvidence {
    /// Whether the head of a log vouches for what stands at this place.
    fn reaches(&self, origin: &str, index: u64) -> bool {
        let end = self.begins.get(origin).zip(self.heads.get(origin));
        end.is_some_and(|(begin, head)| index < begin.saturating_add(head.head().size))
    }

    /// Whether an entry could be erased by this order: one that stands in the log of the same service, later, was carried out,
    /// and is about what the entry is about. A case stands in no leaf: whether it was an entry's case cannot be seen.
    fn is_erased_by(&self, index: u64, erased: &CheckedEntry, order_index: u64) -> bool {
        let order = self.entries.get(&order_index).filter(|order| order.is_proven);
        let Some(order) = order.filter(|order| order.leaf.action == AuditAction::Erase) else { return false };
        let is_later = match place_of(&order.origin).zip(place_of(&erased.origin)) {
            Some((order, erased)) if order == erased => order_index > index,
            Some((order, erased)) => order.0 == erased.0 && order.1 > erased.1,
            None => false,
        };
        // What the log says of itself is never erased.
        let of_log =
            [AuditAction::Erase, AuditAction::LogBegin, AuditAction::LogPrune, AuditAction::AuditAlarm];
        let Some(scope) = order.leaf.object.as_ref() else { return false };
        let is_done = order.leaf.outcome == AuditOutcome::Success;
        is_later && is_done && !of_log.contains(&erased.leaf.action) && is_about(scope, &erased.leaf)
    }
}

/// Whether what a leaf tells of is a part of what an order names.
fn is_about(scope: &AuditObject, leaf: &AuditLeaf) -> bool {
    let object = leaf.object.as_ref();
    let kind = object.map(|object| object.kind.as_str());
    match scope.kind.as_str() {
        "case" => true,
        // What is about somebody or something is theirs, and not whoever's did it.
        "actor" => {
            let has_scope = ["message", "draft", "user", "account", "client", "person"];
            leaf.actor == scope.id && kind.is_none_or(|kind| !has_scope.contains(&kind))
        }
        // A draft's id becomes that of the message.
        "message" => {
            matches!(kind, Some("message" | "draft")) && object.is_some_and(|object| object.id == scope.id)
        }
        _ => object == Some(scope),
    }
}

#[cfg(test)]
mod unit {
    use rovuma_schemas::{Epoch, StoreId, audit::FIRST_PREVIOUS};

    use std::collections::BTreeMap;

    use rovuma_envelope::digest;
    use rovuma_schemas::audit::AuditEvent;

    use super::*;

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
        let origin = origin.to_owned();
        CheckedEntry { role: EntryRole::Item, origin, leaf, event: None, is_proven: true, erased_by: None }
    }

    /// Whether an entry at place 5 is believed to be erased by an order at this place.
    fn is_erased(erased: &CheckedEntry, order_index: u64, order: CheckedEntry) -> bool {
        let mut checked = CheckedEvidence {
            heads: BTreeMap::new(),
            pruned: Vec::new(),
            entries: BTreeMap::new(),
            begins: BTreeMap::new(),
            by_object: BTreeMap::new(),
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
            // However the entries are numbered: the maker of a bundle numbers them.
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
            // What is about a message or a person is theirs, whoever did it.
            (("message", "m-1"), ("actor", "officer-1"), false),
            (("person", "p-1"), ("actor", "officer-1"), false),
            (("message", "m-1"), ("case", "xyz"), true),
        ];
        for (object, scope, is_one) in scopes {
            let read = entry(LOG, AuditAction::MessageRead, object);
            assert_eq!(
                is_erased(&read, 6, entry(LOG, AuditAction::Erase, scope)),
                is_one,
                "{object:?} {scope:?}"
            );
        }
        // What the log says of itself is never erased.
        for action in
            [AuditAction::Erase, AuditAction::LogBegin, AuditAction::LogPrune, AuditAction::AuditAlarm]
        {
            let own = entry(LOG, action, ("message", "m-1"));
            assert!(!is_erased(&own, 6, entry(LOG, AuditAction::Erase, ("message", "m-1"))));
        }
        let read = entry(LOG, AuditAction::MessageRead, ("message", "m-1"));
        let unproven =
            CheckedEntry { is_proven: false, ..entry(LOG, AuditAction::Erase, ("message", "m-1")) };
        assert!(!is_erased(&read, 6, unproven));
    }
}
