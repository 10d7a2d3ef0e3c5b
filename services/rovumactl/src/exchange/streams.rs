//! `rovumactl streams`: what the agency has sent to and received from each agency, and what is missing.

use std::fmt;

use clap::Args;
use rovuma_api::answers::gateway::{Gap, IncomingStream, OutgoingStream, Streams as StreamsAnswer};

use crate::{
    app::App,
    client::ServerAnswer,
    exit::{Exit, Outcome},
    moments::local,
    output::table,
    session::{ApiServer, ServerArgs},
};

/// Options of `streams`.
#[derive(Debug, Args)]
pub(crate) struct Streams {
    #[command(flatten)]
    server: ServerArgs,
}

impl Streams {
    /// Shows the streams. The exit status is negative when numbers are missing.
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let streams: ServerAnswer<StreamsAnswer> = client.get("/v1/streams", &[]).await?;
        app.out.answer(&streams, streams_text)?;
        let is_complete = streams.value.incoming.iter().all(|stream| stream.gap.is_none());
        Ok(if is_complete { Exit::Ok } else { Exit::Negative })
    }
}

fn streams_text(f: &mut fmt::Formatter<'_>, streams: &StreamsAnswer) -> fmt::Result {
    let incoming = |stream: &IncomingStream| {
        vec![
            stream.sender.to_string(),
            stream.lane.to_string(),
            stream.last.to_string(),
            stream.announced_at.map(local).unwrap_or_default(),
            stream.gap.as_ref().map_or("nothing".to_owned(), gap_text),
        ]
    };
    let rows: Vec<Vec<String>> = streams.incoming.iter().map(incoming).collect();
    table(f, &["FROM", "LANE", "LAST", "ANNOUNCED", "MISSING"], &rows)?;
    writeln!(f)?;
    let outgoing = |stream: &OutgoingStream| {
        let voided: Vec<String> = stream.voided.iter().map(ToString::to_string).collect();
        vec![
            stream.recipient.to_string(),
            stream.lane.to_string(),
            stream.last.to_string(),
            stream.heard_at.map_or("never".to_owned(), local),
            voided.join(", "),
        ]
    };
    let rows: Vec<Vec<String>> = streams.outgoing.iter().map(outgoing).collect();
    table(f, &["TO", "LANE", "LAST", "LAST HEARD FROM", "VOID"], &rows)
}

/// `3 since 2026-11-29 14:02:00 +02:00 (7-8, 11), asked for 2 times`.
fn gap_text(gap: &Gap) -> String {
    let range = |range: &rovuma_schemas::NumberRange| match range.from == range.to {
        true => range.from.to_string(),
        false => format!("{}-{}", range.from, range.to),
    };
    let missing: Vec<String> = gap.missing.iter().map(range).collect();
    let (count, since, requests) = (gap.count, local(gap.since), gap.requests);
    format!("{count} since {since} ({}), asked for {requests} times", missing.join(", "))
}
