//! Every role at every route of the running gateway: it answers as the policy table says, and each refusal is
//! in the audit log.

use anyhow::{Context, Result};
use reqwest::StatusCode;
use rovuma_lab::api::Api;
use rovuma_schemas::AgencyCode;
use rovuma_tests::{
    Caller, Lab, Refusal, drafts,
    routes::{self, About, Operation},
};
use serde_json::Value;

const AGENCY: &str = "mz.prm";

const NOWHERE: &str = "01890000-0000-7000-8000-000000000000";

/// A draft for this call alone: what is permitted changes it.
async fn draft(author: &Api) -> Result<String> {
    let created = author.post("/v1/drafts", &drafts::motorcycle(&["tz.tpf"])).await?.ok()?;
    Ok(created["id"].as_str().context("an id")?.to_owned())
}

fn is_problem(body: &Value, status: StatusCode, code: &str) -> bool {
    body["status"] == status.as_u16() && body["code"] == code
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_gets_at_every_route_what_the_policy_says() -> Result<()> {
    let lab = Lab::start().await?;
    let agency: AgencyCode = AGENCY.parse()?;
    let received = lab.send("tz.tpf", &drafts::motorcycle(&[AGENCY])).await?;
    lab.hops(&lab.officer("tz.tpf").await?, &received, "delivered", 1).await?;
    let callers = lab.everybody(AGENCY).await?;
    let author = callers.iter().find(|caller| caller.role == rovuma_policy::Role::LiaisonOfficer);
    let author: &Caller = author.context("a liaison officer")?;

    let mut refusals = Vec::new();
    let mut permitted = 0;
    for operation in routes::operations()? {
        for caller in &callers {
            let target = match operation.about {
                About::Agency => AGENCY.to_owned(),
                About::NewDraft => "new".to_owned(),
                About::Draft => draft(&author.api).await?,
                About::Message => received.clone(),
                About::Case => format!("tz.tpf/{received}"),
            };
            let answer = operation.call(&caller.api, &target, "").await?;
            let place = format!("{} as {}: {} {}", operation.id, caller.role, answer.status, answer.body);
            match operation.denial(&caller.actor, &agency, &author.subject) {
                Some(code) => {
                    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{place}");
                    assert!(is_problem(&answer.body, answer.status, code), "{code} was expected: {place}");
                    refusals.push(refusal(caller, &operation, code, operation.object(&target))?);
                }
                None => {
                    // Not submitted, so not to be returned or released by a supervisor.
                    let is_done = operation.is_done(answer.status) || answer.status == StatusCode::CONFLICT;
                    assert!(is_done, "the policy permits it: {place}");
                    permitted += 1;
                }
            }
        }
    }
    // Neither everything nor nothing.
    assert!(refusals.len() > 100 && permitted > 50, "{} refused, {permitted} permitted", refusals.len());
    lab.refusals_are(AGENCY, refusals).await
}

fn refusal(caller: &Caller, operation: &Operation, code: &str, object: String) -> Result<Refusal> {
    let asked = operation.action.context("what is public is not refused")?;
    let (subject, asked) = (caller.subject.clone(), asked.to_string());
    Ok(Refusal { subject, asked, reason: code.to_owned(), object })
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_that_holds_no_route_answers() -> Result<()> {
    let lab = Lab::start().await?;
    let url = lab.country("mz").url("gateway")?;
    // Of the other country: signed by an identity provider that this gateway does not know.
    let foreign = lab.token("tz.tpf", "officer").await?;
    for token in [None, Some("a.b.c".to_owned()), Some(foreign)] {
        let api = Api::new(&url, token)?;
        for operation in routes::operations()? {
            let answer = operation.call(&api, NOWHERE, "").await?;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{operation:?}");
            assert!(is_problem(&answer.body, answer.status, "unauthenticated"), "{operation:?}: {answer:?}");
        }
    }
    Ok(())
}
