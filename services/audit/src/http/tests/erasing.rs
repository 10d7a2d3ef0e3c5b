//! Erasing: what events say beyond their leaves goes, and everything that was proven stays proven.

use axum::http::StatusCode;
use rovuma_schemas::audit::{AuditAction, AuditObject};
use rovuma_store::RowExt as _;
use serde_json::{Value, json};

use super::support::Api;
use crate::log::check_edge;

const MESSAGE: &str = "0199c5a1-7b3e-7001-8a10-000000000001";
const BASIS: &str = "Lei n.º 3/2017, art. 63";

/// An event about [`MESSAGE`] with something personal in it, for an agency.
async fn read_by(api: &mut Api, agency: &str, query: &str) -> u64 {
    let event = api.store_event(|event| {
        event.agency = Some(agency.parse().expect("an agency"));
        event.object = Some(AuditObject::new("message", MESSAGE));
        event.details.insert("query".to_owned(), query.to_owned());
    });
    event.await.sequence
}

async fn erase(api: &Api, agency: &str, role: &str, order: &Value) -> (StatusCode, Value) {
    api.post(&api.person("person-1", agency, &[role]), "/v1/erasures", order).await
}

fn order() -> Value {
    json!({ "scope": format!("message/{MESSAGE}"), "legal_basis": BASIS })
}

#[tokio::test]
async fn the_leaf_stays_and_what_was_personal_goes() {
    let mut api = Api::new().await;
    let ours = read_by(&mut api, "mz.prm", "Abdul Saide").await;
    let theirs = read_by(&mut api, "mz.senami", "Abdul Saide").await;
    let epoch = api.gateway.epoch;
    let path = |sequence: u64| format!("/v1/events/{}/{epoch}/{sequence}", api.gateway.source);
    let (_, before) = api.auditor(&path(ours)).await;

    let (status, done) = erase(&api, "mz.prm", "data_protection_officer", &order()).await;
    assert_eq!((status, &done), (StatusCode::OK, &json!({ "entries": 1 })));
    let (_, after) = api.auditor(&path(ours)).await;
    assert_eq!(after["entry"]["leaf"], before["entry"]["leaf"]);
    for member in ["event", "salt"] {
        assert!(before["entry"][member].is_null() != after["entry"][member].is_null(), "{member}: {after}");
    }
    assert!(after["exact"].is_null() && !after.to_string().contains("Abdul"), "{after}");
    let (_, theirs) = api.national(&path(theirs)).await;
    assert_eq!(theirs["entry"]["event"]["details"]["query"], "Abdul Saide", "another agency's");

    let logged = api.own("erase").await;
    assert_eq!(logged[0].object, Some(AuditObject::new("message", MESSAGE)));
    assert_eq!(
        (logged[0].details["legal_basis"].as_str(), logged[0].details["entries"].as_str()),
        (BASIS, "1")
    );
    assert_eq!(logged[0].action, AuditAction::Erase);
    assert!(!logged[0].details.contains_key("remaining"), "that others have it is not told");
    // Everything that is checked at start still holds, and events about it are taken as before.
    check_edge(api.bench.store().read(), &api.bench.intake.sequencer).await.expect("it holds");
    let later = read_by(&mut api, "mz.prm", "again").await;
    assert_eq!(api.auditor(&path_of(&api, later)).await.1["entry"]["event"]["details"]["query"], "again");
}

fn path_of(api: &Api, sequence: u64) -> String {
    format!("/v1/events/{}/{}/{sequence}", api.gateway.source, api.gateway.epoch)
}

#[tokio::test]
async fn with_the_last_of_a_scope_goes_what_its_key_was_made_with() {
    let mut api = Api::new().await;
    for agency in ["mz.prm", "mz.senami"] {
        read_by(&mut api, agency, "Abdul Saide").await;
    }
    let key_salt = async |api: &Api| {
        let row = sqlx::query("SELECT key_salt, erased_at FROM payload_scope WHERE scope = $1")
            .bind(format!("message/{MESSAGE}"))
            .fetch_one(api.bench.store().read())
            .await
            .expect("reads");
        let salt: Option<Vec<u8>> = sqlx::Row::get(&row, "key_salt");
        (salt, row.opt_instant("erased_at").expect("an instant"))
    };
    let (before, never) = key_salt(&api).await;
    assert!(before.is_some() && never.is_none());
    let (status, done) = erase(&api, "mz.node", "data_protection_officer", &order()).await;
    assert_eq!((status, &done), (StatusCode::OK, &json!({ "entries": 2, "remaining": 0 })));
    let (after, erased) = key_salt(&api).await;
    assert!(after.is_none() && erased.is_some());
    // What comes after has another key, and the order stands where no order reaches it.
    read_by(&mut api, "mz.prm", "again").await;
    assert!(key_salt(&api).await.0.is_some_and(|after| Some(after) != before));
    assert_eq!(erase(&api, "mz.node", "data_protection_officer", &order()).await.0, StatusCode::OK);
    let orders = api.own("erase").await;
    assert_eq!(orders.len(), 2);
    for scope in ["log/mz.audit", "actor/mz.audit"] {
        let order = json!({ "scope": scope, "legal_basis": BASIS });
        let (status, _) = erase(&api, "mz.node", "data_protection_officer", &order).await;
        assert!(status == StatusCode::BAD_REQUEST || status == StatusCode::NOT_FOUND, "{scope}: {status}");
    }
}

#[tokio::test]
async fn nobody_erases_what_the_log_says_of_them() {
    let api = Api::new().await;
    for (scope, dry_run) in [("actor/person-1", false), ("user/person-1", false), ("actor/person-1", true)] {
        let order = json!({ "scope": scope, "legal_basis": BASIS, "dry_run": dry_run });
        let (status, refused) = erase(&api, "mz.prm", "data_protection_officer", &order).await;
        assert_eq!((status, &refused["code"]), (StatusCode::FORBIDDEN, &json!("own_account")), "{scope}");
    }
    assert_eq!(api.own("erase").await.len(), 3, "each attempt is in the log");
}

#[tokio::test]
async fn an_entry_that_was_erased_names_the_order() {
    let mut api = Api::new().await;
    let ours = read_by(&mut api, "mz.prm", "Abdul Saide").await;
    erase(&api, "mz.prm", "data_protection_officer", &order()).await;
    let (_, erased) = api.auditor(&path_of(&api, ours)).await;
    let (_, found) = api.auditor("/v1/events?action=erase").await;
    assert_eq!(erased["entry"]["erased_by"], found["items"][0]["index"]);
    assert_eq!(found["items"][0]["event"]["details"]["legal_basis"], BASIS);
}

#[tokio::test]
async fn a_case_is_erased_with_its_messages_and_its_reference_stands_nowhere() {
    let mut api = Api::new().await;
    api.store_event(|event| {
        event.object = Some(AuditObject::new("message", MESSAGE));
        event.details.insert("reference".to_owned(), "Caso Abdul Saide".to_owned());
    })
    .await;
    read_by(&mut api, "mz.prm", "Abdul Saide").await;
    read_by(&mut api, "mz.senami", "Abdul Saide").await;
    let order = json!({ "scope": "reference/caso abdul  saide", "legal_basis": BASIS });
    let (status, done) = erase(&api, "mz.prm", "data_protection_officer", &order).await;
    assert_eq!((status, &done), (StatusCode::OK, &json!({ "entries": 2 })));
    let found = api.national("/v1/events?reference=Caso%20Abdul%20Saide").await.1;
    let items = found["items"].as_array().expect("items");
    // The order, what is left of the two, and the other agency's.
    assert_eq!(items.iter().filter(|item| item["event"].is_null()).count(), 2, "{found}");
    assert_eq!(items.len(), 4, "{found}");
    assert!(!items[0].to_string().to_lowercase().contains("saide"), "the order names nobody: {}", items[0]);
    // Nor do the events of auditors who looked for it, or the names of what was sealed.
    let logged = [api.own("audit.search").await, api.own("erase").await].concat();
    assert!(!format!("{logged:?}").to_lowercase().contains("saide"), "{logged:?}");
    let scopes = sqlx::query("SELECT scope FROM payload_scope").fetch_all(api.bench.store().read()).await;
    for row in scopes.expect("reads") {
        let scope: String = sqlx::Row::get(&row, "scope");
        assert!(!scope.to_lowercase().contains("saide"), "{scope}");
    }
}

#[tokio::test]
async fn a_case_without_a_message_is_erased_however_its_reference_is_spelt() {
    let mut api = Api::new().await;
    api.store_event(|event| {
        event.object = None;
        event.details.insert("reference".to_owned(), "Caso Abdul Saide".to_owned());
    })
    .await;
    let order = json!({ "scope": "reference/CASO  abdul saide", "legal_basis": BASIS });
    let (status, done) = erase(&api, "mz.prm", "data_protection_officer", &order).await;
    assert_eq!((status, &done), (StatusCode::OK, &json!({ "entries": 1 })));
}

#[tokio::test]
async fn what_another_agency_calls_a_case_is_not_the_own_case() {
    let mut api = Api::new().await;
    // A message of somebody else, received under their reference.
    api.store_event(|event| {
        event.action = AuditAction::MessageReceive;
        event.object = Some(AuditObject::new("message", MESSAGE));
        event.details.insert("reference".to_owned(), "12/2026".to_owned());
    })
    .await;
    let order = json!({ "scope": "reference/12/2026", "legal_basis": BASIS });
    let (status, _) = erase(&api, "mz.prm", "data_protection_officer", &order).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    // Nor does it find what is the own agency's.
    read_by(&mut api, "mz.senami", "x").await;
    let found = api.auditor("/v1/events?reference=12/2026").await.1;
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1));
    let found =
        api.get(&api.person("auditor-2", "mz.senami", &["auditor"]), "/v1/events?reference=12/2026").await.1;
    assert_eq!(found["items"], json!([]));
}

#[tokio::test]
async fn what_is_erased_is_overwritten_in_the_file() {
    if rovuma_lab::postgres::tests_use_postgres() {
        return;
    }
    let mut api = Api::new().await;
    read_by(&mut api, "mz.prm", "Abdul Saide").await;
    let row = sqlx::query(
        "SELECT p.sealed FROM payload p JOIN payload_scope s ON s.scope_id = p.scope_id WHERE s.scope = $1",
    )
    .bind(format!("message/{MESSAGE}"))
    .fetch_one(api.bench.store().read())
    .await
    .expect("reads");
    let sealed: Vec<u8> = sqlx::Row::get(&row, "sealed");
    // In the store's file, or in the write-ahead log beside it.
    let contains = |api: &Api| {
        ["log.db", "log.db-wal"].iter().any(|name| {
            let file = std::fs::read(api.bench.dir.path().join(name)).unwrap_or_default();
            file.windows(32).any(|window| window == &sealed[8..40])
        })
    };
    assert!(contains(&api), "it was there");
    erase(&api, "mz.prm", "data_protection_officer", &order()).await;
    assert!(!contains(&api), "and is overwritten");
}

#[tokio::test]
async fn nobody_else_erases_and_every_refusal_is_written_down() {
    let mut api = Api::new().await;
    read_by(&mut api, "mz.prm", "Abdul Saide").await;
    for (agency, role) in [
        ("mz.prm", "auditor"),
        ("mz.prm", "liaison_officer"),
        ("mz.prm", "agency_admin"),
        ("mz.node", "auditor"),
        ("tz.tpf", "data_protection_officer"),
    ] {
        let (status, _) = erase(&api, agency, role, &order()).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{role} of {agency}");
    }
    assert_eq!(api.own("access.refuse").await.len(), 5);
    for (what, bad) in [
        ("no basis", json!({ "scope": "message/x", "legal_basis": "" })),
        ("a basis of one letter", json!({ "scope": "message/x", "legal_basis": "x" })),
        ("a basis without words", json!({ "scope": "message/x", "legal_basis": ".........." })),
        ("a basis of two lines", json!({ "scope": "message/x", "legal_basis": "Lei n.º 3/2017,\nart. 63" })),
        ("no kind", json!({ "scope": MESSAGE, "legal_basis": BASIS })),
        ("more than is asked", json!({ "scope": "message/x", "legal_basis": BASIS, "all": true })),
        ("nothing", json!(null)),
    ] {
        let (status, problem) = erase(&api, "mz.prm", "data_protection_officer", &bad).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some("body")), "{what}");
    }
    // Of what is unknown, and of what is others' alone, nothing is said.
    read_by(&mut api, "mz.senami", "Abdul Saide").await;
    let unknown = json!({ "scope": "message/none", "legal_basis": BASIS });
    for (agency, order) in [("mz.prm", &unknown), ("mz.sernic", &order())] {
        let (status, _) = erase(&api, agency, "data_protection_officer", order).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{agency}");
    }
    assert!(api.own("erase").await.is_empty());
}

#[tokio::test]
async fn a_dry_run_counts_and_erases_nothing() {
    let mut api = Api::new().await;
    read_by(&mut api, "mz.prm", "Abdul Saide").await;
    read_by(&mut api, "mz.prm", "Abdul Saide").await;
    read_by(&mut api, "mz.senami", "Abdul Saide").await;
    let mut dry = order();
    dry["dry_run"] = json!(true);
    for (agency, counted) in
        [("mz.prm", json!({ "entries": 2 })), ("mz.node", json!({ "entries": 3, "remaining": 0 }))]
    {
        assert_eq!(erase(&api, agency, "data_protection_officer", &dry).await, (StatusCode::OK, counted));
    }
    let (status, _) = erase(&api, "mz.sernic", "data_protection_officer", &dry).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = erase(&api, "mz.prm", "auditor", &dry).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(api.own("erase").await.is_empty());
    let asked = api.own("audit.read").await;
    assert_eq!(asked.len(), 3);
    assert_eq!((asked[0].details["view"].as_str(), asked[0].details["found"].as_str()), ("erasure", "2"));
    // It counts what an order then erases.
    let (_, done) = erase(&api, "mz.prm", "data_protection_officer", &order()).await;
    assert_eq!(done, json!({ "entries": 2 }));
}

#[tokio::test]
async fn a_search_says_who_erased_an_entry_and_why_to_those_who_may_know() {
    let mut api = Api::new().await;
    read_by(&mut api, "mz.prm", "Abdul Saide").await;
    let (status, _) = erase(&api, "mz.node", "data_protection_officer", &order()).await;
    assert_eq!(status, StatusCode::OK);
    let path = format!("/v1/events?message={MESSAGE}&action=message.read");
    let (own, national) = (api.auditor(&path).await.1, api.national(&path).await.1);
    let erasure = |page: &Value| page["items"][0]["erasure"].clone();
    let at = api.own("erase").await[0].time;
    assert_eq!(erasure(&own), json!({ "at": at, "agency": "mz.node" }), "the country's order");
    assert_eq!(erasure(&national), json!({ "at": at, "agency": "mz.node", "legal_basis": BASIS }));
    read_by(&mut api, "mz.prm", "again").await;
    let newer = api.auditor(&path).await.1;
    assert!(newer["items"][0]["erasure"].is_null() && !newer["items"][1]["erasure"].is_null(), "{newer}");
}
