//! Dates of birth in the forms that lists write them.

use jiff::civil::Date;

use super::{
    BirthPrecision, ListedBirth,
    limits::BIRTH_YEARS,
    text::{collapsed, fold},
};

/// A date of birth in ISO 8601: `1985-07-03`, `1985-07`, `1985`, `1951~` (about) and `1953/1958` (between).
pub(crate) fn from_iso(text: &str) -> Option<ListedBirth> {
    if let Some(year) = text.strip_suffix('~') {
        return Some(about(year_of(year)?, text));
    }
    if let Some((from, to)) = text.split_once('/') {
        return between(year_of(from)?, year_of(to)?, text);
    }
    let mut parts = text.split('-');
    let year = year_of(parts.next()?)?;
    let month = parts.next().map(two_digits);
    let day = parts.next().map(two_digits);
    match (month, day, parts.next()) {
        (None, None, None) => on(year, None, None, text),
        (Some(Some(month)), None, None) => on(year, Some(month), None, text),
        (Some(Some(month)), Some(Some(day)), None) => on(year, Some(month), Some(day), text),
        _ => None,
    }
}

/// A date of birth in English words: `14 Mar 1974`, `Sep 1938`, `1946`, `circa 1951`, `1953 to 1958`, also ranges of
/// days, which become ranges of years.
pub(crate) fn from_english(text: &str) -> Option<ListedBirth> {
    let text = collapsed(text);
    let lower: String = text.chars().flat_map(fold).collect();
    let words: Vec<&str> = lower.split(' ').map(|word| word.trim_matches(['.', ','])).collect();
    if let Some(to) = words.iter().position(|word| matches!(*word, "to" | "and")) {
        let (from, to) = words.split_at_checked(to)?;
        let from = from.strip_prefix(&["between"]).or(from.strip_prefix(&["from"])).unwrap_or(from);
        let (from, to) = (without_circa(from), without_circa(to.get(1..)?));
        return between(simple(from, "")?.year?, simple(to, "")?.year?, &text);
    }
    let rest = without_circa(&words);
    let birth = simple(rest, &text)?;
    if rest.len() < words.len() { Some(about(birth.year?, &text)) } else { Some(birth) }
}

/// The date in the form that [`from_iso`] reads. Nothing when it is only a text.
pub(crate) fn to_iso(birth: &ListedBirth) -> Option<String> {
    let year = birth.year?;
    match birth.precision {
        BirthPrecision::Day => Some(format!("{year:04}-{:02}-{:02}", birth.month?, birth.day?)),
        BirthPrecision::Month => Some(format!("{year:04}-{:02}", birth.month?)),
        BirthPrecision::Year => Some(format!("{year:04}")),
        BirthPrecision::About => Some(format!("{year:04}~")),
        BirthPrecision::Between => Some(format!("{year:04}/{:04}", birth.to_year?)),
        BirthPrecision::Unknown => None,
    }
}

/// A date of birth that is known about that year.
pub(crate) fn about(year: i16, text: &str) -> ListedBirth {
    let text = text.to_owned();
    ListedBirth {
        precision: BirthPrecision::About,
        year: Some(year),
        month: None,
        day: None,
        to_year: None,
        text,
    }
}

/// A date of birth between two years. Nothing when the second is before the first.
pub(crate) fn between(from: i16, to: i16, text: &str) -> Option<ListedBirth> {
    let (precision, text) = (BirthPrecision::Between, text.to_owned());
    (from <= to).then_some(ListedBirth {
        precision,
        year: Some(from),
        month: None,
        day: None,
        to_year: Some(to),
        text,
    })
}

/// A year of four digits that is believed.
pub(crate) fn year_of(text: &str) -> Option<i16> {
    let is_year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_year.then(|| text.parse().ok()).flatten().filter(|year| BIRTH_YEARS.contains(year))
}

fn on(year: i16, month: Option<i8>, day: Option<i8>, text: &str) -> Option<ListedBirth> {
    // The first of a month is always there, so this checks as much as is given.
    Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).ok()?;
    let precision = match (month, day) {
        (Some(_), Some(_)) => BirthPrecision::Day,
        (Some(_), None) => BirthPrecision::Month,
        (None, _) => BirthPrecision::Year,
    };
    Some(ListedBirth { precision, year: Some(year), month, day, to_year: None, text: text.to_owned() })
}

fn simple(words: &[&str], text: &str) -> Option<ListedBirth> {
    match words {
        [year] => on(year_of(year)?, None, None, text),
        [month, year] => on(year_of(year)?, Some(month_of(month)?), None, text),
        [day, month, year] => on(year_of(year)?, Some(month_of(month)?), Some(day_of(day)?), text),
        _ => None,
    }
}

fn without_circa<'a, 'b>(words: &'b [&'a str]) -> &'b [&'a str] {
    match words {
        ["circa" | "c" | "ca" | "approximately" | "about" | "around", rest @ ..] => rest,
        _ => words,
    }
}

fn two_digits(text: &str) -> Option<i8> {
    let is_pair = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_pair.then(|| text.parse().ok()).flatten()
}

fn day_of(text: &str) -> Option<i8> {
    let is_day = matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_day.then(|| text.parse().ok()).flatten()
}

/// A month by its name or the beginning of it: `mar`, `sept`, `march`.
fn month_of(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    if word.len() < 3 {
        return None;
    }
    (1..).zip(MONTHS).find_map(|(number, month)| month.starts_with(word).then_some(number))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("14 Mar 1974", "1974-03-14")]
    #[case("14 Mar 1974.", "1974-03-14")]
    #[case("Sep 1938", "1938-09")]
    #[case("Nov. 1973 ", "1973-11")]
    #[case("1946", "1946")]
    #[case("circa 1951", "1951~")]
    #[case("circa 05 Feb 1951", "1951~")]
    #[case("1953 to 1958", "1953/1958")]
    #[case("01 Jan 1953 to 31 Dec 1958", "1953/1958")]
    #[case("Sep 1953 to Oct 1954", "1953/1954")]
    #[case("between 1953 and 1958", "1953/1958")]
    fn english_dates(#[case] text: &str, #[case] iso: &str) {
        let birth = from_english(text).expect("a date");
        assert_eq!(to_iso(&birth).as_deref(), Some(iso));
        assert_eq!(birth.text, collapsed(text));
    }

    #[rstest]
    #[case("1985-07-03")]
    #[case("1985-07")]
    #[case("1985")]
    #[case("1951~")]
    #[case("1953/1958")]
    fn iso_dates_come_back_as_they_were(#[case] text: &str) {
        assert_eq!(to_iso(&from_iso(text).expect("a date")).as_deref(), Some(text));
    }

    #[rstest]
    #[case::slashes("07/03/1985")]
    #[case::dots("3.7.1985")]
    #[case::no_such_day("1985-02-30")]
    #[case::no_such_month("1985-13")]
    #[case::one_digit("1985-7-3")]
    #[case::year_of_two_digits("85")]
    #[case::too_early("0196")]
    #[case::range_backwards("1958/1953")]
    #[case::range_of_words("abc/1956")]
    #[case::too_many_parts("1985-07-03-01")]
    #[case::sign("+985")]
    #[case::nothing("")]
    fn other_forms_are_no_iso_dates(#[case] text: &str) {
        assert_eq!(from_iso(text), None);
    }

    #[rstest]
    #[case("30 Feb 1974")]
    #[case("Ma 1974")]
    #[case("1958 to 1953")]
    #[case("abc to 1956")]
    #[case("to")]
    #[case("circa")]
    #[case("")]
    #[case("in his forties")]
    fn other_words_are_no_dates(#[case] text: &str) {
        assert_eq!(from_english(text), None);
    }
}
