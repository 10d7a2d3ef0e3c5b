//! The configuration that the README shows.

use std::{collections::HashMap, fs};

use rovuma_runtime::Clock as _;

use super::support::{Fixture, agency};
use crate::{GatewayConfig, exchange::key_check::warnings};

#[test]
fn the_configuration_in_the_readme_is_sound() {
    let readme = include_str!("../../README.md");
    let start = readme.find("```toml\n").expect("an example") + "```toml\n".len();
    let example = readme[start..].split("```").next().expect("its end");
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("gateway.toml");
    std::fs::write(&path, example).expect("written");
    let (config, _) =
        rovuma_runtime::config::load_with_env::<GatewayConfig>(Some(&path), HashMap::new()).expect("sound");
    assert_eq!(config.agencies.len(), 2);
}

/// A gateway starts with keys that no list has, so the check of its configuration warns and names the files.
#[tokio::test]
async fn keys_that_the_trust_list_gives_to_nobody_are_warned_of() {
    let mut fixture = Fixture::start().await;
    let now = fixture.clock.now();
    assert_eq!(warnings(&fixture.config, now), [""; 0]);

    let mut config = fixture.config.clone();
    let [first, second] = &mut config.agencies[..] else { panic!("two agencies") };
    std::mem::swap(&mut first.signing_key_file, &mut second.signing_key_file);
    second.sealing_key_files.clone_from(&first.sealing_key_files);
    let (first, second) = (first.clone(), second.clone());
    let said = warnings(&config, now);
    let [one, two, sealing] = &said[..] else { panic!("{said:?}") };
    for (said, agency, other) in [(one, &first, &second), (two, &second, &first)] {
        let file = agency.signing_key_file.path().display().to_string();
        assert!(said.contains(&format!("the signing key {file} of {}", agency.code)), "{said}");
        assert!(said.contains(&format!("is listed as a key of {}", other.code)), "{said}");
    }
    let file = second.sealing_key_files[0].path().display().to_string();
    assert!(sealing.contains(second.code.as_str()) && sealing.contains(&file), "{sealing}");

    let later = now.plus(std::time::Duration::from_secs(500 * 24 * 3600));
    let said = warnings(&fixture.config, later).join("; ");
    assert!(said.contains("has expired in the trust list"), "{said}");

    let prm = agency("mz.prm");
    fixture.mz.renew_key(&prm, now);
    let said = warnings(&fixture.config, now);
    assert!(said.len() == 1 && said[0].contains("is not listed in the trust list"), "{said:?}");
    fixture.mz.revise();
    fixture.mz.publish(now);
    assert_eq!(warnings(&fixture.config, now), [""; 0]);

    fs::write(fixture.mz.file(), "{").expect("written");
    let said = warnings(&fixture.config, now);
    assert!(said.len() == 1 && said[0].contains("was not read"), "{said:?}");
}
