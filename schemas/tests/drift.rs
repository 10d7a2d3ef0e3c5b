//! What is committed is what the types say.

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
fn asyncapi_names_every_message_type_and_no_other() {
    let text = fs::read_to_string(folder("asyncapi.yaml")).expect("asyncapi.yaml");
    let after = |mark: &str| -> BTreeSet<String> {
        text.lines().filter_map(|line| line.strip_prefix(mark)).map(str::to_owned).collect()
    };
    let types: BTreeSet<String> = MessageType::ALL.iter().map(ToString::to_string).collect();
    let audit = ["audit.batch", "audit.ack"].map(str::to_owned);
    // The names of messages stand at this depth, and nothing else does.
    assert_eq!(after("      name: "), types.iter().cloned().chain(audit).collect());
    for path in after("          $ref: ./") {
        assert!(folder(&path).exists(), "asyncapi.yaml points to {path}, which is not there");
    }
    for known in &types {
        let key = known.replace('.', "_");
        for place in ["outbound", "inbox"] {
            let reference = format!("'#/channels/{place}/messages/{key}'");
            assert!(
                text.contains(&reference),
                "asyncapi.yaml: {known} is missing in an operation on {place}"
            );
        }
    }
}
