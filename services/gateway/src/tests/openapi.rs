//! The committed OpenAPI document is the one generated from the routes. `ROVUMA_REWRITE=1` writes it anew.

use std::path::PathBuf;

use crate::{
    drafts::state::DraftState,
    messages::{received::Disposition, sent_list::CopyFilter},
};

#[test]
fn the_committed_openapi_document_is_the_generated_one() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schemas/openapi/gateway.json");
    let generated = crate::openapi();
    if std::env::var_os("ROVUMA_REWRITE").is_some() {
        std::fs::write(&path, &generated).expect("written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "{} is out of date: ROVUMA_REWRITE=1 writes it anew", path.display());
}

/// `rovuma-api` describes the states that filters take and answers show; the domain has the same words.
#[test]
fn answers_and_filters_know_the_same_states() {
    let document: serde_json::Value = serde_json::from_str(&crate::openapi()).expect("JSON");
    let states = DraftState::ALL.map(DraftState::as_str);
    let dispositions = Disposition::ALL.map(Disposition::as_str);
    let copies = CopyFilter::ALL.map(CopyFilter::as_str);
    for (path, filter, words) in [
        ("/v1/drafts", "state", states.as_slice()),
        ("/v1/inbox", "disposition", &dispositions),
        ("/v1/sent", "state", &copies),
    ] {
        let parameters = document["paths"][path]["get"]["parameters"].as_array().expect("parameters");
        let parameter = parameters.iter().find(|parameter| parameter["name"] == filter).expect("the filter");
        let listed = format!("\"enum\":{}", serde_json::to_string(words).expect("JSON"));
        assert!(parameter["schema"].to_string().contains(&listed), "{path}: {listed} in {parameter}");
    }
    for (schema, words) in [("DraftState", states.as_slice()), ("Disposition", &dispositions)] {
        assert_eq!(document["components"]["schemas"][schema]["enum"], serde_json::json!(words), "{schema}");
    }
}

#[test]
fn references_lead_somewhere() {
    let schemas = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schemas/openapi");
    let text = crate::openapi();
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for reference in text.split("\"$ref\": \"").skip(1) {
        let target = reference.split('"').next().expect("a reference");
        match target.strip_prefix('#') {
            Some(pointer) => assert!(document.pointer(pointer).is_some(), "{target}"),
            None => assert!(schemas.join(target).exists(), "{target}"),
        }
    }
}
