//! `rovumactl verify`: verifies a message or a bundle against pinned trust lists, without a server.

mod message;
mod report;
mod source;

use std::path::PathBuf;

use clap::Args;
use rovuma_schemas::{AgencyCode, Timestamp};

use crate::{
    app::App,
    exit::{Exit, Outcome},
    moments,
    trust::{PinArgs, load_store},
};
use report::FileReport;
pub(crate) use {
    message::verify_message,
    report::{MessageReport, MessageVerdict},
};

/// Options of `verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A compact JWS, a message saved from the API (JSON with a member "jws"), or a bundle; - for standard
    /// input
    file: PathBuf,
    #[command(flatten)]
    pins: PinArgs,
    /// The private sealing key that opens a sealed bundle
    #[arg(long, value_name = "FILE")]
    sealing_key: Vec<PathBuf>,
    /// Check that it was addressed to this agency [default: the first recipient it names]
    #[arg(long = "for", value_name = "AGENCY")]
    recipient: Option<AgencyCode>,
    /// Verify as of this instant: when it was received [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    at: Option<Timestamp>,
}

impl Verify {
    pub(crate) fn run(self, app: &App) -> Outcome {
        let now = self.at.unwrap_or_else(|| app.now());
        // A list may be issued after the message that it vouches for, but never in the future.
        let trust = load_store(&self.pins, app.now().max(now))?;
        let messages = source::read(&self.file, &self.sealing_key)?
            .into_iter()
            .map(|message| verify_message(&trust, message, self.recipient.as_ref(), now))
            .collect();
        let report = FileReport::new(self.file, now, messages);
        app.out.show(&report)?;
        Ok(match report.worst() {
            MessageVerdict::Verified => Exit::Ok,
            MessageVerdict::Unchecked | MessageVerdict::Held => Exit::Negative,
            MessageVerdict::Rejected | MessageVerdict::Refused => Exit::Verification,
        })
    }
}
