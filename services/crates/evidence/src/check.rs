//! Whether a bundle proves what it says.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_envelope::{Jws, Unverified, digest};
use rovuma_schemas::{
    Digest, Header, MessageId, Timestamp,
    audit::{AuditAction, AuditEvent, AuditLeaf, AuditObject, AuditOutcome},
};
use rovuma_tlog::{Checkpoint, Policy, ProofFile, Pruned, leaf_hash};

use serde::Deserialize;

use crate::{Contents, Counts, Disclosed, Entry, ErasedEntry, FORMAT, MessageFiles, PinnedHead, Role};

/// What was found out about a bundle: everything in it holds.
#[derive(Debug)]
pub struct Checked {
    /// The heads that entries are proved against, by their log.
    pub heads: BTreeMap<String, Checkpoint>,
    /// What logs say of entries that were taken out of them.
    pub pruned: Vec<Pruned>,
    /// What each entry says, by its place; the event where it is disclosed.
    pub entries: BTreeMap<u64, CheckedEntry>,
    /// The place of each log's first entry.
    begins: BTreeMap<String, u64>,
    /// The places of the entries about each object.
    by_object: BTreeMap<String, Vec<u64>>,
}

/// What an entry says.
#[derive(Debug)]
pub struct CheckedEntry {
    /// Why it is in the bundle.
    pub role: Role,
    /// The log that it is in.
    pub origin: String,
    /// Its leaf. In the log where there is a proof.
    pub leaf: AuditLeaf,
    /// The event that the leaf commits to.
    pub event: Option<AuditEvent>,
    /// Whether its place in a log was proven.
    pub is_proven: bool,
    /// The order by which it was erased.
    pub erased_by: Option<u64>,
}

/// The first thing that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A bundle of another format.
    #[error("a bundle of the format {got:?}: this build reads {FORMAT}")]
    Format {
        /// Its format.
        got: String,
    },
    /// Something about an entry.
    #[error("entry {index}: {what}")]
    Entry {
        /// Which.
        index: u64,
        /// What.
        what: String,
    },
    /// A note about entries that were taken out.
    #[error("pruned/{origin}: {what}")]
    Pruned {
        /// The log.
        origin: String,
        /// What is wrong.
        what: String,
    },
    /// A message that no proven entry names, or a receipt that is not one for it.
    #[error("messages/{id}/{file}: {what}")]
    Message {
        /// Which.
        id: String,
        /// Which of its files.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// Nothing in it is proven.
    #[error("none of its entries has a proof: it proves nothing")]
    Nothing,
    /// The manifest says something else than the files.
    #[error("the manifest says something else than the files: {what}")]
    Manifest {
        /// About what.
        what: &'static str,
    },
}

/// Checks everything that can be checked with the keys of `policy` alone: proofs, commitments, counts, and that messages are
/// those of which entries speak. Whose signatures messages carry is checked with trust lists.
///
/// # Errors
/// The first [`Fault`].
pub fn check(contents: &Contents, policy: &Policy) -> Result<Checked, Fault> {
    if contents.manifest.format != FORMAT {
        return Err(Fault::Format { got: contents.manifest.format.clone() });
    }
    let checked = entries(contents, policy)?;
    let says = |what| Fault::Manifest { what };
    let manifest = &contents.manifest;
    if manifest.counts != Counts::of(contents) {
        return Err(says("counts"));
    }
    if manifest.heads != PinnedHead::all_of(&checked.heads) {
        return Err(says("heads"));
    }
    if manifest.erased != ErasedEntry::all_of(contents) {
        return Err(says("what was erased"));
    }
    messages(contents, &checked)?;
    Ok(checked)
}

impl Checked {
    /// Checks the entries of contents of which the manifest is not complete yet, and completes it.
    ///
    /// # Errors
    /// The first [`Fault`].
    pub fn complete(contents: &mut Contents, policy: &Policy) -> Result<Self, Fault> {
        let checked = entries(contents, policy)?;
        contents.manifest.counts = Counts::of(contents);
        contents.manifest.heads = PinnedHead::all_of(&checked.heads);
        contents.manifest.erased = ErasedEntry::all_of(contents);
        check(contents, policy)
    }
}

fn entries(contents: &Contents, policy: &Policy) -> Result<Checked, Fault> {
    let mut checked = Checked {
        heads: BTreeMap::new(),
        pruned: pruned(contents, policy)?,
        entries: BTreeMap::new(),
        begins: BTreeMap::new(),
        by_object: BTreeMap::new(),
    };
    for (index, entry) in &contents.entries {
        let fault = |what: String| Fault::Entry { index: *index, what };
        if let Some(proof) = &entry.proof {
            let leaf_index = proven(entry, proof, policy, &mut checked.heads).map_err(fault)?;
            let begin =
                index.checked_sub(leaf_index).ok_or_else(|| fault("it stands before its log".to_owned()))?;
            if *checked.begins.entry(entry.origin.clone()).or_insert(begin) != begin {
                return Err(fault("it stands elsewhere in its log".to_owned()));
            }
        }
        let leaf =
            AuditLeaf::from_bytes(entry.leaf.as_bytes()).map_err(|unread| fault(unread.to_string()))?;
        let event = entry.event.as_ref().map(|event| event.event_of(&leaf)).transpose().map_err(fault)?;
        let is_proven = entry.proof.is_some();
        if let Some(object) = &leaf.object {
            checked.by_object.entry(object.id.clone()).or_default().push(*index);
        }
        let Entry { role, erased_by, origin, .. } = entry.clone();
        checked.entries.insert(*index, CheckedEntry { role, origin, leaf, event, is_proven, erased_by });
    }
    follow_each_other(&checked)?;
    for (index, entry) in &checked.entries {
        is_accounted_for(*index, entry, &checked).map_err(|what| Fault::Entry { index: *index, what })?;
    }
    if !contents.entries.is_empty() && checked.heads.is_empty() { Err(Fault::Nothing) } else { Ok(checked) }
}

/// What logs say of entries that were taken out of them.
fn pruned(contents: &Contents, policy: &Policy) -> Result<Vec<Pruned>, Fault> {
    let said = contents.pruned.iter().map(|(origin, note)| {
        let fault = |what: String| Fault::Pruned { origin: origin.clone(), what };
        let said = Pruned::verify(note.as_bytes(), policy).map_err(|unread| fault(unread.to_string()))?;
        if said.origin == *origin { Ok(said) } else { Err(fault(format!("it is about {}", said.origin))) }
    });
    said.collect()
}

/// Checks a proof; the leaf's place in its log.
fn proven(
    entry: &Entry,
    proof: &str,
    policy: &Policy,
    heads: &mut BTreeMap<String, Checkpoint>,
) -> Result<u64, String> {
    let proof = ProofFile::read(proof).map_err(|unread| unread.to_string())?;
    if proof.unverified_extra != entry.leaf.as_bytes() {
        return Err("its proof is of another leaf".to_owned());
    }
    let known = heads.get(&entry.origin).is_some_and(|head| head.as_bytes() == proof.checkpoint.as_bytes());
    if !known {
        let head = policy.judge(proof.checkpoint).good().map_err(|fault| fault.to_string())?;
        if head.head().origin != entry.origin {
            return Err(format!("its proof is in {}, and not in {}", head.head().origin, entry.origin));
        }
        // One head for each log: what is proved against two could be of two histories.
        if heads.insert(entry.origin.clone(), head).is_some() {
            return Err(format!("entries of {} are proved against different heads", entry.origin));
        }
    }
    let head = heads.get(&entry.origin).ok_or("no head")?.head();
    let included = head.includes(proof.index, leaf_hash(entry.leaf.as_bytes()), &proof.hashes);
    included.map_err(|unproved| format!("it is not in the log: {unproved}"))?;
    Ok(proof.index)
}

impl Disclosed {
    /// The event, if the leaf commits to it and says what it says.
    ///
    /// # Errors
    /// In words, when it does not.
    pub fn event_of(&self, leaf: &AuditLeaf) -> Result<AuditEvent, String> {
        let salt = URL_SAFE_NO_PAD.decode(&self.salt).map_err(|fault| format!("its salt: {fault}"))?;
        if leaf.commit != digest(&[salt.as_slice(), self.exact.as_bytes()].concat()) {
            return Err("the leaf commits to another event than this one".to_owned());
        }
        let event: AuditEvent = serde_json::from_str(&self.exact).map_err(|fault| fault.to_string())?;
        if leaf.says(&event) {
            Ok(event)
        } else {
            Err("the leaf says something else than the event that it commits to".to_owned())
        }
    }
}

/// What is not there was erased by an order that is there, and an order is there for something.
fn is_accounted_for(index: u64, entry: &CheckedEntry, checked: &Checked) -> Result<(), String> {
    match (&entry.event, entry.erased_by, entry.role) {
        (Some(_), Some(_), _) => Err("it is said to be erased, and is there".to_owned()),
        (None, None, Role::Item) => Err("its event is not there, and no order says why".to_owned()),
        (_, Some(order), _) if !checked.is_erased_by(index, entry, order) => {
            Err(format!("its event was erased, and no proven order {order} about it is there"))
        }
        (_, _, Role::Order) if !checked.entries.values().any(|other| other.erased_by == Some(index)) => {
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
fn follow_each_other(checked: &Checked) -> Result<(), Fault> {
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
            return Err(Fault::Entry { index: *begin, what });
        }
    }
    Ok(())
}

impl Checked {
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

/// Every message is one that an entry was written about, and every receipt is one for it.
fn messages(contents: &Contents, checked: &Checked) -> Result<(), Fault> {
    for (id, files) in &contents.messages {
        let fault =
            |file: String, what: &str| Fault::Message { id: id.to_string(), file, what: what.to_owned() };
        let named = named_of(&id.to_string(), checked);
        for (country, jws) in &files.signed {
            if !named.contains(&digest(jws.as_bytes())) {
                return Err(fault(format!("{country}.jws"), "no entry of the bundle names its SHA-256"));
            }
        }
        for (receipt, jws) in &files.receipts {
            let file = format!("receipts/{receipt}.jws");
            is_receipt_for(id, files, receipt, jws).map_err(|what| fault(file, &what))?;
        }
    }
    Ok(())
}

/// A receipt counts when it names the message by id and SHA-256, and its signer is a recipient of that message. Whether that
/// agency signed it is checked with trust lists.
fn is_receipt_for(id: &MessageId, files: &MessageFiles, name: &MessageId, jws: &str) -> Result<(), String> {
    let header = header_of(jws).ok_or("it cannot be read")?;
    if header.id != *name {
        return Err(format!("it is {}", header.id));
    }
    let body = body_of(jws, &header.message_type).ok_or("it is no receipt")?;
    let digests = body.into_iter().filter(|(entry, _)| entry == id).map(|(_, digest)| digest);
    let about: Vec<&String> = digests
        .filter_map(|named| files.signed.values().find(|jws| digest(jws.as_bytes()) == named))
        .collect();
    if about.is_empty() {
        return Err("it is for another message".to_owned());
    }
    let is_recipient = |jws: &&String| {
        header_of(jws).is_some_and(|message| {
            message.recipients.iter().any(|recipient| recipient.agency == header.sender.agency)
        })
    };
    if about.iter().any(is_recipient) {
        Ok(())
    } else {
        Err("its sender is no recipient of the message".to_owned())
    }
}

fn header_of(jws: &str) -> Option<Header> {
    Unverified::new(Jws::from_compact(jws).ok()?).unverified_header().ok()
}

/// The messages that a receipt names, with their digests.
fn body_of(jws: &str, message_type: &str) -> Option<Vec<(MessageId, Digest)>> {
    #[derive(Deserialize)]
    struct Payload {
        body: Body,
    }
    #[derive(Deserialize)]
    struct Body {
        entries: Vec<Named>,
    }
    #[derive(Deserialize)]
    struct Named {
        id: MessageId,
        digest: Digest,
    }
    let jws = Jws::from_compact(jws).ok().filter(|_| message_type.starts_with("receipt."))?;
    let payload: Payload = serde_json::from_slice(jws.unverified_payload()).ok()?;
    Some(payload.body.entries.into_iter().map(|named| (named.id, named.digest)).collect())
}

/// The digests that proven entries about a message name.
fn named_of(id: &str, checked: &Checked) -> BTreeSet<Digest> {
    let proven = checked.about(id).filter(|entry| entry.is_proven);
    proven.flat_map(|entry| named_in(id, &entry.leaf, entry.event.as_ref())).collect()
}

impl Checked {
    /// The entries about an object.
    fn about(&self, id: &str) -> impl Iterator<Item = &CheckedEntry> {
        self.by_object.get(id).into_iter().flatten().filter_map(|index| self.entries.get(index))
    }

    /// When a message was sent or received, by the first proven entry that says so and names these bytes.
    pub fn moved_at(&self, id: &MessageId, jws: &str) -> Option<Timestamp> {
        let (id, wanted) = (id.to_string(), digest(jws.as_bytes()));
        let moved = self.about(&id).filter(|entry| {
            let is_move =
                [AuditAction::MessageSend, AuditAction::MessageReceive].contains(&entry.leaf.action);
            is_move && entry.is_proven && named_in(&id, &entry.leaf, entry.event.as_ref()).contains(&wanted)
        });
        moved.map(|entry| entry.leaf.time).min()
    }
}

/// The digests that an entry about a message names: in its leaf, or in its event where the message was signed for several
/// countries.
fn named_in(id: &str, leaf: &AuditLeaf, event: Option<&AuditEvent>) -> BTreeSet<Digest> {
    if leaf.object.as_ref().is_none_or(|object| object.id != id) {
        return BTreeSet::new();
    }
    let details = event.into_iter().flat_map(|event| &event.details);
    let several = details.filter(|(name, _)| name.starts_with("digest."));
    let several = several.filter_map(|(_, digest)| digest.parse::<Digest>().ok());
    leaf.message.into_iter().chain(several).collect()
}

impl Contents {
    /// Whether an entry that has a proof names these bytes as a message's. Nothing of it is verified: it is asked before they
    /// are put into a bundle, in which [`check`] refuses what no entry names.
    pub fn names(&self, id: &MessageId, jws: &str) -> bool {
        let (id, wanted) = (id.to_string(), digest(jws.as_bytes()));
        self.entries.values().filter(|entry| entry.proof.is_some()).any(|entry| {
            let event = entry.event.as_ref().and_then(|event| serde_json::from_str(&event.exact).ok());
            AuditLeaf::from_bytes(entry.leaf.as_bytes())
                .is_ok_and(|leaf| named_in(&id, &leaf, event.as_ref()).contains(&wanted))
        })
    }
}

impl Counts {
    /// What contents hold.
    pub(crate) fn of(contents: &Contents) -> Self {
        let count = |which: &dyn Fn(&&Entry) -> bool| contents.entries.values().filter(which).count() as u64;
        let is_item = |entry: &&Entry| entry.role == Role::Item;
        Self {
            items: count(&is_item),
            orders: count(&|entry| !is_item(entry)),
            disclosed: count(&|entry| entry.event.is_some()),
            erased: count(&|entry| is_item(entry) && entry.erased_by.is_some()),
            unproven: count(&|entry| entry.proof.is_none()),
            messages: contents.messages.len() as u64,
            receipts: contents.messages.values().map(|files| files.receipts.len() as u64).sum(),
        }
    }
}

impl PinnedHead {
    fn all_of(heads: &BTreeMap<String, Checkpoint>) -> Vec<Self> {
        let pinned = |checkpoint: &Checkpoint| {
            let head = checkpoint.head();
            Self { origin: head.origin.clone(), size: head.size, root: head.root.to_string() }
        };
        heads.values().map(pinned).collect()
    }
}

impl ErasedEntry {
    fn all_of(contents: &Contents) -> Vec<Self> {
        let erased = |entry: &Entry| Some(Self { index: entry.index, order: entry.erased_by? });
        contents.entries.values().filter_map(erased).collect()
    }
}

#[cfg(test)]
mod unit {
    use rovuma_schemas::{Epoch, StoreId, audit::FIRST_PREVIOUS};

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
        CheckedEntry { role: Role::Item, origin, leaf, event: None, is_proven: true, erased_by: None }
    }

    /// Whether an entry at place 5 is believed to be erased by an order at this place.
    fn is_erased(erased: &CheckedEntry, order_index: u64, order: CheckedEntry) -> bool {
        let mut checked = Checked {
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
