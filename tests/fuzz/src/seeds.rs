//! Every seed, former crashes included, passes its target, without libFuzzer.

use std::{fs, path::Path};

#[test]
fn every_seed_holds() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus-seeds");
    for (name, run) in crate::TARGETS {
        let folder = fs::read_dir(seeds.join(name)).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let mut files: Vec<_> = folder.map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has no seeds");
        for file in files {
            println!("{}", file.display());
            run(&fs::read(&file).expect("a file"));
        }
    }
}

#[test]
fn every_target_is_built_and_there_is_no_other() {
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).expect("the manifest");
    let built: Vec<&str> = manifest
        .split("[[bin]]\nname = \"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap_or_default())
        .collect();
    assert_eq!(built, crate::TARGETS.map(|(name, _)| name));
}
