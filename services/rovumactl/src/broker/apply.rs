//! `broker apply`: makes a broker match its specification.

use std::{fmt, time::Duration};

use clap::Args;
use reqwest::Url;
use rovuma_broker::topology::{Difference, DifferenceKind, VHOST};
use rovuma_schemas::audit::AuditAction;
use serde::Serialize;
use serde_json::Value;

use super::{
    BrokerArgs,
    management::ManagementClient,
    state::{self, TopologyState},
};
use crate::{
    app::App,
    exit::{Exit, Outcome},
    ledger::{self, AuditRecord},
    progress,
};

/// Time limit for the broker to declare what was imported: usually seconds, as quorum queues elect a leader first.
const SETTLE: Duration = Duration::from_secs(30);
/// Delay between two checks of a broker that has not settled.
const RECHECK_DELAY: Duration = Duration::from_millis(300);

/// Options of `broker apply`.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    target: BrokerArgs,
    /// Remove what the specification does not have; a queue only when it is empty and unused
    #[arg(long)]
    prune: bool,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
}

/// The result of `broker apply`.
#[derive(Serialize)]
struct ApplyResult {
    dry_run: bool,
    /// The differences found before.
    before: Vec<Difference>,
    /// The objects removed.
    removed: Vec<String>,
    /// The state afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<TopologyState>,
}

impl Apply {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let spec = self.target.spec()?;
        let desired = state::desired(&spec)?;
        let management = self.target.management(app)?;
        let administrators = self.target.administrators(&management);
        let before = TopologyState::read(&management, &desired, &administrators).await?.differences;
        if self.dry_run {
            app.out.show(&ApplyResult { dry_run: true, before, removed: Vec::new(), now: None })?;
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
            Ok(ApplyResult { dry_run: false, before, removed, now: Some(now) })
        })
        .await?;
        let left = applied.now.as_ref().is_some_and(|now| !now.differences.is_empty());
        app.out.show(&applied)?;
        Ok(if left { Exit::Negative } else { Exit::Ok })
    }
}

/// Checks the broker until nothing is missing or changed any more, or time is up.
async fn settle(
    management: &ManagementClient,
    desired: &Value,
    administrators: &[String],
) -> Outcome<TopologyState> {
    let deadline = tokio::time::Instant::now() + SETTLE;
    progress::waiting("waiting for the broker to declare everything", async {
        loop {
            let state = TopologyState::read(management, desired, administrators).await?;
            let unsettled = state.differences.iter().any(|found| found.kind != DifferenceKind::Unexpected);
            if !unsettled || tokio::time::Instant::now() >= deadline {
                return Ok(state);
            }
            tokio::time::sleep(RECHECK_DELAY).await;
        }
    })
    .await
}

/// Removes objects that the specification does not have, and queues and exchanges that must be declared again,
/// dependent objects first.
async fn prune(management: &ManagementClient, before: &[Difference]) -> Outcome<Vec<String>> {
    const ORDER: [&str; 7] =
        ["parameters", "bindings", "topic_permissions", "permissions", "users", "queues", "exchanges"];
    let mut removed = Vec::new();
    for section in ORDER {
        for found in before.iter().filter(|found| found.section == section && must_be_removed(found)) {
            if let Some(path) = path(found)
                && management.delete(&path).await?
            {
                removed.push(format!("{section} {}", found.name));
            }
        }
    }
    Ok(removed)
}

/// Whether an object must be removed: the specification does not have it; or it is a queue or exchange with other
/// arguments, which RabbitMQ cannot change.
fn must_be_removed(found: &Difference) -> bool {
    match found.kind {
        DifferenceKind::Unexpected => true,
        DifferenceKind::Changed { .. } => matches!(found.section, "queues" | "exchanges"),
        DifferenceKind::Missing => false,
    }
}

/// The path of an object in the management API. Names may contain any character, so each is escaped as one segment.
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
            // The management API names a binding without arguments by its routing key, with `~` for an empty one.
            let key = if key.is_empty() { "~" } else { key };
            vec!["api", "bindings", VHOST, "e", source, kind, to, key]
        }
        _ => return None,
    };
    // A name of dots would climb up the path instead of being a segment.
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

impl fmt::Display for ApplyResult {
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
            write!(
                f,
                "\nobjects that are not in the specification stay: review them, then apply with --prune"
            )?;
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
        assert!(must_be_removed(&changed("queues")) && !must_be_removed(&changed("permissions")));
    }
}
