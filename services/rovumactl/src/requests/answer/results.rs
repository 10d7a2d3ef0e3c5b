//! The results that the options of `request answer` give, by the numbers of the questions.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::{Path, PathBuf},
};

use rovuma_schemas::{AgencyCode, CodeLists, Timestamp, request::QuestionNumber};
use serde_json::{Value, json};

use super::ResultArgs;
use crate::{
    exit::{Failure, Outcome},
    files,
    follow::put,
    moments,
};

/// The result of a question that is still to be answered.
pub(super) const LATER: &str = "later";

const FOUND: &str = "found";

/// What an option says of the question with this number.
pub(super) type Numbered<T> = (QuestionNumber, T);

/// At most one answer for each question, in the order of their numbers, as a message has them.
#[derive(Debug)]
pub(super) struct Results(BTreeMap<QuestionNumber, Value>);

impl Results {
    /// Puts the options together, and reads the files with data.
    ///
    /// # Errors
    /// A usage failure, when a question has two results, or a file cannot be used.
    pub(super) fn of(options: &ResultArgs) -> Outcome<Self> {
        let mut results = Self(BTreeMap::new());
        for (n, text) in &options.found {
            let mut answer = json!({ "n": n, "result": FOUND });
            put(&mut answer, "text", text.as_deref());
            results.add(*n, answer)?;
        }
        for (n, file) in &options.data {
            results.add_data(*n, data_in(file)?)?;
        }
        for n in &options.no_record {
            results.add(*n, json!({ "n": n, "result": "no_record" }))?;
        }
        for (n, agency) in &options.not_here {
            let mut answer = json!({ "n": n, "result": "not_here" });
            put(&mut answer, "try_agency", agency.as_ref());
            results.add(*n, answer)?;
        }
        for (n, reason) in &options.refused {
            results.add(*n, json!({ "n": n, "result": "refused", "reason": reason }))?;
        }
        for (n, at) in &options.later {
            let mut answer = json!({ "n": n, "result": LATER });
            put(&mut answer, "expected_by", *at);
            results.add(*n, answer)?;
        }
        let unsaid = results.0.iter().find(|(_, answer)| says_nothing(answer)).map(|(n, _)| *n);
        match unsaid {
            None => Ok(results),
            Some(n) => Err(Failure::usage(format!("nothing says what was found for question {n}"))
                .next(format!("give --found {n}=TEXT, or --data {n}=FILE"))),
        }
    }

    fn add(&mut self, n: QuestionNumber, answer: Value) -> Outcome<()> {
        match self.0.entry(n) {
            Entry::Vacant(free) => {
                free.insert(answer);
                Ok(())
            }
            Entry::Occupied(_) => Err(twice(n)),
        }
    }

    fn add_data(&mut self, n: QuestionNumber, data: Value) -> Outcome<()> {
        let answer = self.0.entry(n).or_insert_with(|| json!({ "n": n, "result": FOUND }));
        if answer.get("data").is_some() {
            return Err(twice(n));
        }
        answer["data"] = data;
        Ok(())
    }

    /// Whether something was found.
    pub(super) fn has_found(&self) -> bool {
        self.0.values().any(|answer| answer["result"] == FOUND)
    }

    /// The numbers of the questions that they answer.
    pub(super) fn numbers(&self) -> impl Iterator<Item = QuestionNumber> {
        self.0.keys().copied()
    }

    /// The result for a question.
    pub(super) fn result(&self, n: QuestionNumber) -> Option<&str> {
        self.0.get(&n).and_then(|answer| answer["result"].as_str())
    }

    /// The answers as the message has them.
    pub(super) fn answers(&self) -> Vec<&Value> {
        self.0.values().collect()
    }
}

fn says_nothing(answer: &Value) -> bool {
    answer["result"] == FOUND && answer.get("text").is_none() && answer.get("data").is_none()
}

fn twice(n: QuestionNumber) -> Failure {
    Failure::usage(format!("question {n} has two results")).next("give one result for each question")
}

fn data_in(file: &Path) -> Outcome<Value> {
    let data: Option<Value> = serde_json::from_slice(&files::read(file)?).ok();
    data.filter(Value::is_object).ok_or_else(|| {
        Failure::usage(format!("{} is not a JSON object", file.display()))
            .next(r#"give the persons and things by their kinds, such as {"vehicles":[…]}"#)
    })
}

/// Parses the number of a question.
pub(super) fn number(text: &str) -> Result<QuestionNumber, String> {
    let number = text.parse::<QuestionNumber>().ok().filter(|n| *n > 0);
    number.ok_or_else(|| format!("{text:?} is not the number of a question"))
}

/// Parses `N=TEXT`, or `N` where a file says what was found.
pub(super) fn found(text: &str) -> Result<Numbered<Option<String>>, String> {
    optional(text, |text| Ok(text.to_owned()))
}

/// Parses `N=FILE`.
pub(super) fn data(text: &str) -> Result<Numbered<PathBuf>, String> {
    required(text, "a file, such as 1=vehicle.json", |file| Ok(PathBuf::from(file)))
}

/// Parses `N` or `N=AGENCY`.
pub(super) fn not_here(text: &str) -> Result<Numbered<Option<AgencyCode>>, String> {
    optional(text, |agency| agency.parse::<AgencyCode>().map_err(|error| format!("{error}")))
}

/// Parses `N=CODE`.
pub(super) fn refused(text: &str) -> Result<Numbered<String>, String> {
    required(text, "a reason, such as 3=harms_investigation", |code| {
        let codes = codes_of("refusal_reasons");
        match codes.contains(&code) {
            true => Ok(code.to_owned()),
            false => Err(format!("{code:?} is none of {}", codes.join(", "))),
        }
    })
}

/// Parses `N` or `N=INSTANT`.
pub(super) fn later(text: &str) -> Result<Numbered<Option<Timestamp>>, String> {
    optional(text, moments::end)
}

/// Parses grades such as `A1`: how reliable the source is, and how certain the information.
pub(super) fn grades(text: &str) -> Result<(String, String), String> {
    let (sources, informations) = (codes_of("evaluation_source"), codes_of("evaluation_information"));
    let split = sources.iter().find_map(|source| Some((*source, text.strip_prefix(*source)?)));
    match split {
        Some((source, information)) if informations.contains(&information) => {
            Ok((source.to_owned(), information.to_owned()))
        }
        _ => Err(format!("give one of {} and one of {}: A1", sources.join(", "), informations.join(", "))),
    }
}

fn codes_of(list: &str) -> Vec<&'static str> {
    let list = CodeLists::shipped().get(list);
    list.map(|list| list.entries.iter().map(|entry| entry.code.as_str()).collect()).unwrap_or_default()
}

fn optional<T>(
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Numbered<Option<T>>, String> {
    match text.split_once('=') {
        Some((n, value)) => Ok((number(n)?, Some(parse(value)?))),
        None => Ok((number(text)?, None)),
    }
}

fn required<T>(
    text: &str,
    what: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Numbered<T>, String> {
    let (n, value) = text.split_once('=').ok_or_else(|| format!("give a number and {what}"))?;
    Ok((number(n)?, parse(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_name_a_question_and_what_belongs_to_its_result() {
        assert_eq!(found("1=Uma mota = vermelha"), Ok((1, Some("Uma mota = vermelha".to_owned()))));
        assert_eq!(found("2"), Ok((2, None)));
        assert_eq!(not_here("4=tz.tisd"), Ok((4, "tz.tisd".parse().ok())));
        assert_eq!(refused("3=human_rights"), Ok((3, "human_rights".to_owned())));
        assert_eq!(later("5=2026-11-23").map(|(n, at)| (n, at.is_some())), Ok((5, true)));
        assert_eq!(grades("B3"), Ok(("B".to_owned(), "3".to_owned())));
        for wrong in ["0", "x", "-1", "300", ""] {
            assert!(number(wrong).is_err(), "{wrong:?}");
        }
        assert!(refused("3").is_err() && refused("3=mood").is_err() && data("1").is_err());
        assert!(grades("E1").is_err() && grades("A9").is_err() && grades("A").is_err());
    }

    #[test]
    fn a_question_has_one_result_and_what_was_found_is_said() {
        let options = |found: &[Numbered<Option<String>>], no_record: &[QuestionNumber]| ResultArgs {
            found: found.to_vec(),
            data: Vec::new(),
            no_record: no_record.to_vec(),
            not_here: Vec::new(),
            refused: Vec::new(),
            later: Vec::new(),
        };
        let text = Some("Sim.".to_owned());
        let results = Results::of(&options(&[(2, text.clone())], &[1])).expect("two results");
        let numbers: Vec<QuestionNumber> = results.numbers().collect();
        assert_eq!(numbers, [1, 2], "they are in the order of the questions");
        assert!(results.has_found());
        assert!(Results::of(&options(&[(1, text)], &[1])).is_err(), "two results");
        assert!(Results::of(&options(&[(1, None)], &[])).is_err(), "nothing says what was found");
    }
}
