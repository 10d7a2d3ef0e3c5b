//! Questions to whoever runs the command, before something that cannot be undone.

use std::io;

use crate::{
    app::App,
    exit::{Failure, Outcome},
};

/// The answers that mean yes: English, Portuguese, Swahili.
const YES: [&str; 5] = ["y", "yes", "s", "sim", "ndiyo"];

/// Asks a question on standard error and reads a line from standard input. Only a word for yes is a yes.
///
/// # Errors
/// A usage failure that says `instead`, when nobody can answer.
pub(crate) fn is_confirmed(app: &App, question: &str, instead: &str) -> Outcome<bool> {
    match answer(app, &format!("{question} [y/N]"))? {
        Some(answer) => Ok(is_yes(&answer)),
        None => Err(Failure::usage("nobody answered: nothing was done").next(instead)),
    }
}

/// Asks a question; `None` when standard input has ended.
pub(crate) fn answer(app: &App, question: &str) -> Outcome<Option<String>> {
    app.out.note(question);
    let mut line = String::new();
    match io::stdin().read_line(&mut line) {
        Ok(0) => Ok(None),
        Ok(_) => Ok(Some(line.trim().to_owned())),
        Err(error) => Err(Failure::usage(format!("cannot read the answer from standard input: {error}"))),
    }
}

/// Whether an answer means yes.
pub(crate) fn is_yes(answer: &str) -> bool {
    YES.contains(&answer.to_lowercase().as_str())
}
