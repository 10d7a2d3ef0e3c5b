//! `rovumactl send`: keeps a draft, or sends it at once if asked.

use std::{fmt, path::PathBuf, time::Duration};

use clap::Args;
use rovuma_api::answers::gateway::{DraftView, ReleasedView, Validated};

use super::{
    MessageArgs,
    drafts::{advice_text, faults_text, released_text},
    emergency,
    follow::{self, ReceiptGoal},
    post,
};
use crate::{
    app::App,
    client::{Client, ServerAnswer},
    exit::{Exit, Failure, Outcome},
    files, moments,
    output::safe,
    session::{ApiServer, ServerArgs},
};

/// Options of `send`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("at_once").args(["release", "emergency"]).multiple(true)))]
pub(crate) struct Send {
    /// A draft of any type, JSON; - for standard input
    file: PathBuf,
    /// Send it at once, where one person may; without it the draft is kept, with its faults if it has any
    #[arg(long)]
    release: bool,
    /// Send it at once and alone though it needs a second person, because it cannot wait: WHY, in the message's language. A second
    /// person of your agency must confirm it within 12 hours (rovumactl case confirm), or nobody acts on it any more
    #[arg(long, value_name = "WHY")]
    emergency: Option<String>,
    /// Send it although the gateway knows something live about the same: the code or file number of the reason, which the audit log
    /// keeps
    #[arg(long, value_name = "REASON", requires = "at_once")]
    despite_duplicates: Option<String>,
    /// Only check it; nothing is kept
    #[arg(long, conflicts_with_all = ["release", "emergency"])]
    validate: bool,
    /// Wait for the receipts
    #[arg(long, requires = "at_once")]
    follow: bool,
    /// How long to wait for them
    #[arg(long, value_name = "SPAN", value_parser = moments::span, default_value = "10m", requires = "follow")]
    timeout: Duration,
    #[command(flatten)]
    server: ServerArgs,
}

impl Send {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let draft = files::read(&self.file)?;
        let draft = match &self.emergency {
            Some(reason) => emergency::with_reason(&draft, reason)?,
            None => draft,
        };
        let client = self.server.client(app, ApiServer::Gateway).await?;
        if self.validate {
            let checked = post(&client, "/v1/drafts/validate", Some(&draft), None).await?;
            app.out.answer(&checked, validated_text)?;
            return Ok(Exit::Ok);
        }
        if !self.release && self.emergency.is_none() {
            app.out.answer(&keep(&client, &draft).await?, kept_text)?;
            return Ok(Exit::Ok);
        }
        let path = path_at_once(self.despite_duplicates.as_deref())?;
        let released: ServerAnswer<ReleasedView> = match post(&client, &path, Some(&draft), None).await {
            Ok(released) => released,
            Err(failure) if failure.is_refusal("duplicate_live") => {
                return Err(failure.next(DESPITE_DUPLICATES));
            }
            // Nothing was kept. What the author may not send alone becomes a draft, for a supervisor to release.
            Err(failure) if failure.is_refusal("second_person") || failure.is_refusal("supervisor_only") => {
                let DraftView { id, fault_count, .. } = keep(&client, &draft).await?.value;
                // The gateway asks for a second person before it looks for faults, so the draft may have some.
                let mend = match fault_count {
                    0 => String::new(),
                    count => format!("mend its faults ({count}: rovumactl draft show {id}), then "),
                };
                return Err(failure.next(format!(
                    "the draft {id} is kept; {mend}hand it to a supervisor: rovumactl draft submit {id}"
                )));
            }
            Err(failure) => return Err(failure),
        };
        if self.emergency.is_some() {
            emergency::tell(app, &client, &released.value).await;
        }
        if !self.follow {
            app.out.answer(&released, released_text)?;
            return Ok(Exit::Ok);
        }
        let message = MessageArgs { id: released.value.id, sender: None };
        follow::follow(app, &client, &message, ReceiptGoal::Delivered, self.timeout).await
    }
}

/// What helps where something live is about the same.
pub(crate) const DESPITE_DUPLICATES: &str =
    "look at them: rovumactl case list; if it must be sent all the same, give --despite-duplicates REASON";

/// The path to which a message is posted that is sent at once, with the reason for which it is sent although something live is about
/// the same. Codes and file numbers need no encoding.
pub(crate) fn path_at_once(despite_duplicates: Option<&str>) -> Outcome<String> {
    let Some(reason) = despite_duplicates else { return Ok("/v1/messages".to_owned()) };
    let is_plain = reason.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte));
    if is_plain && !reason.is_empty() {
        return Ok(format!("/v1/messages?despite_duplicates={reason}"));
    }
    Err(Failure::usage(format!("{reason:?} is no reason for --despite-duplicates"))
        .next("give a code or file number of letters, digits and . _ / -"))
}

async fn keep(client: &Client, draft: &[u8]) -> Outcome<ServerAnswer<DraftView>> {
    post(client, "/v1/drafts", Some(draft), None).await
}

fn validated_text(f: &mut fmt::Formatter<'_>, checked: &Validated) -> fmt::Result {
    writeln!(f, "no faults: {}", safe(&checked.summary))?;
    advice_text(f, &checked.advice)?;
    if checked.second_person.is_empty() {
        writeln!(f, "one person may release it")
    } else {
        writeln!(f, "a second person must release it: {}", safe(&checked.second_person.join(", ")))
    }
}

fn kept_text(f: &mut fmt::Formatter<'_>, draft: &DraftView) -> fmt::Result {
    writeln!(f, "{} {}", draft.id, safe(&draft.state))?;
    if draft.fault_count > 0 {
        writeln!(f, "it is kept, but cannot be released before its faults are mended:")?;
        faults_text(f, draft)?;
    }
    advice_text(f, draft.advice.as_deref().unwrap_or_default())?;
    match &draft.second_person {
        Some(reason) => writeln!(f, "a second person must release it: {}", safe(reason)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_goes_into_the_path_as_it_is_or_not_at_all() {
        assert_eq!(path_at_once(None).expect("no reason"), "/v1/messages");
        let path = path_at_once(Some("PRM-2026/0417")).expect("a file number");
        assert_eq!(path, "/v1/messages?despite_duplicates=PRM-2026/0417");
        for reason in ["", "another one", "a&limit=1", "a#b", "é"] {
            assert!(path_at_once(Some(reason)).is_err(), "{reason:?}");
        }
    }
}
