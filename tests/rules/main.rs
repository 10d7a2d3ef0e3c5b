//! Rules of the repository that must never be broken unseen: those of `deny.toml`, checked over `cargo metadata` with
//! no tool to install, those for the steps of a database schema, and those for
//! the layers inside the gateway.

mod layers;
mod migrations;

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Package};

/// Crates that must not be anywhere in the graph: a second TLS or crypto stack, and the broken ciphers of PKCS #12.
const BANNED: [&str; 10] = [
    "openssl",
    "openssl-sys",
    "native-tls",
    "aws-lc-rs",
    "aws-lc-sys",
    "boring",
    "pkcs12",
    "p12-keystore",
    "des",
    "rc2",
];

/// Crates that only the named members may depend on directly.
const NAMED_ONLY_BY: [(&str, &[&str]); 3] = [
    ("lapin", &["rovuma-broker"]),
    ("jsonwebtoken", &["rovuma-tokens"]),
    ("ring", &["rovuma-envelope", "rovuma-tokens", "rovuma-tlog", "rovuma-audit"]),
];

/// The services: they share `schemas` and the libraries, and never depend on each other.
const SERVICES: [&str; 5] =
    ["rovuma-gateway", "rovuma-identity", "rovuma-audit", "rovuma-watchlist", "rovuma-rovumactl"];

/// Libraries without I/O: nothing that opens a socket, a file or a database may reach them.
const WITHOUT_IO: [&str; 5] =
    ["rovuma-schemas", "rovuma-envelope", "rovuma-policy", "rovuma-tlog", "rovuma-evidence"];

/// What opens sockets, files or databases.
const DOES_IO: [&str; 7] = ["tokio", "lapin", "sqlx", "axum", "reqwest", "rovuma-runtime", "rovuma-files"];

/// Licences that go with Apache-2.0; the list is `deny.toml`'s.
const LICENCES: [&str; 15] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "MIT",
    "MIT-0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "CC0-1.0",
    "Unicode-3.0",
    "Unlicense",
    "MPL-2.0",
    "CDLA-Permissive-2.0",
    "BSL-1.0",
];

/// Describes the whole lock file, crates of other platforms included. No build downloads those: cargo fetches what it
/// lacks here, and needs no network where `tests/run` has fetched everything before.
fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .features(CargoOpt::AllFeatures)
        .other_options(["--locked".to_owned()])
        .exec()
        .expect("cargo describes the workspace")
}

fn normal_dependencies(package: &Package) -> impl Iterator<Item = String> + '_ {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == DependencyKind::Normal)
        .map(|dependency| dependency.name.clone())
}

/// Every package that a member reaches through ordinary dependencies.
fn reached_from(metadata: &Metadata, member: &str) -> BTreeSet<String> {
    let resolve = metadata.resolve.as_ref().expect("cargo resolves the workspace");
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let start = metadata.workspace_packages().into_iter().find(|package| package.name == member);
    let mut waiting = vec![&start.expect("the member exists").id];
    let mut seen = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        for dependency in &nodes[id].deps {
            let ordinary = dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            if ordinary && seen.insert(&dependency.pkg) {
                waiting.push(&dependency.pkg);
            }
        }
    }
    metadata
        .packages
        .iter()
        .filter(|package| seen.contains(&package.id))
        .map(|package| package.name.to_string())
        .collect()
}

#[test]
fn there_is_one_tls_and_one_crypto_stack() {
    let reached: Vec<String> = metadata()
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .filter(|name| BANNED.contains(&name.as_str()))
        .collect();
    // `cargo metadata` lists optional dependencies that nothing switches on; those are not resolved.
    let built: BTreeSet<String> = metadata()
        .resolve
        .expect("cargo resolves the workspace")
        .nodes
        .iter()
        .map(|node| node.id.repr.clone())
        .collect();
    let offenders: Vec<&String> =
        reached.iter().filter(|name| built.iter().any(|id| id.contains(&format!("#{name}@")))).collect();
    assert!(offenders.is_empty(), "banned crates are built: {offenders:?}");
}

#[test]
fn only_the_crate_meant_for_it_names_a_foreign_stack() {
    for package in metadata().workspace_packages() {
        for dependency in &package.dependencies {
            for (foreign, allowed) in NAMED_ONLY_BY {
                assert!(
                    dependency.name != foreign || allowed.contains(&package.name.as_str()),
                    "{} names {foreign}; only {allowed:?} may",
                    package.name
                );
            }
        }
    }
}

#[test]
fn services_do_not_depend_on_each_other() {
    for package in metadata().workspace_packages() {
        if !SERVICES.contains(&package.name.as_str()) {
            continue;
        }
        for dependency in normal_dependencies(package) {
            assert!(!SERVICES.contains(&dependency.as_str()), "{} depends on {dependency}", package.name);
        }
    }
}

#[test]
fn no_library_depends_on_the_shared_part_of_the_apis() {
    for package in metadata().workspace_packages() {
        let depends = normal_dependencies(package).any(|dependency| dependency == "rovuma-api");
        assert!(!depends || SERVICES.contains(&package.name.as_str()), "{} does", package.name);
    }
}

#[test]
fn the_inner_crates_do_no_io() {
    let metadata = metadata();
    for member in WITHOUT_IO {
        let reached = reached_from(&metadata, member);
        for foreign in DOES_IO {
            assert!(!reached.contains(foreign), "{member} reaches {foreign}");
        }
    }
}

#[test]
fn every_licence_goes_with_ours() {
    for package in metadata().packages {
        let licence = package.license.clone().unwrap_or_default();
        assert!(is_allowed(&licence), "{} has the licence {licence:?}", package.name);
    }
}

/// Reads the part of SPDX expressions that occurs: `AND` over `OR` groups, `/` as the old `OR`.
fn is_allowed(expression: &str) -> bool {
    expression.replace(['(', ')'], "").split(" AND ").all(|group| {
        group.replace('/', " OR ").split(" OR ").any(|licence| LICENCES.contains(&licence.trim()))
    })
}

#[test]
fn the_licence_reader_refuses_what_is_not_listed() {
    assert!(is_allowed("MIT OR LGPL-2.1-or-later"));
    assert!(is_allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(!is_allowed("GPL-3.0-only"));
    assert!(!is_allowed("MIT AND GPL-3.0-only"));
    assert!(!is_allowed(""));
}
