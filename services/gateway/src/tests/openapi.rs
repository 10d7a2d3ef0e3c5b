//! The committed OpenAPI document is the one generated from the routes. `ROVUMA_REWRITE=1` writes it anew.

use std::path::PathBuf;

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

/// An answer describes its states in `rovuma-api`, and a filter takes them from the domain.
#[test]
fn answers_and_filters_know_the_same_states() {
    let document: serde_json::Value = serde_json::from_str(&crate::openapi()).expect("JSON");
    for (path, filter, schema) in
        [("/v1/drafts", "state", "DraftState"), ("/v1/inbox", "disposition", "Disposition")]
    {
        let parameters = document["paths"][path]["get"]["parameters"].as_array().expect("parameters");
        let parameter = parameters.iter().find(|parameter| parameter["name"] == filter).expect("the filter");
        let listed = |value: &serde_json::Value| serde_json::to_string(&value["enum"]).expect("JSON");
        let (answered, filtered) =
            (&document["components"]["schemas"][schema], parameter["schema"].to_string());
        assert!(filtered.contains(&listed(answered)), "{schema}: {answered} {filtered}");
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
