//! Entries with their proofs, from the audit service.

use reqwest::Method;
use rovuma_evidence::{Disclosed, ENTRIES_MAX, EntryRole, EvidenceContents, EvidenceEntry};
use rovuma_tlog::Pruned;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    auditing::filter::Query,
    client::Client,
    exit::{Failure, Outcome},
    progress,
};

/// A line of the answer.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Begin {
        count: u64,
        end: u64,
        length: u64,
        #[serde(default)]
        pruned: Vec<String>,
    },
    Item(Proven),
    Order(Proven),
    Done {
        items: u64,
        orders: u64,
    },
}

#[derive(Deserialize)]
struct Proven {
    entry: Found,
    origin: String,
    proof: Option<String>,
}

#[derive(Deserialize)]
struct Found {
    index: u64,
    leaf: Box<RawValue>,
    event: Option<Box<RawValue>>,
    salt: Option<String>,
    erased_by: Option<u64>,
}

impl Proven {
    fn entry(self, role: EntryRole) -> EvidenceEntry {
        let Self { entry, origin, proof } = self;
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
}

/// Collects what the audit service has, whole or not at all.
pub(super) async fn entries(client: &Client, query: &Query, contents: &mut EvidenceContents) -> Outcome<()> {
    let request = client.request(Method::GET, "/v1/evidence")?.query(query);
    let response = client.send_raw(request).await?;
    let status = response.status();
    if !status.is_success() {
        return Err(client.refusal(status, &client.body(response).await?));
    }
    let (mut expected, mut is_whole) = (0, false);
    let lines = client.lines(response, |line| {
        // What stands after the last line is of no answer.
        if is_whole {
            return Err(client.nonsense(&"it goes on after its end"));
        }
        match serde_json::from_slice(line).map_err(|fault| client.nonsense(&fault))? {
            Line::Begin { count, end, length, pruned } => {
                if count > ENTRIES_MAX {
                    return Err(Failure::usage(format!(
                        "{count} entries: a bundle has at most {ENTRIES_MAX}"
                    ))
                    .next("ask for a shorter time, or for one message or case"));
                }
                expected = count;
                for note in pruned {
                    let said =
                        Pruned::read_unverified(note.as_bytes()).map_err(|fault| client.nonsense(&fault))?;
                    contents.pruned.insert(said.origin, note);
                }
                (contents.manifest.end, contents.manifest.log_length) = (end, length);
            }
            Line::Item(_) | Line::Order(_) if contents.entries.len() as u64 >= 2 * ENTRIES_MAX => {
                return Err(client.nonsense(&"it has more entries than it said"));
            }
            Line::Item(proven) => put(contents, proven.entry(EntryRole::Item)),
            Line::Order(proven) => put(contents, proven.entry(EntryRole::Order)),
            Line::Done { items, orders } => {
                is_whole = items == expected && items + orders == contents.entries.len() as u64;
            }
        }
        Ok(())
    });
    progress::waiting("collecting entries and their proofs", lines).await?;
    if is_whole { Ok(()) } else { Err(client.nonsense(&"it is not whole")) }
}

fn put(contents: &mut EvidenceContents, entry: EvidenceEntry) {
    contents.entries.insert(entry.index, entry);
}
