//! The committed description of the API is what the routes say. `ROVUMA_REWRITE=1` writes it anew.

use std::path::Path;

use serde_json::Value;

#[test]
fn the_committed_description_is_up_to_date() {
    let derived = rovuma_identity::openapi().to_pretty_json().expect("JSON") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/openapi/identity.json");
    if std::env::var_os("ROVUMA_REWRITE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        std::fs::write(&path, &derived).expect("written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == derived, "{} is out of date: ROVUMA_REWRITE=1 writes it anew", path.display());
}

#[test]
fn the_description_is_openapi_3_1_and_every_route_needs_a_token() {
    let document = serde_json::to_value(rovuma_identity::openapi()).expect("JSON");
    assert!(document["openapi"].as_str().expect("a version").starts_with("3.1"));
    assert_eq!(document["security"], serde_json::json!([{"bearer": []}]));
    let paths = document["paths"].as_object().expect("paths");
    assert!(paths.keys().all(|path| path.starts_with("/v1/")));
    let mut names = std::collections::BTreeSet::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("an item") {
            let is_public = path == "/v1/openapi.json";
            assert_eq!(operation["responses"].get("401").is_some(), !is_public, "{method} {path}");
            assert_eq!(operation.get("security").is_some(), is_public, "{method} {path}");
            let name = operation["operationId"].as_str().expect("a name");
            assert!(names.insert(name.to_owned()), "{name} is the name of two operations");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = serde_json::to_value(rovuma_identity::openapi()).expect("JSON");
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("within the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| collect(member, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}
