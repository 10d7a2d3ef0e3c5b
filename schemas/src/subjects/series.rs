//! Series of numbers: blank documents that were stolen together have numbers from one to another.

use super::{Document, Subjects};

/// The numbers from one to another, both included. They have one form: as many characters, letters and digits alone, and the same ones before
/// the digits at their end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberSeries {
    before: String,
    first: String,
    last: String,
}

impl NumberSeries {
    /// The series from `first` to `last`; none where the two have different forms, so that nobody knows what is between them.
    pub fn new(first: &str, last: &str) -> Option<Self> {
        let ((before, first), (before_last, last)) = (parts(first), parts(last));
        let is_one_form = before == before_last && first.len() == last.len();
        is_one_form.then_some(Self { before, first, last })
    }

    /// Whether this number is one of the series. Spaces, hyphens and capitals make no difference.
    pub fn contains(&self, number: &str) -> bool {
        let (before, digits) = parts(number);
        let has_form = before == self.before && digits.len() == self.first.len();
        // Of digits that are as many, the order of the texts is that of the numbers, however long they are.
        has_form && self.first <= digits && digits <= self.last
    }
}

/// The digits at the end of a number, and what stands before them, in capitals and digits alone.
fn parts(number: &str) -> (String, String) {
    let bare = number.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase());
    let mut before: String = bare.collect();
    let digits = before.split_off(before.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    (before, digits)
}

impl Document {
    /// The series that it stands for, where it is the blanks of a series.
    pub fn series(&self) -> Option<NumberSeries> {
        NumberSeries::new(self.number.as_ref()?.as_str(), self.number_to.as_ref()?.as_str())
    }
}

impl Subjects {
    /// Whether a series of documents among the subjects has this number.
    pub fn have_in_series(&self, number: &str) -> bool {
        let of_persons = self.persons.iter().flat_map(|person| &person.documents);
        let mut series = self.documents.iter().chain(of_persons).filter_map(Document::series);
        series.any(|series| series.contains(number))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::first("MZ0000100", true)]
    #[case::last("MZ0000149", true)]
    #[case::inside("MZ0000123", true)]
    #[case::as_people_write_it("mz 00-00.123", true)]
    #[case::one_below("MZ0000099", false)]
    #[case::one_above("MZ0000150", false)]
    #[case::other_letters("MA0000123", false)]
    #[case::no_letters("0000123", false)]
    #[case::one_digit_less("MZ000123", false)]
    #[case::one_digit_more("MZ00000123", false)]
    #[case::as_long_with_a_longer_prefix("MZA000123", false)]
    #[case::a_letter_at_the_end("MZ000012A", false)]
    #[case::a_letter_for_a_digit("MZOOOO123", false)]
    #[case::nothing("", false)]
    fn a_number_is_in_the_series_or_not(#[case] number: &str, #[case] expected: bool) {
        let series = NumberSeries::new("MZ 0000100", "mz0000149").expect("a series");
        assert_eq!(series.contains(number), expected);
    }

    #[rstest]
    #[case("MZ100", "MA149")]
    #[case("MZ100", "MZ1149")]
    #[case("MZ100", "MZA49")]
    fn two_ends_of_different_forms_are_no_series(#[case] first: &str, #[case] last: &str) {
        assert_eq!(NumberSeries::new(first, last), None);
    }

    #[rstest]
    // More digits than any whole number of the machine has.
    #[case(&"9".repeat(40), &"9".repeat(40), &"9".repeat(40), true)]
    #[case(
        "10000000000000000000000000000000000000",
        "10000000000000000000000000000000000009",
        "10000000000000000000000000000000000005",
        true
    )]
    #[case("MZ149", "MZ100", "MZ120", false)]
    #[case("AB12C", "AB12C", "AB12C", true)]
    #[case("15EX00042", "15EX00044", "15EX00043", true)]
    #[case("15EX00042", "15EX00044", "16EX00043", false)]
    fn the_digits_at_the_end_are_compared_as_a_number(
        #[case] first: &str,
        #[case] last: &str,
        #[case] number: &str,
        #[case] expected: bool,
    ) {
        let series = NumberSeries::new(first, last).expect("a series");
        assert_eq!(series.contains(number), expected);
    }

    #[test]
    fn the_documents_of_persons_count_and_single_documents_do_not() {
        let of = |documents: serde_json::Value| -> Subjects {
            serde_json::from_value(json!({
                "persons": [{ "role": "suspect", "minor": false, "documents": documents }],
                "documents": [{ "type": "passport", "number": "AB123" }]
            }))
            .expect("subjects")
        };
        let subjects = of(json!([{ "type": "passport", "number": "CD100", "number_to": "CD199" }]));
        assert!(subjects.have_in_series("CD150"));
        assert!(!subjects.have_in_series("AB123"));
        assert!(!of(json!([{ "type": "passport", "number_to": "CD199" }])).have_in_series("CD199"));
    }
}
