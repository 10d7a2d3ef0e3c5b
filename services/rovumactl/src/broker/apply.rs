//! `broker apply`.

use std::{fmt, time::Duration};

use clap::Args;
use reqwest::Url;
use rovuma_broker::topology::{Difference, DifferenceKind, VHOST};
use rovuma_schemas::audit::AuditAction;
use serde::Serialize;
use serde_json::Value;

use super::{
    Target,
    management::Management,
    state::{self, State},
};
use crate::{
    app::App,
    exit::{Exit, Outcome},
    ledger::{self, AuditRecord},
    progress,
};

/// A broker declares what it was given within seconds; quorum queues elect a leader first.
const SETTLE: Duration = Duration::from_secs(30);
/// Between two looks at a broker that has not settled.
const LOOK_AGAIN: Duration = Duration::from_millis(300);

/// Options of `broker apply`.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    target: Target,
    /// Remove what should not be there; a queue only when it is empty and unused
    #[arg(long)]
    prune: bool,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

/// The answer.
#[derive(Serialize)]
struct Applied {
    dry_run: bool,
    /// What was different before.
    before: Vec<Difference>,
    /// What was removed.
    removed: Vec<String>,
    /// How it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<State>,
}

impl Apply {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let spec = self.target.spec()?;
        let desired = state::desired(&spec)?;
        let management = self.target.management(app)?;
        let administrators = self.target.administrators(&management);
        let before = State::read(&management, &desired, &administrators).await?.differences;
        if self.dry_run {
            app.out.show(&Applied { dry_run: true, before, removed: Vec::new(), now: None })?;
            return Ok(Exit::Ok);
        }
        let act = ledger::act(app, AuditAction::BrokerApply)
            .object("broker", spec.country)
            .detail("differences", before.len());
        let applied = ledger::audited(app, act, async |act: &mut AuditRecord| {
            let removed = if self.prune { prune(&management, &before).await? } else { Vec::new() };
            management.import(&desired).await?;
            let now = settle(&management, &desired, &administrators).await?;
            act.details.insert("removed".to_owned(), removed.len().to_string());
            act.details.insert("left".to_owned(), now.differences.len().to_string());
            Ok(Applied { dry_run: false, before, removed, now: Some(now) })
        })
        .await?;
        let left = applied.now.as_ref().is_some_and(|now| !now.differences.is_empty());
        app.out.show(&applied)?;
        Ok(if left { Exit::Negative } else { Exit::Ok })
    }
}

/// Looks until nothing is missing or changed any more, or the time is up.
async fn settle(management: &Management, desired: &Value, administrators: &[String]) -> Outcome<State> {
    let deadline = tokio::time::Instant::now() + SETTLE;
    progress::waiting("waiting for the broker to declare everything", async {
        loop {
            let state = State::read(management, desired, administrators).await?;
            let unsettled = state.differences.iter().any(|found| found.kind != DifferenceKind::Unexpected);
            if !unsettled || tokio::time::Instant::now() >= deadline {
                return Ok(state);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    })
    .await
}

/// Removes what should not be there, and queues and exchanges that would have to be declared anew, in the
/// order in which they hang together.
async fn prune(management: &Management, before: &[Difference]) -> Outcome<Vec<String>> {
    const ORDER: [&str; 7] =
        ["parameters", "bindings", "topic_permissions", "permissions", "users", "queues", "exchanges"];
    let mut removed = Vec::new();
    for section in ORDER {
        for found in before.iter().filter(|found| found.section == section && is_in_the_way(found)) {
            if let Some(path) = path(found)
                && management.delete(&path).await?
            {
                removed.push(format!("{section} {}", found.name));
            }
        }
    }
    Ok(removed)
}

/// What is not wanted at all; and queues and exchanges with other arguments, which RabbitMQ cannot change.
fn is_in_the_way(found: &Difference) -> bool {
    match found.kind {
        DifferenceKind::Unexpected => true,
        DifferenceKind::Changed { .. } => matches!(found.section, "queues" | "exchanges"),
        DifferenceKind::Missing => false,
    }
}

/// Where the management API has it. Names may hold any character, so each becomes one escaped segment.
fn path(found: &Difference) -> Option<String> {
    let parts: Vec<&str> = found.name.split(' ').collect();
    let segments = match (found.section, parts.as_slice()) {
        ("parameters", [component, name]) => vec!["api", "parameters", component, VHOST, name],
        ("permissions", [user]) => vec!["api", "permissions", VHOST, user],
        ("topic_permissions", [user, _]) => vec!["api", "topic-permissions", VHOST, user],
        ("users", [user]) => vec!["api", "users", user],
        ("queues", [queue]) => vec!["api", "queues", VHOST, queue],
        ("exchanges", [exchange]) => vec!["api", "exchanges", VHOST, exchange],
        ("bindings", [source, kind, to, key]) => {
            let kind = if *kind == "queue" { "q" } else { "e" };
            // RabbitMQ's name for a binding without arguments is its routing key, `~` for an empty one.
            let key = if key.is_empty() { "~" } else { key };
            vec!["api", "bindings", VHOST, "e", source, kind, to, key]
        }
        _ => return None,
    };
    // A name of dots would not be a segment but a step upwards.
    if segments.iter().any(|segment| matches!(*segment, "." | "..")) {
        return None;
    }
    let mut url = Url::parse("http://broker/").ok()?;
    url.path_segments_mut().ok()?.clear().extend(segments);
    let condition = match found.section {
        "queues" => "?if-empty=true&if-unused=true",
        "exchanges" => "?if-unused=true",
        _ => "",
    };
    Some(format!("{}{condition}", url.path()))
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.dry_run { "would be corrected" } else { "found" };
        writeln!(f, "{} differences {verb}", self.before.len())?;
        for difference in &self.before {
            writeln!(f, "  {}", crate::output::safe(&difference.to_string()))?;
        }
        for removed in &self.removed {
            writeln!(f, "removed {}", crate::output::safe(removed))?;
        }
        let Some(now) = &self.now else { return Ok(()) };
        write!(f, "{now}")?;
        if now.differences.iter().any(|found| found.kind == DifferenceKind::Unexpected) {
            write!(f, "\nwhat should not be there is left alone: review it, then apply with --prune")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unexpected(section: &'static str, name: &str) -> Difference {
        Difference { section, name: name.to_owned(), kind: DifferenceKind::Unexpected }
    }

    #[test]
    fn every_name_is_one_segment() {
        let found = path(&unexpected("users", "../../overview"));
        assert_eq!(found.as_deref(), Some("/api/users/..%2F..%2Foverview"));
        assert_eq!(path(&unexpected("users", "..")), None);
        let found = path(&unexpected("queues", "a?b#c"));
        assert_eq!(found.as_deref(), Some("/api/queues/rovuma/a%3Fb%23c?if-empty=true&if-unused=true"));
    }

    #[test]
    fn a_binding_is_named_by_its_routing_key() {
        let found = path(&unexpected("bindings", "outbound queue link.tz.urgent tz.#"));
        assert_eq!(found.as_deref(), Some("/api/bindings/rovuma/e/outbound/q/link.tz.urgent/tz.%23"));
        let found = path(&unexpected("bindings", "quarantine queue quarantine "));
        assert_eq!(found.as_deref(), Some("/api/bindings/rovuma/e/quarantine/q/quarantine/~"));
    }

    #[test]
    fn only_what_cannot_be_changed_is_removed_to_be_made_anew() {
        let changed = |section| Difference {
            section,
            name: "x".to_owned(),
            kind: DifferenceKind::Changed {
                field: "arguments".into(),
                expected: Value::Null,
                got: Value::Null,
            },
        };
        assert!(is_in_the_way(&changed("queues")) && !is_in_the_way(&changed("permissions")));
    }
}
