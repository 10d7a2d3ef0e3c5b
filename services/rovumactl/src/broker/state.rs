//! What a broker has, against what it should have, and how its links are.

use std::fmt;

use rovuma_broker::topology::{Difference, NodeSpec, definitions, diff};
use serde::Serialize;
use serde_json::Value;

use super::management::Management;
use crate::{
    exit::{Failure, Outcome},
    output::safe,
};

/// One shovel, as the broker sees it. Its word is not believed when it comes to delivery: streams and
/// receipts are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Shovel {
    pub(super) name: String,
    /// `running`, `starting`, `terminated`, or `absent` when it is declared and not there.
    pub(super) state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

/// The state of a broker.
#[derive(Clone, Debug, Serialize)]
pub(super) struct State {
    pub(super) differences: Vec<Difference>,
    /// Absent when the broker cannot say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shovels: Option<Vec<Shovel>>,
}

/// What the broker should have.
pub(super) fn desired(spec: &NodeSpec) -> Outcome<Value> {
    definitions(spec).map_err(|error| Failure::usage(error.to_string()))
}

impl State {
    /// Asks the broker.
    pub(super) async fn read(
        management: &Management,
        desired: &Value,
        administrators: &[String],
    ) -> Outcome<Self> {
        let administrators: Vec<&str> = administrators.iter().map(String::as_str).collect();
        let differences = diff(desired, &management.definitions().await?, &administrators);
        let shovels = management.shovels().await?.map(|said| shovels(desired, &said));
        Ok(Self { differences, shovels })
    }

    /// Whether everything is there and every shovel runs.
    pub(super) fn is_good(&self) -> bool {
        self.differences.is_empty() && self.shovels_run()
    }

    pub(super) fn shovels_run(&self) -> bool {
        self.shovels.iter().flatten().all(|shovel| shovel.state == "running")
    }
}

/// Every shovel that is declared, with what the broker says of it.
fn shovels(desired: &Value, said: &Value) -> Vec<Shovel> {
    let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).map(ToOwned::to_owned);
    let said = said.as_array().map(Vec::as_slice).unwrap_or_default();
    let declared = desired.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    declared
        .iter()
        .filter(|parameter| parameter.get("component").is_some_and(|component| component == "shovel"))
        .filter_map(|parameter| text(parameter, "name"))
        .map(|name| {
            let found = said.iter().find(|shovel| text(shovel, "name").as_ref() == Some(&name));
            let state = found.and_then(|shovel| text(shovel, "state"));
            let reason = found.and_then(|shovel| text(shovel, "reason"));
            Shovel { name, state: state.unwrap_or_else(|| "absent".to_owned()), reason }
        })
        .collect()
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.differences.len() {
            0 => writeln!(f, "topology: as it should be")?,
            count => writeln!(f, "topology: {count} differences")?,
        }
        for difference in &self.differences {
            writeln!(f, "  {}", safe(&difference.to_string()))?;
        }
        let Some(shovels) = &self.shovels else {
            return write!(f, "links: unknown, the plug-in rabbitmq_shovel_management is not enabled");
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
    fn a_shovel_that_is_declared_and_not_there_is_absent() {
        let desired = json!({ "parameters": [
            { "component": "shovel", "name": "tz.urgent" },
            { "component": "shovel", "name": "tz.bulk" },
        ]});
        let said =
            json!([{ "name": "tz.urgent", "state": "running" }, { "name": "other", "state": "running" }]);
        let found = shovels(&desired, &said);
        assert_eq!((found[0].state.as_str(), found[1].state.as_str()), ("running", "absent"));
        assert_eq!(found.len(), 2);
        let state = State { differences: Vec::new(), shovels: Some(found) };
        assert!(!state.is_good(), "a link that does not run is not good");
    }
}
