//! The fields of one line of a CSV.

/// Splits a line at its separators. A field may be in quotes, with a quote in it doubled.
///
/// # Errors
/// The reason, when a quoted field has no end in this line or text behind its end.
pub(crate) fn split(line: &str, separator: char) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, behind) = match rest.trim_start_matches(' ').strip_prefix('"') {
            Some(quoted) => quoted_field(quoted, separator)?,
            None => match rest.split_once(separator) {
                Some((field, behind)) => (field.to_owned(), Some(behind)),
                None => (rest.to_owned(), None),
            },
        };
        fields.push(field);
        match behind {
            Some(behind) => rest = behind,
            None => return Ok(fields),
        }
    }
}

/// "has 1 field of 12".
pub(crate) fn wrong_number(found: usize, expected: usize) -> String {
    let noun = if found == 1 { "field" } else { "fields" };
    format!("has {found} {noun} of {expected}")
}

/// A field whose opening quote has been taken, and what follows its separator.
fn quoted_field(quoted: &str, separator: char) -> Result<(String, Option<&str>), String> {
    let mut field = String::new();
    let mut rest = quoted;
    loop {
        let (text, behind) = rest.split_once('"').ok_or("has a quoted field that never ends")?;
        field.push_str(text);
        if let Some(behind) = behind.strip_prefix('"') {
            field.push('"');
            rest = behind;
            continue;
        }
        let behind = behind.trim_start_matches(' ');
        return match behind.strip_prefix(separator) {
            Some(behind) => Ok((field, Some(behind))),
            None if behind.is_empty() => Ok((field, None)),
            None => Err("has text behind a quoted field".to_owned()),
        };
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"36,"A, B",-0- ,"#, &["36", "A, B", "-0- ", ""])]
    #[case(r#""say ""x""",5" pipe"#, &["say \"x\"", "5\" pipe"])]
    #[case(r#" "a" , "b" "#, &["a", "b"])]
    #[case("", &[""])]
    #[case(r#""""#, &[""])]
    fn lines_are_split(#[case] line: &str, #[case] expected: &[&str]) {
        assert_eq!(split(line, ',').expect("fields"), expected);
    }

    #[rstest]
    #[case(r#"1,"A"#, "has a quoted field that never ends")]
    #[case(r#"1,"A"""#, "has a quoted field that never ends")]
    #[case(r#"1,"A"B,2"#, "has text behind a quoted field")]
    fn open_quotes_are_refused(#[case] line: &str, #[case] expected: &str) {
        assert_eq!(split(line, ',').expect_err("refused"), expected);
    }
}
