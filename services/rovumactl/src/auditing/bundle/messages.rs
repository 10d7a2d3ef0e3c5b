//! Fetches messages, receipts and trust lists from the gateway.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rovuma_api::answers::gateway::{ListView, MessageView, Originals, ReceiptJws, Trust};
use rovuma_envelope::digest;
use rovuma_evidence::{
    EntryRole, EvidenceContents, LeftOut, MessageFiles, ReceiptName, StatedDigests, Withheld,
};
use rovuma_schemas::{
    HandlingCode, MessageId,
    audit::{AuditAction, AuditLeaf, AuditOutcome},
};
use tokio::task::JoinSet;

use super::part::{Fetched, MessageAnswer, PartFile, RefusedMessage};
use crate::{
    app::App,
    client::{Client, ServerAnswer},
    exit::{Exit, Failure, Outcome},
    progress::Counter,
    session::{ApiServer, ServerArgs},
};

/// Number of messages that are asked for at once: enough to hide the line's delay, and to let the gateway write the audit
/// events of several exports in one transaction.
const ASKED_AT_ONCE: usize = 8;

/// Adds the messages that the entries are about to `contents`, if a reason is given and as far as the caller may open
/// them; lists the others as left out. What is in `fetched` is not asked for again.
pub(super) async fn collect_messages(
    app: &App,
    gateway: &ServerArgs,
    requested: Option<MessageId>,
    (part, mut fetched): (&mut PartFile, Fetched),
    contents: &mut EvidenceContents,
) -> Outcome<()> {
    let ids = moved_messages(contents, requested);
    let Some(reason) = contents.manifest.reason.clone() else {
        contents.manifest.left_out.extend(ids.into_iter().map(|id| LeftOut::message(id, "no_reason")));
        return Ok(());
    };
    if ids.is_empty() {
        return Ok(());
    }
    let client = gateway.client(app, ApiServer::Gateway).await?;
    let missing: VecDeque<MessageId> =
        ids.iter().filter(|id| !fetched.messages.contains_key(id)).copied().collect();
    fetch_messages(&client, missing, &reason, part, &mut fetched).await?;
    let stated = contents.unverified_stated();
    for id in ids {
        match fetched.messages.remove(&id) {
            Some(Ok(originals)) => insert_message(contents, &stated, id, originals),
            Some(Err(refused)) => contents.manifest.left_out.push(left_out(&stated, id, refused)),
            None => return Err(Failure::local(format!("message {id} was not fetched"))),
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

/// Why a message is not in the bundle. Nobody finds a message that no entry names, so only those are listed as withheld.
fn left_out(
    stated: &StatedDigests,
    id: MessageId,
    RefusedMessage { code, withheld }: RefusedMessage,
) -> LeftOut {
    let withheld = withheld.filter(|withheld| stated.names_message(&id, &withheld.digest));
    LeftOut { withheld, ..LeftOut::message(id, code) }
}

/// Fetches these messages, several at once, and keeps each answer as it comes.
async fn fetch_messages(
    client: &Client,
    mut waiting: VecDeque<MessageId>,
    reason: &str,
    part: &mut PartFile,
    fetched: &mut Fetched,
) -> Outcome<()> {
    let mut counter = Counter::new("messages with their receipts");
    counter.expect(waiting.len() as u64);
    let mut asked: JoinSet<(MessageId, Outcome<MessageAnswer>)> = JoinSet::new();
    loop {
        while asked.len() < ASKED_AT_ONCE {
            let Some(id) = waiting.pop_front() else { break };
            let (client, reason) = (client.clone(), reason.to_owned());
            asked.spawn(async move { (id, fetch_message(&client, id, &reason).await) });
        }
        let Some(done) = asked.join_next().await else { return Ok(()) };
        let (id, answer) = done.map_err(|fault| Failure::local(fault.to_string()))?;
        let answer = answer?;
        part.keep_message(id, &answer)?;
        fetched.messages.insert(id, answer);
        counter.advance();
    }
}

/// Adds a message to the contents with those receipts that are receipts for it, and lists what is left out: one bad receipt,
/// which another agency signed, must not keep the message and the other receipts from being evidence.
fn insert_message(
    contents: &mut EvidenceContents,
    stated: &StatedDigests,
    id: MessageId,
    originals: Originals,
) {
    let Originals { messages, receipts, .. } = originals;
    let signed = messages.into_iter().map(|one| (one.country, one.jws)).collect();
    let mut files = MessageFiles { signed, receipts: BTreeMap::new() };
    let mut are_named = files
        .signed
        .iter()
        .map(|(country, jws)| stated.message_at(&id, country, &digest(jws.as_bytes())).is_some());
    if files.signed.is_empty() || !are_named.all(|is_named| is_named) {
        return contents.manifest.left_out.push(LeftOut::message(id, "not_named"));
    }
    for ReceiptJws { receipt, signer, jws, .. } in receipts {
        let digest = digest(jws.as_bytes());
        match files.check_receipt(&id, &jws, stated) {
            Ok(()) => drop(files.receipts.insert(digest, jws)),
            Err(fault) => {
                let name = ReceiptName { id: receipt, signer, digest };
                contents.manifest.left_out.push(LeftOut::receipt(id, name, fault.code()));
            }
        }
    }
    contents.messages.insert(id, files);
}

/// Fetches a message and its receipts as signed, or the code with which the gateway refuses them.
async fn fetch_message(client: &Client, id: MessageId, reason: &str) -> Outcome<MessageAnswer> {
    match client.get(&format!("/v1/messages/{id}/jws"), &[("reason", reason.to_owned())]).await {
        Ok(ServerAnswer { value, .. }) => Ok(Ok(value)),
        // A refusal goes into the bundle as the reason; any other failure ends the command.
        Err(Failure { exit: Exit::Refused, problem: Some(problem), .. }) => {
            let code = problem.code.to_string();
            let withheld = if code == HANDLING_BREACH { withheld(client, id).await? } else { None };
            Ok(Err(RefusedMessage { code, withheld }))
        }
        Err(failure) => Err(failure),
    }
}

/// The code with which a gateway refuses to export what its sender's handling code keeps there.
const HANDLING_BREACH: &str = "handling_breach";

/// What is known without its content of a message that the gateway does not hand on.
async fn withheld(client: &Client, id: MessageId) -> Outcome<Option<Withheld>> {
    let shown = client.get(&format!("/v1/messages/{id}"), &[("view", "metadata".to_owned())]).await;
    let view: MessageView = match shown {
        Ok(ServerAnswer { value, .. }) => value,
        Err(Failure { exit: Exit::Refused, .. }) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let handling = view.terms.and_then(|terms| HandlingCode::from_word(&terms.handling));
    let known = handling.zip(view.received);
    Ok(known.map(|(handling, received)| Withheld {
        sender: view.header.sender.agency,
        handling,
        digest: received.digest,
    }))
}

#[cfg(test)]
mod tests {
    use rovuma_envelope::{Jws, SigningKey, Typ};
    use serde_json::{Value, json};

    use super::*;
    use crate::auditing::bundle::tests::contents_naming;

    const MESSAGE: &str = "0199c5a1-7b3e-7001-8a10-000000000001";
    const RECEIPT: &str = "0199c5a1-7b3e-7001-8a10-000000000009";

    fn signed(id: &str, kind: &str, (from, to): (&str, &str), body: &Value) -> String {
        let payload = json!({
            "header": {
                "id": id, "type": kind, "version": "1.0", "status": "actual", "sender": { "agency": from },
                "recipients": [{ "agency": to, "lane": "urgent" }], "created": "2026-11-27T10:00:00Z",
            },
            "body": body,
        });
        let key = SigningKey::generate().expect("a key");
        let jws = Jws::sign(Typ::MESSAGE, serde_json::to_vec(&payload).expect("JSON"), &key);
        jws.expect("signed").to_compact()
    }

    fn receipt(about: &str, digest: &str) -> ReceiptJws {
        let entries =
            json!({ "entries": [{ "id": about, "digest": digest, "read_at": "2026-11-27T10:00:00Z" }] });
        let jws = signed(RECEIPT, "receipt.read", ("tz.tpf", "mz.prm"), &entries);
        let (receipt, signer) = (RECEIPT.parse().expect("an id"), "tz.tpf".parse().expect("an agency"));
        ReceiptJws { receipt, signer, digest: rovuma_envelope::digest(jws.as_bytes()), jws }
    }

    /// The recipient signed two receipts under one id: one that names the message, and one that names nothing of ours.
    #[test]
    fn one_bad_receipt_is_left_out_by_name_and_the_rest_stays() {
        let jws = signed(MESSAGE, "alert.issue", ("mz.prm", "tz.tpf"), &json!({}));
        let (id, sent): (MessageId, _) = (MESSAGE.parse().expect("an id"), digest(jws.as_bytes()));
        let (good, bad) = (receipt(MESSAGE, &sent.to_string()), receipt(RECEIPT, &sent.to_string()));
        let mut contents = contents_naming(&id, sent, &[good.digest, bad.digest]);
        let country = "tz".parse().expect("a country");
        let originals = Originals {
            id,
            signer: "mz.prm".parse().expect("an agency"),
            messages: vec![rovuma_api::answers::gateway::MessageJws { country, digest: sent, jws }],
            receipts: vec![bad.clone(), good.clone()],
            void: None,
        };
        let stated = contents.unverified_stated();
        insert_message(&mut contents, &stated, id, originals);
        let files = contents.messages.get(&id).expect("the message");
        assert_eq!(files.receipts, BTreeMap::from([(good.digest, good.jws)]));
        let name = ReceiptName { id: bad.receipt, signer: bad.signer, digest: bad.digest };
        assert_eq!(contents.manifest.left_out, [LeftOut::receipt(id, name, "other_message")]);
    }

    #[test]
    fn a_message_is_withheld_by_the_digest_that_an_entry_names() {
        let (id, digest): (MessageId, _) = (MESSAGE.parse().expect("an id"), digest(b"signed"));
        let contents = contents_naming(&id, digest, &[]);
        let stated = contents.unverified_stated();
        let withheld = |digest| Withheld {
            sender: "tz.tpf".parse().expect("an agency"),
            handling: HandlingCode::H2,
            digest,
        };
        let refused = |digest| {
            let withheld = Some(withheld(digest));
            left_out(&stated, id, RefusedMessage { code: HANDLING_BREACH.to_owned(), withheld })
        };
        assert_eq!(refused(digest).withheld, Some(withheld(digest)));
        let other = rovuma_envelope::digest(b"other");
        assert_eq!(refused(other), LeftOut::message(id, HANDLING_BREACH));
    }
}
