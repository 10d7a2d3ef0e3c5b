//! Fetches entries with their proofs from the audit service.

use reqwest::Method;
use rovuma_api::answers::audit::{EvidenceLine, ProvenEntry};
use rovuma_evidence::{Disclosed, ENTRIES_MAX, EntryRole, EvidenceContents, EvidenceEntry};
use rovuma_tlog::Pruned;

use crate::{
    auditing::filter::FilterPairs,
    client::Client,
    exit::{Failure, Outcome},
    progress,
};

fn evidence(proven: ProvenEntry, role: EntryRole) -> EvidenceEntry {
    let ProvenEntry { entry, origin, proof } = proven;
    let event = entry.event.zip(entry.salt);
    EvidenceEntry {
        index: entry.index,
        role,
        origin,
        leaf: entry.leaf.get().to_owned(),
        event: event.map(|(event, salt)| Disclosed { salt, exact: event.get().to_owned() }),
        erased_by: entry.erased_by,
        proof,
    }
}

/// Adds the entries that match `query` to `contents`. Fails unless the answer is complete.
pub(super) async fn collect_entries(
    client: &Client,
    query: &FilterPairs,
    contents: &mut EvidenceContents,
) -> Outcome<()> {
    let request = client.request(Method::GET, "/v1/evidence")?.query(query);
    let response = client.send_raw(request).await?;
    let status = response.status();
    if !status.is_success() {
        return Err(client.refusal(status, &client.body(response).await?));
    }
    let (mut expected, mut is_complete) = (0, false);
    let lines = client.lines(response, |line| {
        // The answer ends with its `done` line: more lines are a fault.
        if is_complete {
            return Err(client.nonsense(&"it continues after its last line"));
        }
        match client.parse("GET /v1/evidence", line)? {
            EvidenceLine::Begin { count, end, length, pruned } => {
                if count > ENTRIES_MAX {
                    return Err(Failure::usage(format!(
                        "{count} entries: a bundle holds at most {ENTRIES_MAX}"
                    ))
                    .next("ask for a shorter time, or for one message or reference"));
                }
                expected = count;
                for note in pruned {
                    let unverified =
                        Pruned::read_unverified(note.as_bytes()).map_err(|fault| client.nonsense(&fault))?;
                    contents.pruned.insert(unverified.origin, note);
                }
                (contents.manifest.end, contents.manifest.log_length) = (end, length);
            }
            EvidenceLine::Item(_) | EvidenceLine::Order(_)
                if contents.entries.len() as u64 >= 2 * ENTRIES_MAX =>
            {
                return Err(client.nonsense(&"it has more entries than it announced"));
            }
            EvidenceLine::Item(proven) => insert(contents, evidence(proven, EntryRole::Item)),
            EvidenceLine::Order(proven) => insert(contents, evidence(proven, EntryRole::Order)),
            EvidenceLine::Done { items, orders } => {
                is_complete = items == expected && items + orders == contents.entries.len() as u64;
            }
        }
        Ok(())
    });
    progress::waiting("collecting entries and their proofs", lines).await?;
    if is_complete { Ok(()) } else { Err(client.nonsense(&"it is incomplete")) }
}

fn insert(contents: &mut EvidenceContents, entry: EvidenceEntry) {
    contents.entries.insert(entry.index, entry);
}
