//! `deploy/quickstart` itself, in a fresh clone: what it does before anything is built.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A clone with nothing but the script, and a `cargo` that says that it was called.
struct Clone {
    folder: tempfile::TempDir,
}

impl Clone {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let deploy = folder.path().join("deploy");
        fs::create_dir(&deploy).expect("made");
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for name in ["quickstart", "quickstart.txt", "packages.sh"] {
            fs::copy(own.join(name), deploy.join(name)).expect("copied");
        }
        let clone = Self { folder };
        clone.program("bin/cargo", "touch \"$(dirname \"$0\")/built\"; exit 1");
        clone
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("mode set");
    }

    /// A folder as a quickstart leaves it.
    fn made(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir(&path).expect("made");
        fs::write(path.join("quickstart.lock"), "").expect("written");
        path
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new(self.path("deploy/quickstart"));
        command.args(arguments).env("PATH", path).current_dir("/").output().expect("runs")
    }
}

#[test]
fn help_builds_nothing() {
    let clone = Clone::new();
    for argument in ["--help", "-h"] {
        let output = clone.run(&[argument]);
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("--folder"), "{output:?}");
    }
    assert!(!clone.path("bin/built").exists(), "it was built");
}

#[test]
fn clean_removes_the_folder_that_is_named_and_no_other() {
    let clone = Clone::new();
    for arguments in [["--folder", "other", "--clean"], ["--clean", "--folder", "other"]] {
        let (usual, other) = (clone.path(".rovuma"), clone.made("other"));
        if !usual.exists() {
            clone.made(".rovuma");
        }
        let output = clone.run(&arguments);
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("other"), "{output:?}");
        assert!(usual.exists() && !other.exists(), "{arguments:?}");
    }
    let third = clone.made("third");
    assert!(clone.run(&["--folder=third", "--clean"]).status.success());
    assert!(!third.exists() && clone.path(".rovuma").exists());
    assert!(clone.run(&["--clean"]).status.success());
    assert!(!clone.path(".rovuma").exists());
    assert!(!clone.path("bin/built").exists(), "it was built");
}

#[test]
fn clean_leaves_what_the_quickstart_did_not_make_or_still_uses() {
    let clone = Clone::new();
    fs::create_dir(clone.path("mine")).expect("made");
    assert!(!clone.run(&["--folder", "mine", "--clean"]).status.success());
    let used = clone.made("used");
    let lock = fs::File::open(used.join("quickstart.lock")).expect("opened");
    lock.try_lock().expect("locked");
    let output = clone.run(&["--folder", "used", "--clean"]);
    assert!(!output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("is running"), "{output:?}");
    assert!(clone.path("mine").exists() && used.exists());
}

#[test]
fn clean_gives_every_argument_to_the_program_where_there_is_one() {
    let clone = Clone::new();
    clone.program("target/quickstart/rovuma-lab", "echo \"$@\"");
    let output = clone.run(&["--folder", "other", "--clean"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "--folder other --clean\n");
}
