//! Stories: what people of both countries do through the real command line, step by step, each with who did it and what they typed.

pub mod alert;
pub mod hit;
pub mod request;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{border::Border, country::Country, desk::Desk};

/// Why the example is sent although the alert of an earlier start may be in force: the audit log says so.
pub const SENT_AGAIN: &str = "QUICKSTART-EXAMPLE";

/// The roles of the people in stories, by the first part of their log-in name.
const ROLES: [(&str, &str); 3] =
    [("officer", "liaison officer"), ("supervisor", "supervisor"), ("border", "border officer")];

/// A story while it is played.
pub struct Story<'a> {
    /// Both countries, which the story may break.
    border: &'a mut Border,
    say: &'a (dyn Fn(&str) + Sync),
    desks: BTreeMap<(String, String), Desk>,
    steps: usize,
}

impl<'a> Story<'a> {
    /// A story between these countries, told line by line.
    pub fn new(border: &'a mut Border, say: &'a (dyn Fn(&str) + Sync)) -> Self {
        Self { border, say, desks: BTreeMap::new(), steps: 0 }
    }

    fn country(&self, code: &str) -> &Country {
        if code == "mz" { &self.border.mz } else { &self.border.tz }
    }

    fn country_mut(&mut self, code: &str) -> &mut Country {
        if code == "mz" { &mut self.border.mz } else { &mut self.border.tz }
    }

    /// Begins a step: who does it, in which role, and what it is.
    fn step(&mut self, who: &str, what: &str) {
        self.steps += 1;
        (self.say)(&format!("\n{:2}. {who}: {what}", self.steps));
    }

    /// Tells what came of a step.
    fn tell(&self, what: &str) {
        for line in what.lines() {
            (self.say)(&format!("    {line}"));
        }
    }

    /// Somebody of an agency, logged in: `("mz.prm", "officer")`.
    async fn desk(&mut self, agency: &str, person: &str) -> Result<Desk> {
        let key = (agency.to_owned(), person.to_owned());
        if let Some(desk) = self.desks.get(&key) {
            return Ok(desk.clone());
        }
        let (country, name) = agency.split_once('.').context("an agency code")?;
        let desk = Desk::log_in(self.country(country), &format!("{person}.{name}")).await?;
        self.desks.insert(key, desk.clone());
        Ok(desk)
    }

    /// A step of somebody of an agency with one command, which answers in JSON.
    async fn does(&mut self, agency: &str, person: &str, what: &str, words: &[&str]) -> Result<Value> {
        let desk = self.desk(agency, person).await?;
        self.step(&who(agency, person), what);
        self.typed(agency, person, words);
        desk.run(words)
    }

    /// Shows a command as it was typed.
    fn typed(&self, agency: &str, person: &str, words: &[&str]) {
        let name = agency.split_once('.').map_or(agency, |(_, name)| name);
        self.tell(&format!("$ rovumactl --as {person}.{name} {}", as_typed(words)));
    }

    /// A supervisor reads what was handed over and releases it, with these further words; the message's id.
    async fn released(&mut self, agency: &str, draft: &str, further: &[&str]) -> Result<String> {
        let words = ["draft", "show", draft];
        let shown = self.does(agency, "supervisor", "reads and releases it", &words).await?;
        let version = shown["version"].as_i64().context("a version")?.to_string();
        let release = [&["draft", "release", draft, "--yes", "--version", &version], further].concat();
        self.typed(agency, "supervisor", &release);
        let released = self.desk(agency, "supervisor").await?.run(&release)?;
        Ok(text(&released, "id").to_owned())
    }

    /// Waits until each recipient of a message has answered with a signed receipt.
    async fn delivered(&mut self, agency: &str, person: &str, id: &str) -> Result<()> {
        let words = ["trace", id, "--follow", "--timeout", "90s"];
        let desk = self.desk(agency, person).await?;
        self.typed(agency, person, &words);
        let trace = desk.run(&words)?;
        let copies = trace["copies"].as_array().context("copies")?;
        let states: Vec<String> = copies
            .iter()
            .map(|copy| format!("{} {}", text(copy, "recipient"), text(copy, "state")))
            .collect();
        self.tell(&format!("→ {}", states.join(", ")));
        Ok(())
    }
}

/// Who does something: `mz.prm, liaison officer`.
fn who(agency: &str, person: &str) -> String {
    let role = ROLES.iter().find(|(word, _)| *word == person).map_or(person, |(_, role)| role);
    format!("{agency}, {role}")
}

/// Words as they are typed in a shell.
fn as_typed(words: &[&str]) -> String {
    let quote = |word: &&str| {
        let is_plain =
            !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c));
        if is_plain { (*word).to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// A text member of a JSON object; empty where there is none.
fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_typed_as_it_is_shown() {
        assert_eq!(
            as_typed(&["alert", "update", "A2", "--change", "it's red", ""]),
            r"alert update A2 --change 'it'\''s red' ''"
        );
        assert_eq!(who("mz.prm", "supervisor"), "mz.prm, supervisor");
    }
}
