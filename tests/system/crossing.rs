//! Two agencies on one gateway: nobody of the one sees anything of the other, at any route.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use reqwest::StatusCode;
use rovuma_lab::api::ApiAnswer;
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_tests::{
    Caller, Lab, Refusal, drafts, eventually,
    forge::{self, Intruder},
    items,
    routes::{self, About, Operation},
};
use serde_json::{Value, json};

/// Whose things they are.
const OWNER: &str = "tz.tpf";

/// Whose people ask for them, at the same gateway.
const STRANGER: &str = "tz.tisd";

const NOWHERE: &str = "01890000-0000-7000-8000-000000000000";

/// Identifiers are at least this long, and no other word of the lists is.
const IDENTIFIER_MIN: usize = 32;

/// What the owner has: one of each kind.
struct Belongings {
    /// Drafts, one of them with a supervisor.
    drafts: Vec<String>,
    /// Messages, each with the agency that sent it: one sent, one received.
    messages: Vec<(String, &'static str)>,
    /// Every identifier that the owner's own lists show.
    secrets: BTreeSet<String>,
}

/// What an operation without a target gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gives {
    /// A list of the caller's agency, at this path.
    OwnList(&'static str),
    /// What every agency may know: other agencies, trust lists, codes, or that there is nothing of its own.
    Common,
    /// A new draft or message of the caller, or what is wrong with one.
    Own,
}

fn gives(operation: &Operation) -> Result<Gives> {
    Ok(match operation.id.as_str() {
        "list_drafts" => Gives::OwnList("/v1/drafts"),
        "list_cases" => Gives::OwnList("/v1/cases"),
        "list_alarms" => Gives::OwnList("/v1/alarms"),
        "list_events" | "follow_events" => Gives::OwnList("/v1/events"),
        "list_held" => Gives::OwnList("/v1/held"),
        "list_inbox" => Gives::OwnList("/v1/inbox"),
        "list_quarantine" => Gives::OwnList("/v1/quarantine"),
        "list_sent" => Gives::OwnList("/v1/sent"),
        "read_streams" => Gives::OwnList("/v1/streams"),
        "list_agencies"
        | "read_trust"
        | "export_trust_list"
        | "read_codes"
        | "acknowledge_alarm"
        | "read_retention"
        | "read_request_figures"
        | "list_figure_cases"
        // No person reads it: the gateway's own tests show that the watchlist's account sees its agency's alone.
        | "list_hits_on_alerts"
        | "list_screened_alerts"
        | "report_listed_alerts" => Gives::Common,
        "create_draft" | "validate_draft" | "send_message" => Gives::Own,
        _ => bail!("the gateway has an operation {}: say here whose things it gives", operation.id),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_gives_anything_of_another_agency_of_the_same_gateway() -> Result<()> {
    let lab = Lab::start().await?;
    let belongings = belongings(&lab).await?;
    let before = state(&lab, &belongings).await?;

    let mut refusals = Vec::new();
    let mut own = BTreeSet::new();
    let callers = lab.everybody(STRANGER).await?;
    for operation in routes::operations()? {
        for caller in &callers {
            match operation.about {
                About::Agency | About::NewDraft => {
                    refusals.extend(lists(&operation, caller, &belongings, &mut own).await?)
                }
                About::Draft | About::Message | About::Case => {
                    refusals.extend(one_thing(&operation, caller, &belongings).await?);
                }
            }
        }
    }
    lab.refusals_are(STRANGER, refusals).await?;
    assert_eq!(state(&lab, &belongings).await?, before, "something of the owner was changed");
    live(&lab, &belongings).await
}

/// Makes one of everything that an agency can have.
async fn belongings(lab: &Lab) -> Result<Belongings> {
    let officer = lab.officer(OWNER).await?;
    let draft = officer.post("/v1/drafts", &drafts::motorcycle(&["mz.prm"])).await?.ok()?;
    let created = officer.post("/v1/drafts", &drafts::wanted_person(&["mz.prm"])).await?;
    let etag = created.etag.clone().context("a version")?;
    let submitted = id_of(&created.ok()?)?;
    let path = format!("/v1/drafts/{submitted}/submit");
    officer.post_if_match(&path, &json!({}), &etag).await?.ok()?;
    let sent = lab.send(OWNER, &drafts::motorcycle(&["mz.prm"])).await?;
    lab.hops(&officer, &sent, "delivered", 1).await?;
    let received = lab.send("mz.prm", &drafts::motorcycle(&[OWNER])).await?;
    lab.hops(&lab.officer("mz.prm").await?, &received, "delivered", 1).await?;

    let intruder = Intruder::from_mozambique(lab).await?;
    let message = forge::message(OWNER, Timestamp::system_now());
    let held = forge::sign_with_stranger(&message)?;
    // A bundle for the owner that says nothing: quarantined, and an alarm.
    let nonsense = forge::seal_to(lab, OWNER, b"\x01nonsense")?;
    intruder.deliver(OWNER, forge::bundle(lab, OWNER, &[held])?).await?;
    intruder.deliver(OWNER, nonsense).await?;

    let supervisor = lab.api(OWNER, "supervisor", "gateway").await?;
    let mut secrets = BTreeSet::from([id_of(&draft)?, submitted.clone(), sent.clone(), received.clone()]);
    for operation in routes::operations()?.iter().filter(|operation| operation.about == About::Agency) {
        if let Gives::OwnList(path) = gives(operation)? {
            let shown = eventually(&format!("something of {OWNER} in {path}"), || async {
                let rows = rows(&supervisor.get(path).await?.ok()?);
                Ok((!rows.is_empty()).then_some(rows))
            })
            .await?;
            shown.iter().for_each(|row| identifiers(row, &mut secrets));
        }
    }
    // The streams that go out are named after the gateway's store, which its agencies share: that name is no secret.
    let streams = supervisor.get("/v1/streams").await?.ok()?;
    let outgoing = streams["outgoing"].as_array().context("outgoing streams")?;
    let shared: BTreeSet<&str> = outgoing.iter().filter_map(|stream| stream["stream"].as_str()).collect();
    assert_eq!(shared.len(), 1, "{streams}");
    secrets.retain(|secret| !shared.contains(secret.as_str()));
    // Whatever the lists grow to contain, these must be among it.
    assert!(secrets.len() > 7, "the lists show too little to be a test: {secrets:?}");
    let messages = vec![(sent, OWNER), (received, "mz.prm")];
    Ok(Belongings { drafts: vec![id_of(&draft)?, submitted], messages, secrets })
}

/// Everything that somebody could have changed.
async fn state(lab: &Lab, belongings: &Belongings) -> Result<Vec<Value>> {
    let officer = lab.officer(OWNER).await?;
    let mut state = Vec::new();
    for id in &belongings.drafts {
        state.push(officer.get(&format!("/v1/drafts/{id}")).await?.ok()?);
    }
    for (id, _) in &belongings.messages {
        state.push(officer.get(&format!("/v1/messages/{id}?view=metadata")).await?.ok()?);
    }
    Ok(state)
}

/// A list of the stranger's, or what is common: nothing of the owner is in it.
async fn lists(
    operation: &Operation,
    caller: &Caller,
    belongings: &Belongings,
    own: &mut BTreeSet<String>,
) -> Result<Option<Refusal>> {
    let answer = operation.call(&caller.api, STRANGER, "").await?;
    let place = format!("{} as {}: {} {}", operation.id, caller.role, answer.status, answer.body);
    shows_no_secret(&answer, belongings, &place);
    let stranger: AgencyCode = STRANGER.parse()?;
    if let Some(code) = operation.denial(&caller.actor, &stranger, &caller.subject) {
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{place}");
        let object = if operation.about == About::NewDraft { "new" } else { STRANGER };
        return Ok(Some(refusal(caller, operation, code, object)?));
    }
    assert!(operation.is_done(answer.status), "{place}");
    match gives(operation)? {
        Gives::Own => own.extend(answer.body["id"].as_str().map(str::to_owned)),
        Gives::OwnList(_) => {
            // A stream has no identifier of its own; only the stranger writes to this recipient.
            let is_own = |row: &Value| {
                [&row["id"], &row["object"], &row["case"]["id"]]
                    .into_iter()
                    .filter_map(Value::as_str)
                    .any(|id| own.contains(id))
                    || (operation.id == "read_streams" && row["recipient"] == routes::RECIPIENT)
            };
            assert!(rows(&answer.body).iter().all(is_own), "{place}");
        }
        Gives::Common => assert!(!answer.body.is_null(), "{place}"),
    }
    Ok(None)
}

/// One thing of the owner's: to the stranger as if it were nowhere, and each attempt a refusal in the log.
async fn one_thing(operation: &Operation, caller: &Caller, belongings: &Belongings) -> Result<Vec<Refusal>> {
    let nowhere = operation.call(&caller.api, NOWHERE, "").await?;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND, "{operation:?}: {nowhere:?}");
    let targets: Vec<(&String, Vec<String>)> = match operation.about {
        About::Draft => belongings.drafts.iter().map(|id| (id, vec![String::new()])).collect(),
        // The owner is a party to the case that `mz.prm` opened.
        About::Case => {
            let received = belongings.messages.iter().filter(|(_, sender)| *sender == "mz.prm");
            received.map(|(id, _)| (id, vec![String::new()])).collect()
        }
        _ => {
            let queries = |sender: &str| vec![String::new(), format!("?sender={sender}")];
            belongings.messages.iter().map(|(id, sender)| (id, queries(sender))).collect()
        }
    };
    // What is nowhere is refused, and recorded, as what belongs to another: the answer takes as long.
    let mut refusals = vec![refusal(caller, operation, "not_found", &operation.object(NOWHERE))?];
    for (id, queries) in targets {
        for query in queries {
            let answer = operation.call(&caller.api, id, &query).await?;
            let place = format!("{} {query} as {}: {answer:?}", operation.id, caller.role);
            // A refusal may repeat the name that was asked for, and nothing else.
            let unnamed = |answer: &ApiAnswer, name: &str| answer.body.to_string().replace(name, "…");
            let shown = unnamed(&answer, id);
            let secret = belongings.secrets.iter().find(|secret| shown.contains(secret.as_str()));
            assert!(secret.is_none(), "{secret:?} is shown by {place}");
            assert_eq!((answer.status, shown), (nowhere.status, unnamed(&nowhere, NOWHERE)), "{place}");
            refusals.push(refusal(caller, operation, "other_agency", &operation.object(id))?);
        }
    }
    Ok(refusals)
}

/// The live feed, from its very beginning to something that the stranger may see.
async fn live(lab: &Lab, belongings: &Belongings) -> Result<()> {
    let officer = lab.officer(STRANGER).await?;
    let mut feed = officer.follow("/v1/events/live", Some(0)).await?;
    assert!(feed.status().is_success(), "{feed:?}");
    let last = lab.send("mz.prm", &drafts::motorcycle(&[STRANGER])).await?;
    let mut seen = String::new();
    while !seen.contains(&last) {
        let more = feed.chunk().await?.with_context(|| format!("the feed ended before {last}: {seen}"))?;
        seen += &String::from_utf8_lossy(&more);
    }
    assert!(belongings.secrets.iter().all(|secret| !seen.contains(secret.as_str())), "{seen}");
    // The owner's feed from its beginning does show what is the owner's.
    let mut feed = lab.officer(OWNER).await?.follow("/v1/events/live", Some(0)).await?;
    let mut seen = String::new();
    while !belongings.messages.iter().all(|(id, _)| seen.contains(id)) {
        let more = feed.chunk().await?.with_context(|| format!("the owner's feed ended: {seen}"))?;
        seen += &String::from_utf8_lossy(&more);
    }
    Ok(())
}

fn refusal(caller: &Caller, operation: &Operation, code: &str, object: &str) -> Result<Refusal> {
    let asked = operation.action.context("what is public is not refused")?.to_string();
    let (subject, object) = (caller.subject.clone(), object.to_owned());
    Ok(Refusal { subject, asked, reason: code.to_owned(), object })
}

#[track_caller]
fn shows_no_secret(answer: &ApiAnswer, belongings: &Belongings, place: &str) {
    let shown = answer.body.to_string();
    let secret = belongings.secrets.iter().find(|secret| shown.contains(secret.as_str()));
    assert!(secret.is_none(), "{secret:?} is shown by {place}");
}

/// The rows of a list, or of the two that the streams are.
fn rows(page: &Value) -> Vec<Value> {
    let streams = ["incoming", "outgoing"].into_iter().filter_map(|way| page[way].as_array()).flatten();
    items(page).into_iter().chain(streams.cloned()).collect()
}

/// Collects every text in a value that is long enough to name one thing and nothing else.
fn identifiers(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.len() >= IDENTIFIER_MIN && !text.contains(' ') => {
            found.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| identifiers(item, found)),
        Value::Object(members) => members.values().for_each(|member| identifiers(member, found)),
        _ => {}
    }
}

fn id_of(body: &Value) -> Result<String> {
    Ok(body["id"].as_str().context("an id")?.to_owned())
}
