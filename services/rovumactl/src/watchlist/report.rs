//! `rovumactl watchlist report`: a person reports what a person decided to be the same.

use clap::Args;
use reqwest::Method;
use rovuma_api::answers::watchlist::Candidate;
use rovuma_schemas::MessageId;
use serde_json::json;

use crate::{
    app::App,
    client::ServerAnswer,
    exit::{Exit, Failure, Outcome},
    follow::{FollowArgs, OpenedCase},
    session::ApiServer,
};

/// Options of `watchlist report`.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The candidate's ID, as rovumactl watchlist candidates prints it
    id: MessageId,
    /// The watchlist's address [default: from the configuration]
    #[arg(long, value_name = "URL")]
    watchlist: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
}

impl Report {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let watchlist = self.follow.elsewhere(self.watchlist.clone());
        let watchlist = watchlist.client(app, ApiServer::Watchlist).await?;
        let found: ServerAnswer<Candidate> =
            watchlist.get(&format!("/v1/candidates/{}", self.id), &[]).await?;
        let Candidate { hit, notice, .. } = &found.value;
        let (Some(alert), Some(draft)) = (&hit.case, notice) else {
            return Err(not_for_report(self.id, &found.value));
        };
        let client = self.follow.client(app).await?;
        let opened = OpenedCase::open(&client, alert).await?;
        let beside = "  It is a lead: act only once the alert's owner has confirmed it.";
        // Whoever was cut off may do it again within a day, and it is sent once; afterwards the watchlist knows that it was.
        let key = format!("candidate-{}", self.id);
        let sent = self.follow.show_and_send_once(app, &client, &opened, draft.clone(), beside, &key).await?;
        if let Some(message) = sent.message {
            let path = format!("/v1/candidates/{}/notice", self.id);
            let request = watchlist.request(Method::POST, &path)?.json(&json!({ "message": message }));
            let _: ServerAnswer<Candidate> = watchlist.send(request).await.map_err(|failure| {
                failure.next("it is sent; give the same command again, so that the watchlist knows and nobody sends it twice")
            })?;
        }
        Ok(sent.exit)
    }
}

fn not_for_report(id: MessageId, candidate: &Candidate) -> Failure {
    match candidate.state.as_str() {
        "review" | "refused" => Failure::new(Exit::Refused, "nobody has decided that it is the same")
            .next(format!("compare, then: rovumactl watchlist decide {id} --same --reason CODE")),
        "confirmed" => Failure::new(
            Exit::Refused,
            "this must not be told to another state, or the alert has no such number",
        )
        .next(format!("what keeps it back: {}", candidate.hit.not_forwarded.join(", "))),
        "queued" | "forwarded" => Failure::new(Exit::Refused, "the alert's owner is told already")
            .next("rovumactl case list --kind hit shows it"),
        _ => Failure::new(Exit::Refused, "it is told to nobody elsewhere")
            .next("rovumactl watchlist candidates shows in which state it is"),
    }
}
