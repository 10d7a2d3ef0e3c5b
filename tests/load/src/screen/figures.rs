//! Figures with what is wanted of them.

use std::fmt::Display;

use serde_json::{Map, Value, json};

/// The figures of a run, in the order in which they were measured.
#[derive(Debug, Default)]
pub(super) struct Figures {
    values: Map<String, Value>,
    wanted: Vec<WantedFigure>,
}

/// What is wanted of a figure.
#[derive(Debug)]
struct WantedFigure {
    name: &'static str,
    value: f64,
    at_most: f64,
}

impl Figures {
    /// A figure of which nothing is wanted.
    pub(super) fn say(&mut self, name: &'static str, value: impl serde::Serialize) {
        self.values.insert(name.to_owned(), json!(value));
    }

    /// A figure that is wanted to be at most so large.
    pub(super) fn at_most(&mut self, name: &'static str, value: f64, at_most: f64) {
        self.say(name, value);
        self.wanted.push(WantedFigure { name, value, at_most });
    }

    /// A count that is wanted to be 0.
    pub(super) fn none(&mut self, name: &'static str, count: usize) {
        self.say(name, count);
        self.wanted.push(WantedFigure { name, value: count as f64, at_most: 0.0 });
    }

    /// The figures of which something is wanted and that are more.
    pub(super) fn missed(&self) -> Vec<&'static str> {
        let is_missed = |wanted: &&WantedFigure| wanted.value.is_nan() || wanted.value > wanted.at_most;
        self.wanted.iter().filter(is_missed).map(|wanted| wanted.name).collect()
    }

    /// Prints each figure with what is wanted of it.
    pub(super) fn print(&self) {
        let missed = self.missed();
        for WantedFigure { name, value, at_most } in &self.wanted {
            let mark = if missed.contains(name) { "  MISSED" } else { "" };
            print_line(name, format_args!("{value}"), format_args!("wanted: at most {at_most}{mark}"));
        }
    }

    /// All of them as one line of JSON.
    pub(super) fn line(&self) -> String {
        Value::Object(self.values.clone()).to_string()
    }
}

fn print_line(name: &str, value: impl Display, wanted: impl Display) {
    println!("{name:18} {value:>12}   {wanted}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_missed() {
        let mut figures = Figures::default();
        figures.none("exact_missed", 0);
        figures.none("wrong_forwards", 1);
        figures.at_most("scan_p99_ms", 50.0, 50.0);
        figures.at_most("rss_mib", 64.1, 64.0);
        figures.say("seed", 7);
        assert_eq!(figures.missed(), ["wrong_forwards", "rss_mib"]);
        assert_eq!(
            figures.line(),
            r#"{"exact_missed":0,"wrong_forwards":1,"scan_p99_ms":50.0,"rss_mib":64.1,"seed":7}"#
        );
    }
}
