//! Text in the user's editor.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    app::App,
    config::xdg,
    exit::{Failure, Outcome},
    files,
};

/// The editor where neither `VISUAL` nor `EDITOR` names one (POSIX has it).
const DEFAULT_EDITOR: &str = "vi";

/// A text on this machine while it is edited, readable by its owner only.
pub(crate) struct WorkingCopy {
    path: PathBuf,
}

impl WorkingCopy {
    /// Makes the file `name` with this text. `use_it` says what to do with one that is left from an edit that did not end.
    pub(crate) fn create(name: &str, text: &str, use_it: impl Fn(&Path) -> String) -> Outcome<Self> {
        let folder = xdg("XDG_STATE_HOME", ".local/state")
            .ok_or_else(|| {
                Failure::local("there is no folder for the text").next("set HOME or XDG_STATE_HOME")
            })?
            .join("rovuma");
        files::private_folder(&folder)?;
        let path = folder.join(name);
        if path.exists() {
            return Err(Failure::usage(format!("{} is left from an edit that did not end", path.display()))
                .next(format!("use it: {}; or remove it", use_it(&path))));
        }
        files::create_secret(&path, text)?;
        Ok(Self { path })
    }

    /// Opens the text in the user's editor, and reads it when the editor has ended.
    pub(crate) fn edit(&self) -> Outcome<Vec<u8>> {
        run_editor(&self.path)?;
        self.read()
    }

    /// The text as it is now.
    pub(crate) fn read(&self) -> Outcome<Vec<u8>> {
        files::read(&self.path)
    }

    /// Keeps the text after a failure, and says where.
    pub(crate) fn keep(&self, failure: Failure) -> Failure {
        let kept = format!("your text is kept in {}", self.path.display());
        let next = failure.next.clone().map_or_else(|| kept.clone(), |next| format!("{next}; {kept}"));
        failure.next(next)
    }

    /// Removes the text.
    pub(crate) fn remove(&self) {
        // What cannot be removed is found, and named, by the next edit.
        let _ = fs::remove_file(&self.path);
    }

    /// Says where the text is that nobody else has.
    pub(crate) fn tell(&self, app: &App) {
        app.out.note(format_args!("your text is kept in {}", self.path.display()));
    }
}

/// Runs the user's editor. `VISUAL` and `EDITOR` are command lines, so a shell splits them.
fn run_editor(path: &Path) -> Outcome<()> {
    let named =
        ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|it| !it.is_empty()));
    let editor = named.unwrap_or_else(|| DEFAULT_EDITOR.to_owned());
    let status = Command::new("sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(path).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::local(format!("the editor {editor:?} ended with {status}"))
            .next("set VISUAL or EDITOR to an editor that waits until the file is closed")),
        Err(error) => Err(Failure::local(format!("cannot start the editor {editor:?}: {error}"))),
    }
}
