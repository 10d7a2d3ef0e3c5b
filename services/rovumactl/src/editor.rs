//! Text in the user's editor.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    app::App,
    config::xdg,
    exit::{Failure, Outcome},
    files, question,
};

/// The editor where neither `VISUAL` nor `EDITOR` names one (POSIX has it).
const DEFAULT_EDITOR: &str = "vi";

/// A text that may be left over from an edit that did not end.
pub(crate) struct LeftOver<'a> {
    /// What a new edit begins with: `version 3 of the draft`.
    pub(crate) begins_with: String,
    /// Whether a text says the same as what a new edit begins with.
    pub(crate) is_same: &'a dyn Fn(&[u8]) -> bool,
    /// The command that uses the text in a file.
    pub(crate) use_it: &'a dyn Fn(&Path) -> String,
}

/// A text on this machine while it is edited, readable by its owner only.
pub(crate) struct WorkingCopy {
    path: PathBuf,
}

impl WorkingCopy {
    /// Makes the file `name` with this text, or goes on with one of that name from an edit that did not end, if the user wants to.
    pub(crate) fn open(app: &App, name: &str, text: &str, left_over: &LeftOver<'_>) -> Outcome<Self> {
        let folder = xdg("XDG_STATE_HOME", ".local/state")
            .ok_or_else(|| {
                Failure::local("there is no folder for the text").next("set HOME or XDG_STATE_HOME")
            })?
            .join("rovuma");
        files::private_folder(&folder)?;
        let copy = Self { path: folder.join(name) };
        if copy.path.exists() && copy.goes_on(app, left_over)? {
            return Ok(copy);
        }
        files::create_secret(&copy.path, text)?;
        Ok(copy)
    }

    /// Whether the user goes on with the text of an edit that did not end. If not, the text is set aside.
    fn goes_on(&self, app: &App, left_over: &LeftOver<'_>) -> Outcome<bool> {
        if files::read(&self.path).is_ok_and(|text| (left_over.is_same)(&text)) {
            return Ok(true);
        }
        let question = format!(
            "{} is your text from an edit that did not end, or is still open elsewhere; the gateway has {}. \
             Go on with your text? [Y/n]",
            self.path.display(),
            left_over.begins_with
        );
        let answer = question::answer(app, &question)?;
        if answer.is_some_and(|answer| answer.is_empty() || question::is_yes(&answer)) {
            return Ok(true);
        }
        let aside = self.set_aside()?;
        app.out.note(format_args!(
            "this edit begins with {}; your text is now {}: use it with {}, or remove it",
            left_over.begins_with,
            aside.display(),
            (left_over.use_it)(&aside)
        ));
        Ok(false)
    }

    /// Gives the text another name, which no file has yet.
    fn set_aside(&self) -> Outcome<PathBuf> {
        for number in 1_u32.. {
            let aside = self.path.with_extension(format!("{number}.json"));
            match fs::hard_link(&self.path, &aside) {
                Ok(()) => {
                    self.remove();
                    return Ok(aside);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(Failure::local(format!("cannot write {}: {error}", aside.display())));
                }
            }
        }
        Err(Failure::local(format!("cannot rename {}", self.path.display())))
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
