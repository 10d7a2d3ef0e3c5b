//! The committed OpenAPI document is the one generated from the routes. `ROVUMA_REWRITE=1` writes it anew.

use std::path::PathBuf;

#[test]
fn the_committed_openapi_document_is_the_generated_one() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schemas/openapi/watchlist.json");
    let generated = crate::openapi();
    if std::env::var_os("ROVUMA_REWRITE").is_some() {
        std::fs::write(&path, &generated).expect("written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "{} is out of date: ROVUMA_REWRITE=1 writes it anew", path.display());
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
