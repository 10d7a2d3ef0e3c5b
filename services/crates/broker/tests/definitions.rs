//! The committed definitions are what the table gives. `ROVUMA_REWRITE=1` writes them anew.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rovuma_broker::topology::{NodeSpec, definitions};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/rabbitmq")
}

fn spec(country: &str) -> NodeSpec {
    let file = config::File::from(folder().join(format!("node-{country}.toml")));
    let read = config::Config::builder().add_source(file).build().expect("the file");
    read.try_deserialize().expect("a specification")
}

fn compare(country: &str) {
    let derived = definitions(&spec(country)).expect("a sound specification");
    let derived = serde_json::to_string_pretty(&derived).expect("JSON") + "\n";
    let path = folder().join(format!("definitions-{country}.json"));
    if std::env::var_os("ROVUMA_REWRITE").is_some() {
        fs::write(&path, &derived).expect("written");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == derived, "{} is out of date: ROVUMA_REWRITE=1 writes it anew", path.display());
}

#[test]
fn the_definitions_of_mozambique_are_what_the_table_gives() {
    compare("mz");
}

#[test]
fn the_definitions_of_tanzania_are_what_the_table_gives() {
    compare("tz");
}

#[test]
fn no_pattern_is_open_at_either_end() {
    for country in ["mz", "tz"] {
        let definitions = definitions(&spec(country)).expect("a sound specification");
        for permission in definitions["permissions"].as_array().expect("a list") {
            assert_eq!(permission["configure"], "^$", "{permission}");
            for right in ["write", "read"] {
                let pattern = permission[right].as_str().expect("a pattern");
                assert!(pattern.starts_with('^') && pattern.ends_with('$'), "{permission}");
                assert!(!pattern.contains('*') && !pattern.contains('+'), "{permission}");
            }
        }
        for permission in definitions["topic_permissions"].as_array().expect("a list") {
            assert!(permission["write"].as_str().expect("a pattern").starts_with('^'), "{permission}");
            assert_eq!(permission["read"], "^$", "{permission}");
        }
    }
}

/// A queue without a bound fills the disk, and RabbitMQ then stops every publisher of the node.
#[test]
fn every_queue_is_bounded_and_drops_only_what_is_said_again() {
    for country in ["mz", "tz"] {
        let definitions = definitions(&spec(country)).expect("a sound specification");
        for queue in definitions["queues"].as_array().expect("a list") {
            let (name, arguments) = (queue["name"].as_str().expect("a name"), &queue["arguments"]);
            let bound = ["x-max-length", "x-max-length-bytes"].iter().find_map(|key| arguments[key].as_u64());
            assert!(bound.is_some_and(|bound| bound > 0), "{name} has no bound");
            let keeps = ["inbox.", "link.", "audit.ingest"].iter().any(|kind| name.starts_with(kind));
            let expected = if keeps { "reject-publish" } else { "drop-head" };
            assert_eq!(arguments["x-overflow"], expected, "{name}");
        }
    }
}
