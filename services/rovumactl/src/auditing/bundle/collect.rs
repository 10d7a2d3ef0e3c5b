//! Fetches entries with their proofs from the audit service.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use rovuma_api::answers::audit::{EvidenceLine, ProvenEntry};
use rovuma_evidence::{
    Disclosed, ENTRIES_MAX, EntryRole, ErasureProof, EvidenceContents, EvidenceEntry, UncoveredEntries,
};
use rovuma_schemas::Timestamp;
use rovuma_tlog::Pruned;

use super::part::FetchedEntries;
use crate::{
    auditing::filter::FilterPairs,
    client::Client,
    exit::{Failure, Outcome},
    progress::Counter,
};

fn evidence(proven: ProvenEntry, role: EntryRole) -> (EvidenceEntry, Option<String>) {
    let ProvenEntry { entry, origin, erasure, proof } = proven;
    let event = entry.event.zip(entry.salt);
    let evidence = EvidenceEntry {
        index: entry.index,
        role,
        origin,
        leaf: entry.leaf.get().to_owned(),
        event: event.map(|(event, salt)| Disclosed { salt, exact: event.get().to_owned() }),
        erased_by: entry.erased_by,
        erasure: erasure.map(|proof| ErasureProof {
            index: proof.index,
            size: proof.size,
            hashes: proof.hashes,
        }),
        proof: None,
    };
    (evidence, proof)
}

/// Fetches the entries that match `query`. Fails unless the answer is complete.
pub(super) async fn fetch_entries(
    client: &Client,
    query: &FilterPairs,
    at: Timestamp,
) -> Outcome<FetchedEntries> {
    let request = client.request(Method::GET, "/v1/evidence")?.query(query);
    let response = client.send_raw(request).await?;
    let status = response.status();
    if !status.is_success() {
        return Err(client.refusal(status, &client.body(response).await?));
    }
    let mut fetched = FetchedEntries {
        at,
        length: 0,
        end: 0,
        uncovered: None,
        entries: Vec::new(),
        pruned: BTreeMap::new(),
    };
    let (mut expected, mut indexes, mut is_complete) = (0, BTreeSet::new(), false);
    let mut counter = Counter::new("entries with their proofs");
    let lines = client.lines(response, |line| {
        // The answer ends with its `done` line: more lines are a fault.
        if is_complete {
            return Err(client.nonsense(&"it continues after its last line"));
        }
        match client.parse("GET /v1/evidence", line)? {
            EvidenceLine::Begin { count, end, length, uncovered, pruned } => {
                if count > ENTRIES_MAX {
                    return Err(Failure::usage(format!(
                        "{count} entries: a bundle holds at most {ENTRIES_MAX}"
                    ))
                    .next("ask for a shorter time, or for one message or reference"));
                }
                expected = count;
                counter.expect(count);
                for note in pruned {
                    let unverified =
                        Pruned::read_unverified(note.as_bytes()).map_err(|fault| client.nonsense(&fault))?;
                    fetched.pruned.insert(unverified.origin, note);
                }
                (fetched.end, fetched.length) = (end, length);
                fetched.uncovered =
                    uncovered.map(|later| UncoveredEntries { count: later.count, since: later.since });
            }
            EvidenceLine::Item(_) | EvidenceLine::Order(_)
                if fetched.entries.len() as u64 >= 2 * ENTRIES_MAX =>
            {
                return Err(client.nonsense(&"it has more entries than it announced"));
            }
            EvidenceLine::Item(proven) => {
                counter.advance();
                indexes.insert(proven.entry.index);
                fetched.entries.push(evidence(proven, EntryRole::Item));
            }
            EvidenceLine::Order(proven) => {
                indexes.insert(proven.entry.index);
                fetched.entries.push(evidence(proven, EntryRole::Order));
            }
            EvidenceLine::Done { items, orders } => {
                is_complete = items == expected && items + orders == indexes.len() as u64;
            }
        }
        Ok(())
    });
    lines.await?;
    if is_complete { Ok(fetched) } else { Err(client.nonsense(&"it is incomplete")) }
}

/// Puts fetched entries into `contents`.
pub(super) fn insert_entries(contents: &mut EvidenceContents, fetched: FetchedEntries) {
    let manifest = &mut contents.manifest;
    (manifest.end, manifest.log_length) = (fetched.end, fetched.length);
    (manifest.made_at, manifest.uncovered) = (fetched.at, fetched.uncovered);
    contents.pruned = fetched.pruned;
    contents.entries = fetched
        .entries
        .into_iter()
        .map(|(entry, proof)| (entry.index, EvidenceEntry { proof, ..entry }))
        .collect();
}
