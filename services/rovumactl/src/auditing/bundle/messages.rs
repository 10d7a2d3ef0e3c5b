//! Fetches messages, receipts and trust lists from the gateway.

use std::collections::BTreeSet;

use rovuma_api::answers::gateway::{ListView, Originals, Trust};
use rovuma_evidence::{EntryRole, EvidenceContents, LeftOut, MessageFiles};
use rovuma_schemas::{
    MessageId,
    audit::{AuditAction, AuditLeaf, AuditOutcome},
};

use crate::{
    app::App,
    client::{Client, ServerAnswer},
    exit::{Exit, Failure, Outcome},
    session::{ApiServer, ServerArgs},
};

/// Adds the messages that the entries are about to `contents`, if a reason is given and as far as the caller may open
/// them; lists the others as left out.
pub(super) async fn collect_messages(
    app: &App,
    gateway: &ServerArgs,
    requested: Option<MessageId>,
    contents: &mut EvidenceContents,
) -> Outcome<()> {
    let ids = moved_messages(contents, requested);
    let Some(reason) = contents.manifest.reason.clone() else {
        let left_out = ids.into_iter().map(|id| LeftOut { id, why: "no_reason".to_owned() });
        contents.manifest.left_out.extend(left_out);
        return Ok(());
    };
    if ids.is_empty() {
        return Ok(());
    }
    let client = gateway.client(app, ApiServer::Gateway).await?;
    for id in ids {
        match fetch_message(&client, id, &reason).await? {
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
    let trust: ServerAnswer<Trust> = client.get("/v1/trust", &[]).await?;
    for ListView { country, .. } in trust.value.lists.into_iter().filter(|list| list.serial > 0) {
        let list = client.get_bytes(&format!("/v1/trust/{country}")).await?;
        let list = String::from_utf8(list).map_err(|fault| client.nonsense(&fault))?;
        contents.trust.insert(country, list);
    }
    Ok(())
}

/// The messages that the entries say were sent or received; only `requested`, if it is given.
fn moved_messages(contents: &EvidenceContents, requested: Option<MessageId>) -> BTreeSet<MessageId> {
    let moved = contents.entries.values().filter(|entry| entry.role == EntryRole::Item).filter_map(|entry| {
        let leaf = AuditLeaf::from_bytes(entry.leaf.as_bytes()).ok()?;
        let is_move = matches!(leaf.action, AuditAction::MessageSend | AuditAction::MessageReceive);
        let object = leaf.object.filter(|_| is_move && leaf.outcome == AuditOutcome::Success)?;
        object.id.parse().ok()
    });
    let moved: BTreeSet<MessageId> = moved.collect();
    match requested {
        Some(requested) => moved.into_iter().filter(|id| *id == requested).collect(),
        None => moved,
    }
}

/// Fetches a message and its receipts as signed, or the code with which the gateway refuses them.
async fn fetch_message(
    client: &Client,
    id: MessageId,
    reason: &str,
) -> Outcome<Result<MessageFiles, String>> {
    match client.get(&format!("/v1/messages/{id}/jws"), &[("reason", reason.to_owned())]).await {
        Ok(ServerAnswer { value: Originals { messages, receipts, .. }, .. }) => Ok(Ok(MessageFiles {
            signed: messages.into_iter().map(|one| (one.country, one.jws)).collect(),
            receipts: receipts.into_iter().map(|one| (one.receipt, one.jws)).collect(),
        })),
        // A refusal goes into the bundle as the reason; any other failure ends the command.
        Err(Failure { exit: Exit::Refused, problem: Some(problem), .. }) => Ok(Err(problem.code.to_string())),
        Err(failure) => Err(failure),
    }
}
