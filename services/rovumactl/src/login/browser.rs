//! Opening a browser where there is a desktop; the address is printed anyway.

use std::process::{Command, Stdio};

/// Tries to open `url`; that it does not work is no failure.
pub(super) fn open(url: &str) {
    let desktop = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|variable| std::env::var_os(variable).is_some());
    if desktop {
        // The child outlives us on purpose, and is the user's, not ours, to end.
        let _ = Command::new("xdg-open")
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
    }
}
