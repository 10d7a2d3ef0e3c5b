//! The configuration that the README shows.

use std::collections::HashMap;

use crate::GatewayConfig;

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
