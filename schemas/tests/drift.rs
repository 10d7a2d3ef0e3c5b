//! The committed files are those generated from the types.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use rovuma_schemas::{MessageType, schema};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn the_committed_schemas_are_the_generated_ones() {
    for file in schema::files() {
        let committed = fs::read_to_string(folder("json").join(&file.path)).unwrap_or_default();
        assert!(
            committed == file.text,
            "schemas/json/{} is not what the types say; run: cargo run -p rovuma-schemas --example generate-schemas",
            file.path
        );
    }
}

#[test]
fn no_schema_is_left_over() {
    let generated: BTreeSet<PathBuf> =
        schema::files().iter().map(|file| folder("json").join(&file.path)).collect();
    let mut committed = BTreeSet::new();
    for group in fs::read_dir(folder("json")).expect("schemas/json") {
        let group = group.expect("an entry").path();
        committed.extend(fs::read_dir(group).expect("a folder").map(|file| file.expect("a file").path()));
    }
    assert_eq!(committed, generated);
}

#[test]
fn the_committed_asyncapi_is_the_generated_one() {
    let committed = fs::read_to_string(folder("asyncapi.yaml")).unwrap_or_default();
    assert!(
        committed == schema::asyncapi(),
        "schemas/asyncapi.yaml is not what the types say; run: cargo run -p rovuma-schemas --example generate-schemas"
    );
    for path in committed.lines().filter_map(|line| line.trim().strip_prefix("$ref: ./")) {
        assert!(folder(path).exists(), "asyncapi.yaml points to {path}, which is not there");
    }
}

#[test]
fn asyncapi_names_every_message_type_wherever_messages_are_listed() {
    let text = schema::asyncapi();
    for kind in MessageType::ALL {
        let key = kind.as_str().replace('.', "_");
        let references = text.matches(&format!("'#/components/messages/{key}'")).count();
        assert_eq!(references, 3, "{kind}: outbound, ingress and inbox");
        for channel in ["outbound", "inbox"] {
            assert!(text.contains(&format!("'#/channels/{channel}/messages/{key}'")), "{kind} on {channel}");
        }
    }
    assert!(!text.contains('@'), "a line of the frame was not filled in");
}
