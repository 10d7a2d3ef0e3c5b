//! Schemathesis makes requests out of our OpenAPI documents, as somebody of each role.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use rovuma_lab::country::WATCHLIST;
use rovuma_policy::{Action, Actor, Context, Policy, Resource, ResourceKind, Role};
use rovuma_schemas::{AgencyCode, MessageType};
use rovuma_tests::{Caller, Lab, drafts, routes};
use serde_json::{Value, json};

use crate::desk::{ScriptFolder, schema_file};

/// The agency whose people and machines call.
const AGENCY: &str = "mz.prm";

/// The same requests in each run: what fails once fails again.
const SEED: u64 = 14;

/// Valid requests, and as many faulty ones, for each operation and caller: about 9,000 requests in all, which take two minutes.
const CASES: u32 = 8;

const SERVICES: [&str; 4] = ["gateway", "identity", "audit", WATCHLIST];

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_no_answer_that_is_not_documented() -> Result<()> {
    let mut lab = Lab::start().await?;
    lab.border.mz.start_watchlist().await?;
    // So that lists are not empty.
    lab.send(AGENCY, &drafts::motorcycle(&["tz.tpf"])).await?;
    lab.send("tz.tpf", &drafts::motorcycle(&[AGENCY])).await?;
    let folder = ScriptFolder::new()?;
    let mut callers = Vec::new();
    for caller in lab.everybody(AGENCY).await? {
        callers.push(caller_facts(&folder, &caller)?);
    }
    let country = lab.country("mz");
    let services: Vec<Value> = SERVICES
        .into_iter()
        .map(|name| {
            let document = schema_file(&format!("openapi/{name}.json"));
            Ok(json!({ "name": name, "url": country.url(name)?, "document": document }))
        })
        .collect::<Result<_>>()?;
    let facts = json!({ "seed": SEED, "cases": CASES, "services": services, "callers": callers });
    folder.run_long_with_requirements("requests_by_role.py", &facts).await?;

    // Requests that all fail, or all succeed, would test little.
    let counts: BTreeMap<String, BTreeMap<String, u64>> =
        serde_json::from_slice(&folder.answer("counts.json")?)?;
    for service in SERVICES {
        let statuses = counts.get(service).with_context(|| format!("no request to {service}"))?;
        for status in ["200", "400", "403", "404"] {
            assert!(statuses.contains_key(status), "{service} never answered {status}: {statuses:?}");
        }
    }
    Ok(())
}

/// The caller as the script knows them.
fn caller_facts(folder: &ScriptFolder, caller: &Caller) -> Result<Value> {
    let token = caller.api.token().context("a token")?;
    let token_file = folder.put(&format!("{}.token", caller.role), token)?;
    let mut forbidden = BTreeMap::new();
    for service in SERVICES {
        // What a route asks may depend on the request: it is forbidden to whoever may do none of it.
        let mut operations = BTreeMap::new();
        for (operation, action) in actions(service)? {
            *operations.entry(operation).or_insert(true) &= is_forbidden(&caller.actor, action)?;
        }
        let operations: Vec<String> =
            operations.into_iter().filter_map(|(id, is_forbidden)| is_forbidden.then_some(id)).collect();
        forbidden.insert(service, operations);
    }
    Ok(json!({ "role": caller.role, "token_file": token_file, "forbidden": forbidden }))
}

/// What each operation of a service asks the policy; those that ask nothing are left out.
fn actions(service: &str) -> Result<Vec<(String, Action)>> {
    if service == "gateway" {
        let operations = routes::operations()?.into_iter();
        return Ok(operations.filter_map(|operation| Some((operation.id, operation.action?))).collect());
    }
    let text = std::fs::read_to_string(schema_file(&format!("openapi/{service}.json")))?;
    let document: Value = serde_json::from_str(&text)?;
    let items = document["paths"].as_object().context("paths")?.values();
    let operations = items.filter_map(Value::as_object).flat_map(|item| item.values());
    let mut found = Vec::new();
    for operation in operations {
        let id = operation["operationId"].as_str().context("an operationId")?;
        let action = match id {
            "read_openapi" => continue,
            "list_names" => Action::NameRead,
            "list_users" | "read_user" => Action::UserList,
            "create_user" => Action::UserCreate,
            "change_user" | "reset_user_password" => Action::UserChange,
            "set_user_roles" => Action::RoleChange,
            "list_clients" | "read_client" => Action::ClientList,
            "create_client" => Action::ClientCreate,
            "change_client" | "renew_client_secret" => Action::ClientChange,
            "search" | "count" | "evidence" | "export" | "list_queries" | "save_query" | "forget_query"
            | "reconcile" | "checkpoint" | "pruned" => Action::AuditSearch,
            "read" | "read_proof" => Action::AuditReadEvent,
            "list" | "list_logs" => Action::AuditReadSources,
            "order" => Action::AuditErase,
            "screen" => {
                found.push((id.to_owned(), Action::ScreenLookup));
                Action::ScreenCrossing
            }
            "list_expected" => Action::ScreenCrossing,
            "list_lists" | "list_rules" => Action::WatchlistRead,
            "import_list" | "propose_list_removal" | "approve_list" => Action::ListImport,
            "list_candidates" | "show_candidate" | "list_innocents" => Action::CandidateRead,
            "decide_candidate" | "note_notice" | "approve_innocent" => Action::CandidateDecide,
            "propose_rule" | "approve_rule" => Action::RuleChange,
            _ => bail!("{service} has an operation {id}: say here what it asks the access policy"),
        };
        found.push((id.to_owned(), action));
    }
    Ok(found)
}

/// Whether the policy permits it in no circumstances, to whatever of the caller's own agency.
fn is_forbidden(actor: &Actor, action: Action) -> Result<bool> {
    let agency: AgencyCode = AGENCY.parse()?;
    let authors = [actor.subject(), "somebody-else"];
    let resources: Vec<Resource> = match action.resource_kind() {
        ResourceKind::Agency => vec![Resource::agency(&agency)],
        ResourceKind::Draft => {
            // What is reserved for supervisors, they may also write.
            let of_type = |kind| authors.map(|author| Resource::draft("one", &agency, author, kind));
            MessageType::operational().flat_map(of_type).collect()
        }
        ResourceKind::Message => vec![Resource::message("one", &agency)],
        ResourceKind::Case => vec![Resource::case("one", &agency)],
        ResourceKind::Account => authors.map(|holder| Resource::account(holder, &agency)).into(),
        ResourceKind::AuditLog => vec![Resource::audit_log(&agency)],
        ResourceKind::AuditEvent => vec![Resource::audit_event("one", &agency)],
    };
    let circumstances = match action {
        Action::DraftRelease => {
            vec![Context::release(false), Context::release(true), Context::release(true).in_emergency(true)]
        }
        Action::MessageRead => vec![Context::read(false), Context::read(true)],
        _ => vec![Context::NONE],
    };
    let policy = Policy::built_in();
    let permits = |resource: &Resource| {
        circumstances.iter().any(|context| policy.decide(actor, action, resource, context).is_permit())
    };
    Ok(!resources.iter().any(permits))
}

#[test]
fn every_role_is_forbidden_something_and_permitted_something_somewhere() -> Result<()> {
    let agency: AgencyCode = AGENCY.parse()?;
    let mut permitted = 0;
    for role in Role::ALL {
        let actor = match role.is_for_machines() {
            true => Actor::machine("somebody", &agency, [role]),
            false => Actor::person("somebody", &agency, [role]),
        };
        let mut forbidden = 0;
        for service in SERVICES {
            for (_, action) in actions(service)? {
                match is_forbidden(&actor, action)? {
                    true => forbidden += 1,
                    false => permitted += 1,
                }
            }
        }
        assert!(forbidden > 0, "{role}");
    }
    assert!(permitted > 50, "{permitted}");
    Ok(())
}
