//! Messages, receipts and trust lists, from the gateway.

use std::collections::BTreeSet;

use rovuma_evidence::{EntryRole, EvidenceContents, LeftOut, MessageFiles};
use rovuma_schemas::{
    CountryCode, MessageId,
    audit::{AuditAction, AuditLeaf, AuditOutcome},
};
use serde::Deserialize;

use crate::{
    app::App,
    client::Client,
    exit::{Exit, Failure, Outcome},
    session::{Server, ServerArgs},
};

#[derive(Deserialize)]
struct Originals {
    messages: Vec<Original>,
    receipts: Vec<Receipt>,
}

#[derive(Deserialize)]
struct Original {
    country: CountryCode,
    jws: String,
}

#[derive(Deserialize)]
struct Receipt {
    receipt: MessageId,
    jws: String,
}

#[derive(Deserialize)]
struct Trust {
    lists: Vec<Country>,
}

#[derive(Deserialize)]
struct Country {
    country: CountryCode,
    serial: u64,
}

/// Collects the messages that the entries are about, as far as the caller may open them and says why.
pub(super) async fn collect(
    app: &App,
    gateway: &ServerArgs,
    asked: Option<MessageId>,
    contents: &mut EvidenceContents,
) -> Outcome<()> {
    let ids = about(contents, asked);
    let Some(reason) = contents.manifest.reason.clone() else {
        let left_out = ids.into_iter().map(|id| LeftOut { id, why: "no_reason".to_owned() });
        contents.manifest.left_out.extend(left_out);
        return Ok(());
    };
    if ids.is_empty() {
        return Ok(());
    }
    let client = gateway.client(app, Server::Gateway).await?;
    for id in ids {
        match originals(&client, id, &reason).await? {
            Ok(files)
                if !files.signed.is_empty() && files.signed.values().all(|jws| contents.names(&id, jws)) =>
            {
                contents.messages.insert(id, files);
            }
            Ok(_) => contents.manifest.left_out.push(LeftOut { id, why: "not_named".to_owned() }),
            Err(why) => contents.manifest.left_out.push(LeftOut { id, why }),
        }
    }
    if contents.messages.is_empty() {
        return Ok(());
    }
    let trust = client.get("/v1/trust", &[]).await?;
    let trust: Trust = serde_json::from_value(trust).map_err(|fault| client.nonsense(&fault))?;
    for Country { country, .. } in trust.lists.into_iter().filter(|list| list.serial > 0) {
        let list = client.get_bytes(&format!("/v1/trust/{country}")).await?;
        let list = String::from_utf8(list).map_err(|fault| client.nonsense(&fault))?;
        contents.trust.insert(country, list);
    }
    Ok(())
}

/// The messages that were sent or received, by the entries, and the one that was asked for.
fn about(contents: &EvidenceContents, asked: Option<MessageId>) -> BTreeSet<MessageId> {
    let moved = contents.entries.values().filter(|entry| entry.role == EntryRole::Item).filter_map(|entry| {
        let leaf = AuditLeaf::from_bytes(entry.leaf.as_bytes()).ok()?;
        let is_move = matches!(leaf.action, AuditAction::MessageSend | AuditAction::MessageReceive);
        let object = leaf.object.filter(|_| is_move && leaf.outcome == AuditOutcome::Success)?;
        object.id.parse().ok()
    });
    let moved: BTreeSet<MessageId> = moved.collect();
    match asked {
        Some(asked) => moved.into_iter().filter(|id| *id == asked).collect(),
        None => moved,
    }
}

/// A message's signed originals, or the code with which the gateway refuses them.
async fn originals(client: &Client, id: MessageId, reason: &str) -> Outcome<Result<MessageFiles, String>> {
    match client.get(&format!("/v1/messages/{id}/jws"), &[("reason", reason.to_owned())]).await {
        Ok(found) => {
            let found: Originals = serde_json::from_value(found).map_err(|fault| client.nonsense(&fault))?;
            Ok(Ok(MessageFiles {
                signed: found.messages.into_iter().map(|one| (one.country, one.jws)).collect(),
                receipts: found.receipts.into_iter().map(|one| (one.receipt, one.jws)).collect(),
            }))
        }
        // Refused is an answer; no answer, or none now, is not.
        Err(Failure { exit: Exit::Refused, problem: Some(problem), .. }) => Ok(Err(problem.code.to_string())),
        Err(failure) => Err(failure),
    }
}
