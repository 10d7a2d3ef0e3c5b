//! The cases and the draft of which copies fill the store, made by the product.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rovuma_lab::border::Border;
use rovuma_schemas::MessageId;
use serde_json::{Value, json};

use crate::{
    draft,
    exchange::print_progress,
    old_store::{Openers, Role},
    sender::AgencySystem,
};

/// Messages of the long case.
pub(super) const LONG: usize = 30;

/// A message that has not arrived by then does not.
const PATIENCE: Duration = Duration::from_secs(60);

/// The officers of both sides.
struct Officers {
    own: AgencySystem,
    partner: AgencySystem,
}

/// Makes a case for each role, and one draft in work.
///
/// # Errors
/// When a message is refused or does not arrive.
pub(super) async fn make(border: &Border) -> Result<Openers> {
    let officers = Officers {
        own: AgencySystem::officer(&border.mz, "prm").await?.repeating(),
        partner: AgencySystem::officer(&border.tz, "tpf").await?.repeating(),
    };
    let openers = vec![
        (Role::Plain, officers.plain().await?),
        (Role::Ours, officers.ours().await?),
        (Role::Foreign, officers.foreign().await?),
        (Role::Long, officers.long().await?),
        (Role::Bare, officers.own.send_at_once(draft::example()).await?),
    ];
    officers.until_settled().await?;
    officers.own.create(draft::example()).await?;
    Ok(openers)
}

/// The name of a case.
pub(super) fn case_of(owner: &str, opener: MessageId) -> Value {
    json!({ "kind": "alert", "owner": owner, "id": opener })
}

impl Officers {
    /// Issued, reported on, changed in answer, changed again.
    async fn plain(&self) -> Result<MessageId> {
        let opener = self.own.send_at_once(draft::example()).await?;
        let case = case_of("mz.prm", opener);
        let report = self.report(&case, 1).await?;
        self.own.send_at_once(draft::update(&case, false, Some(&report.to_string()))?).await?;
        self.own.send_at_once(draft::update(&case, false, None)?).await?;
        Ok(opener)
    }

    /// Released in an emergency, changed twice, reported on without an answer.
    async fn ours(&self) -> Result<MessageId> {
        let opener = self.own.send_at_once(draft::emergency()?).await?;
        let case = case_of("mz.prm", opener);
        for _ in 0..2 {
            self.own.send_at_once(draft::update(&case, true, None)?).await?;
        }
        self.report(&case, 3).await?;
        Ok(opener)
    }

    /// Issued by the partner, changed, flagged by us, changed again.
    async fn foreign(&self) -> Result<MessageId> {
        let opener = self.partner.send_at_once(draft::to("mz.prm")?).await?;
        let case = case_of("tz.tpf", opener);
        self.partner.send_at_once(draft::update(&case, false, None)?).await?;
        until_messages(&self.own, &case, 2).await?;
        self.own.send_at_once(draft::flag(&case)?).await?;
        until_messages(&self.partner, &case, 3).await?;
        self.partner.send_at_once(draft::update(&case, false, None)?).await?;
        until_messages(&self.own, &case, 4).await?;
        Ok(opener)
    }

    /// Issued, then reported on and changed by turns: a report, its answer and another version.
    async fn long(&self) -> Result<MessageId> {
        print_progress("a case of 30 messages");
        let opener = self.own.send_at_once(draft::example()).await?;
        let case = case_of("mz.prm", opener);
        let mut messages = 1;
        while messages + 3 <= LONG {
            let report = self.report(&case, messages).await?.to_string();
            for answers in [Some(report.as_str()), None] {
                self.own.send_at_once(draft::update(&case, false, answers)?).await?;
            }
            messages += 3;
        }
        while messages < LONG {
            self.own.send_at_once(draft::update(&case, false, None)?).await?;
            messages += 1;
        }
        Ok(opener)
    }

    /// The partner's error report, once it has this many messages of the case and we have the report.
    async fn report(&self, case: &Value, messages: usize) -> Result<MessageId> {
        until_messages(&self.partner, case, messages).await?;
        let report = self.partner.send_at_once(draft::error_report(case)?).await?;
        until_messages(&self.own, case, messages + 1).await?;
        Ok(report)
    }

    /// Waits until each copy of ours has its receipt.
    async fn until_settled(&self) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let mut open = 0;
            for state in ["waiting", "queued"] {
                let page = self.own.read(&format!("/v1/sent?state={state}")).await?;
                open += page["items"].as_array().context("a page")?.len();
            }
            if open == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("messages have no receipt after {} s", PATIENCE.as_secs())
    }
}

/// Waits until an agency has this many messages of a case.
async fn until_messages(officer: &AgencySystem, case: &Value, wanted: usize) -> Result<()> {
    let text = |member: &str| case[member].as_str().unwrap_or_default().to_owned();
    let path = format!("/v1/cases/alert/{}/{}", text("owner"), text("id"));
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        let answer = officer.get(&path).send().await?;
        if answer.status().is_success() {
            let case: Value = answer.json().await?;
            if case["case"]["messages"].as_u64().is_some_and(|messages| messages >= wanted as u64) {
                return Ok(());
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("{path} has not {wanted} messages after {} s", PATIENCE.as_secs())
}
