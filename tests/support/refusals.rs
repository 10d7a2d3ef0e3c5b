//! Refusals, as callers saw them and as the audit log has them.

use anyhow::Result;
use serde_json::Value;

use crate::{Lab, eventually};

/// One refusal: to whom, asking for what, why, about what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// Who asked.
    pub subject: String,
    /// The policy's action.
    pub asked: String,
    /// The code.
    pub reason: String,
    /// The id of what was asked about.
    pub object: String,
}

impl Lab {
    /// Waits until the audit log has as many refusals by the gateway, to people of this agency, as `expected`,
    /// and compares them: each once, and no other.
    ///
    /// # Errors
    /// When they never come.
    ///
    /// # Panics
    /// When they are others.
    pub async fn refusals_are(&self, agency: &str, mut expected: Vec<Refusal>) -> Result<()> {
        let query = format!("action=access.refuse&agency={agency}");
        let what = format!("{} refusals to {agency} in the audit log", expected.len());
        let mut found = eventually(&what, || async {
            let found = self.audit_events(&agency[..2], &query).await?;
            let found: Vec<Refusal> = found.iter().filter_map(|row| by_gateway(&row["event"])).collect();
            Ok((found.len() >= expected.len()).then_some(found))
        })
        .await?;
        expected.sort();
        found.sort();
        let text = |refusals: &[Refusal]| refusals.iter().map(|one| format!("{one:?}\n")).collect::<String>();
        assert!(found == expected, "found:\n{}expected:\n{}", text(&found), text(&expected));
        Ok(())
    }
}

fn by_gateway(event: &Value) -> Option<Refusal> {
    if !event["source"].as_str()?.contains(".gateway.") {
        return None;
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Some(Refusal {
        subject: text(&event["actor"]),
        asked: text(&event["details"]["asked"]),
        reason: text(&event["reason"]),
        object: text(&event["object"]["id"]),
    })
}
