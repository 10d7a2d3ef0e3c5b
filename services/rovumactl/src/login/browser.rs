//! Opens a browser where there is a desktop. The address is printed in any case.

use std::process::{Command, Stdio};

/// Tries to open `url`. Failing to do so is no error.
pub(super) fn open(url: &str) {
    let desktop = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|variable| std::env::var_os(variable).is_some());
    if desktop {
        // The browser runs on after this process, on purpose; ending it is up to the user.
        let _ = Command::new("xdg-open")
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
    }
}
