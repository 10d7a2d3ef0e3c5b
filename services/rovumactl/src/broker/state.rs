//! Compares a broker with its specification, and shows the state of its links.

use std::fmt;

use rovuma_broker::topology::{Difference, DifferenceKind, NodeSpec, definitions, diff};
use serde::Serialize;
use serde_json::Value;

use super::management::ManagementClient;
use crate::{
    exit::{Failure, Outcome},
    output::safe,
};

/// A shovel, as the broker reports it. Whether messages are delivered is known from streams and receipts, not from
/// this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Shovel {
    pub(super) name: String,
    /// `running`, `starting`, `terminated`, or `absent` when it is declared but not running.
    pub(super) state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

/// The state of a broker.
#[derive(Clone, Debug, Serialize)]
pub(super) struct TopologyState {
    pub(super) differences: Vec<Difference>,
    /// `null` when the broker cannot report shovels.
    pub(super) shovels: Option<Vec<Shovel>>,
}

/// The definitions that the broker should have.
pub(super) fn desired(spec: &NodeSpec) -> Outcome<Value> {
    definitions(spec).map_err(|error| Failure::usage(error.to_string()))
}

impl TopologyState {
    /// Fetches the broker's state.
    pub(super) async fn read(
        management: &ManagementClient,
        desired: &Value,
        administrators: &[String],
    ) -> Outcome<Self> {
        let administrators: Vec<&str> = administrators.iter().map(String::as_str).collect();
        let found = diff(desired, &management.definitions().await?, &administrators);
        let differences = found.into_iter().map(without_secret).collect();
        let declared = declared_shovels(desired);
        let shovels = if declared.is_empty() {
            Some(Vec::new())
        } else {
            management.shovels().await?.map(|said| shovels(declared, &said))
        };
        Ok(Self { differences, shovels })
    }

    /// Whether nothing differs and every shovel runs.
    pub(super) fn is_good(&self) -> bool {
        self.differences.is_empty() && self.shovels_run()
    }

    /// Whether every shovel runs. Unknown states do not count as running.
    fn shovels_run(&self) -> bool {
        self.shovels.as_ref().is_some_and(|shovels| shovels.iter().all(|shovel| shovel.state == "running"))
    }
}

/// Hides the hash of a password and passwords in addresses: neither may reach a screen or a log.
fn without_secret(mut difference: Difference) -> Difference {
    if let DifferenceKind::Changed { field, expected, got } = &mut difference.kind {
        if field.contains("password") {
            (*expected, *got) = (Value::from(HIDDEN), Value::from(HIDDEN));
        }
        hide_passwords(got);
    }
    difference
}

const HIDDEN: &str = "(hidden)";

/// `amqps://user:password@host` becomes `amqps://(hidden)@host`, in every text of a value.
fn hide_passwords(value: &mut Value) {
    match value {
        Value::String(text) => {
            let Some((scheme, rest)) = text.split_once("://") else { return };
            let Some((user, host)) = rest.split_once('@') else { return };
            if user.contains(':') {
                *text = format!("{scheme}://{HIDDEN}@{host}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide_passwords),
        Value::Object(members) => members.values_mut().for_each(hide_passwords),
        _ => {}
    }
}

fn declared_shovels(desired: &Value) -> Vec<String> {
    let parameters =
        desired.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_shovel =
        |parameter: &&Value| parameter.get("component").is_some_and(|component| component == "shovel");
    parameters.iter().filter(is_shovel).filter_map(|parameter| text(parameter, "name")).collect()
}

/// Every declared shovel, with its state as the broker reports it.
fn shovels(declared: Vec<String>, said: &Value) -> Vec<Shovel> {
    let said = said.as_array().map(Vec::as_slice).unwrap_or_default();
    let shovel = |name: String| {
        let found = said.iter().find(|shovel| text(shovel, "name").as_ref() == Some(&name));
        let state = found.and_then(|shovel| text(shovel, "state"));
        let reason = found.and_then(|shovel| text(shovel, "reason"));
        Shovel { name, state: state.unwrap_or_else(|| "absent".to_owned()), reason }
    };
    declared.into_iter().map(shovel).collect()
}

fn text(value: &Value, field: &str) -> Option<String> {
    value.get(field).and_then(Value::as_str).map(ToOwned::to_owned)
}

impl fmt::Display for TopologyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.differences.len() {
            0 => writeln!(f, "topology: as specified")?,
            count => writeln!(f, "topology: {count} differences")?,
        }
        for difference in &self.differences {
            writeln!(f, "  {}", safe(&difference.to_string()))?;
        }
        let Some(shovels) = &self.shovels else {
            return write!(
                f,
                "links: unknown; on the broker: rabbitmq-plugins enable rabbitmq_shovel_management"
            );
        };
        writeln!(f, "links:")?;
        for shovel in shovels {
            let reason = shovel.reason.as_ref().map_or(String::new(), |reason| format!(": {}", safe(reason)));
            writeln!(f, "  {} {}{reason}", shovel.name, safe(&shovel.state))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn passwords_are_hidden() {
        let kind = DifferenceKind::Changed {
            field: "password_hash".into(),
            expected: "".into(),
            got: "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR".into(),
        };
        let shown = without_secret(Difference { section: "users", name: "audit".into(), kind }).to_string();
        assert!(shown.contains("(hidden)") && !shown.contains("kI3GCqW5"), "{shown}");
        let mut shovel =
            json!({ "dest-uri": ["amqps://eve:secret@h/v"], "src-uri": "amqp://shovel.tz@/rovuma" });
        hide_passwords(&mut shovel);
        let hidden = json!({ "dest-uri": ["amqps://(hidden)@h/v"], "src-uri": "amqp://shovel.tz@/rovuma" });
        assert_eq!(shovel, hidden);
    }

    #[test]
    fn a_shovel_that_is_declared_and_not_there_is_absent() {
        let desired = json!({ "parameters": [
            { "component": "shovel", "name": "tz.urgent" },
            { "component": "shovel", "name": "tz.bulk" },
        ]});
        let said =
            json!([{ "name": "tz.urgent", "state": "running" }, { "name": "other", "state": "running" }]);
        let found = shovels(declared_shovels(&desired), &said);
        assert_eq!((found[0].state.as_str(), found[1].state.as_str()), ("running", "absent"));
        assert_eq!(found.len(), 2);
        let state = TopologyState { differences: Vec::new(), shovels: Some(found) };
        assert!(!state.is_good(), "a link that does not run is not good");
        assert!(
            !TopologyState { differences: Vec::new(), shovels: None }.is_good(),
            "nor one that nobody sees"
        );
    }
}
