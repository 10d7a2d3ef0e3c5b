//! What of a new file needs a second person.

use rovuma_api::answers::watchlist::ListFile;

/// A list that loses more than this share of its records needs a second person. Lists lose a few names a month; a list that loses more at
/// once is more likely cut than mended.
const SHRINKS_PERCENT: u64 = 10;

/// Why a file needs a second person to take the place of the one in force; empty if it does not.
pub(crate) fn reasons(before: &ListFile, after: &ListFile) -> Vec<String> {
    let mut reasons = Vec::new();
    let least = before.records.saturating_mul(100 - SHRINKS_PERCENT);
    if after.records.saturating_mul(100) < least {
        reasons.push("fewer_records".to_owned());
    }
    let is_lost = |(section, count): (&String, &u64)| {
        *count > 0 && after.sections.get(section).is_none_or(|now| *now == 0)
    };
    if before.sections.iter().any(is_lost) {
        reasons.push("section_lost".to_owned());
    }
    // Both are days of the form 2026-11-30, which sort as texts do.
    if before.dated.as_ref().zip(after.dated.as_ref()).is_some_and(|(before, after)| after < before) {
        reasons.push("older".to_owned());
    }
    reasons
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn file(sections: &[(&str, u64)], dated: Option<&str>) -> ListFile {
        ListFile {
            digest: String::new(),
            dated: dated.map(str::to_owned),
            records: sections.iter().map(|(_, count)| count).sum(),
            sections: sections.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
        }
    }

    #[rstest]
    #[case(&[("individuals", 700), ("entities", 300)], None, &[])]
    #[case(&[("individuals", 600), ("entities", 300)], None, &[])]
    #[case(&[("individuals", 599), ("entities", 300)], None, &["fewer_records"])]
    #[case(&[("individuals", 1000), ("entities", 0)], None, &["section_lost"])]
    #[case(&[("individuals", 800)], None, &["fewer_records", "section_lost"])]
    #[case(&[("individuals", 700), ("entities", 300)], Some("2026-11-22"), &["older"])]
    #[case(&[("individuals", 700), ("entities", 300)], Some("2026-11-23"), &[])]
    fn what_needs_a_second_person(
        #[case] after: &[(&str, u64)],
        #[case] dated: Option<&str>,
        #[case] expected: &[&str],
    ) {
        let before = file(&[("individuals", 700), ("entities", 300)], Some("2026-11-23"));
        assert_eq!(reasons(&before, &file(after, dated)), expected);
    }
}
