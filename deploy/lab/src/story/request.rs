//! A request for assistance: asked with four questions, taken up, asked back, clarified; a partial answer and a cancellation cross on a
//! line that is cut; answered and closed. Then a refusal, and a group of two.

use std::fs;

use anyhow::{Context, Result, ensure};
use rovuma_schemas::MessageId;
use serde_json::{Value, json};

use super::{Story, text};
use crate::{
    border::{Border, Nodes},
    keys::path,
};

/// The request of the story: four questions about a motorcycle.
const EXAMPLE: &str = include_str!("../../../../schemas/examples/valid/request-vehicle.json");

const REQUESTER: &str = "mz.prm";
const ANSWERER: &str = "tz.tpf";

/// Plays the story, and returns how many steps it had.
///
/// # Errors
/// When a step does not end as it should; the error says which.
pub async fn play(border: &mut Border, nodes: &mut Nodes, say: &(dyn Fn(&str) + Sync)) -> Result<usize> {
    let mut story = Story::new(border, say);
    let name = submit(&mut story, ANSWERER, "sends a request with four questions", None).await?;
    talk(&mut story, &name).await?;
    cross(&mut story, nodes).await?;
    answer(&mut story, &name).await?;
    refuse(&mut story).await?;
    group(&mut story).await?;
    Ok(story.steps)
}

/// Sends a request and waits for its receipt. Returns its short reference.
async fn submit(story: &mut Story<'_>, to: &str, what: &str, group: Option<MessageId>) -> Result<String> {
    let mut draft: Value = serde_json::from_str(EXAMPLE)?;
    draft["recipients"] = json!([to]);
    let body = draft["body"].as_object_mut().context("a body")?;
    body.remove("needed_by");
    body.remove("related");
    body.remove("group");
    if let Some(group) = group {
        draft["body"]["group"] = json!(group);
    }
    let file = story.border.mz.layout().data("story-request.json");
    fs::write(&file, format!("{draft:#}\n")).with_context(|| format!("writing {}", file.display()))?;
    let file = path(&file);
    let sent = story.does(REQUESTER, "officer", what, &["send", &file, "--release"]).await?;
    let id = text(&sent, "id").to_owned();
    story.delivered(REQUESTER, "officer", &id).await?;
    let row =
        story.desk(REQUESTER, "officer").await?.run(&["case", "list", "--limit", "1"])?["items"][0].clone();
    ensure!(row["case"]["id"] == id.as_str(), "the newest case is not the request's: {row}");
    let name = text(&row, "short_reference").to_owned();
    story.tell(&format!("→ the request is {name}, in both countries, on paper and on the telephone"));
    Ok(name)
}

/// Taken up, asked back, clarified: the clock runs for whoever has the ball.
async fn talk(story: &mut Story<'_>, name: &str) -> Result<()> {
    let words = [
        "request",
        "acknowledge",
        name,
        "--contact",
        "Ofisa wa zamu, Mtwara",
        "--phone",
        "+255740000202",
        "--yes",
    ];
    let sent = story.does(ANSWERER, "officer", "takes it up, with a telephone number", &words).await?;
    story.delivered(ANSWERER, "officer", text(&sent, "id")).await?;
    let words = [
        "request",
        "ask",
        name,
        "--text",
        "Namba kamili ya chasisi ni ipi?",
        "--question",
        "1",
        "--written-in",
        "sw",
        "--yes",
    ];
    let sent = story.does(ANSWERER, "officer", "asks back", &words).await?;
    story.delivered(ANSWERER, "officer", text(&sent, "id")).await?;
    expect(story, REQUESTER, name, "clarification", "ours").await?;
    let words = ["request", "clarify", name, "--text", "O número do quadro é MD2EXAMPLE0000481.", "--yes"];
    let sent = story.does(REQUESTER, "officer", "clarifies", &words).await?;
    story.delivered(REQUESTER, "officer", text(&sent, "id")).await?;
    expect(story, ANSWERER, name, "open", "ours").await?;
    let shown = story.desk(ANSWERER, "officer").await?.run(&["case", "show", name])?;
    ensure!(shown["case"]["due"].is_string(), "the answerer's limit is not shown: {shown}");
    story.tell(&format!("→ both sides show the same limit: {}", text(&shown["case"], "due")));
    let here = story.desk(REQUESTER, "officer").await?.run(&["case", "show", name])?;
    ensure!(here["case"]["due"] == shown["case"]["due"], "the limits differ: {here} {shown}");
    Ok(())
}

/// While the line is cut a partial answer and a cancellation cross: what was disclosed is to be erased, and both sides say so.
async fn cross(story: &mut Story<'_>, nodes: &mut Nodes) -> Result<()> {
    let name = submit(story, ANSWERER, "sends another request", None).await?;
    story.step("mz.node, operator", "the line is cut: Mozambique's broker is down");
    nodes.mz.stop().await;
    let words = ["request", "cancel", &name, "--reason", "solved_here", "--yes"];
    let sent =
        story.does(REQUESTER, "officer", "cancels it; the cancellation waits in the gateway", &words).await?;
    let cancelled = text(&sent, "id").to_owned();
    let words = [
        "request",
        "answer",
        &name,
        "--found",
        "1=Imesajiliwa Mtwara.",
        "--later",
        "2",
        "--protection-check",
        "--written-in",
        "sw",
        "--yes",
    ];
    let sent =
        story.does(ANSWERER, "officer", "answers in part; the answer waits in Tanzania", &words).await?;
    let answered = text(&sent, "id").to_owned();
    story.step("mz.node, operator", "the line is there again");
    nodes.mz.restart(|_| {}).await?;
    story.delivered(REQUESTER, "officer", &cancelled).await?;
    story.delivered(ANSWERER, "officer", &answered).await?;
    for agency in [REQUESTER, ANSWERER] {
        let seen = expect(story, agency, &name, "cancelled", "nobody").await?;
        ensure!(seen["request"]["erasure_due"] == true, "{agency}: {seen}");
    }
    story.tell(
        "→ cancelled on both sides; what was disclosed on the way is to be erased, and both sides say so",
    );
    Ok(())
}

async fn answer(story: &mut Story<'_>, name: &str) -> Result<()> {
    let data = story.border.tz.layout().data("story-answer.json");
    let found = json!({ "vehicles": [{ "type": "motorcycle", "plate": { "number": "MC 123 EXA", "country": "TZA" },
                                       "chassis_number": "MD2EXAMPLE0000481" }] });
    fs::write(&data, format!("{found:#}\n")).with_context(|| format!("writing {}", data.display()))?;
    let data = format!("1={}", path(&data));
    let words = [
        "request",
        "answer",
        name,
        "--found",
        "1=Imesajiliwa Mtwara.",
        "--data",
        &data,
        "--no-record",
        "2",
        "--refused",
        "3=judicial_authorisation_refused",
        "--not-here",
        "4",
        "--protection-check",
        "--written-in",
        "sw",
        "--yes",
    ];
    let sent = story.does(ANSWERER, "officer", "answers every question by its number", &words).await?;
    story.delivered(ANSWERER, "officer", text(&sent, "id")).await?;
    expect(story, REQUESTER, name, "answered", "ours").await?;
    let words =
        ["request", "close", name, "--outcome", "property_recovered", "--note", "Entregue ao dono.", "--yes"];
    let sent = story.does(REQUESTER, "officer", "closes it, and says what came of it", &words).await?;
    story.delivered(REQUESTER, "officer", text(&sent, "id")).await?;
    for agency in [REQUESTER, ANSWERER] {
        expect(story, agency, name, "closed", "nobody").await?;
    }
    let words = ["case", "show", name];
    story.typed(REQUESTER, "officer", &words);
    let shown = story.desk(REQUESTER, "officer").await?.read(&words)?;
    story.tell(&shown);
    Ok(())
}

async fn refuse(story: &mut Story<'_>) -> Result<()> {
    let name = submit(story, "tz.tpf", "asks something that is not given", None).await?;
    let words = [
        "request",
        "refuse",
        &name,
        "--reason",
        "not_available",
        "--try-agency",
        "tz.tisd",
        "--submit",
        "--yes",
    ];
    let kept = story.does(ANSWERER, "officer", "would refuse, and hands it to a supervisor", &words).await?;
    ensure!(kept["state"] == "pending_release", "{kept}");
    let draft = text(&kept, "id").to_owned();
    let released = story.released(ANSWERER, &draft, &[]).await?;
    story.delivered(ANSWERER, "supervisor", &released).await?;
    expect(story, REQUESTER, &name, "refused", "ours").await?;
    let seen = story.desk(REQUESTER, "officer").await?.run(&["case", "show", &name])?;
    ensure!(seen["request"]["try_agency"] == "tz.tisd", "{seen}");
    story.tell("→ refused with a code that can be counted, and with the agency that may have it");
    Ok(())
}

async fn group(story: &mut Story<'_>) -> Result<()> {
    let mark: MessageId = MessageId::draw(rovuma_schemas::Timestamp::system_now());
    for to in ["tz.tpf", "tz.tisd"] {
        submit(story, to, &format!("asks {to} the same, under one mark"), Some(mark)).await?;
    }
    let mark = mark.to_string();
    let words = ["request", "group", &mark];
    let listed = story.does(REQUESTER, "officer", "sees who has answered what", &words).await?;
    let shown = story.desk(REQUESTER, "officer").await?.read(&words)?;
    story.tell(&shown);
    let rows = listed.as_array().or(listed["items"].as_array()).context("rows")?;
    ensure!(rows.len() == 2, "{listed}");
    Ok(())
}

/// Checks what an agency sees of the case.
async fn expect(story: &mut Story<'_>, agency: &str, name: &str, state: &str, ball: &str) -> Result<Value> {
    let seen = story.desk(agency, "officer").await?.run(&["case", "show", name])?;
    let (is, whose) = (text(&seen["case"], "state"), text(&seen["case"], "ball"));
    ensure!(
        (is, whose) == (state, ball),
        "{name} is {is} ({whose}) for {agency}, not {state} ({ball}): {seen}"
    );
    Ok(seen)
}
