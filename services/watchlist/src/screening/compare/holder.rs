//! Whether a document is in the hands of somebody else than its list names: its owner may be a victim.

use rovuma_schemas::normalise_name;

use crate::screening::{listed::ListedSubject, reading::Holder};

/// Whether the holder is certainly not the listed person: no word of the names is shared, or both full birth dates are known and differ.
pub(crate) fn is_somebody_else(holder: &Holder, listed: &ListedSubject) -> bool {
    let is_nameless = listed.names.is_empty() || (holder.surname.is_empty() && holder.given.is_empty());
    let is_other_name = !is_nameless && !listed.names.iter().any(|name| share_a_word(holder, name));
    is_other_name || has_other_birth(holder, &listed.births)
}

fn share_a_word(holder: &Holder, listed: &str) -> bool {
    let Some(listed) = normalise_name(listed) else { return true };
    let listed: Vec<&str> = listed.split(' ').collect();
    let own = [holder.surname.as_str(), &holder.given];
    let own: Vec<&str> =
        own.iter().flat_map(|part| part.split(' ')).filter(|word| !word.is_empty()).collect();
    own.iter().enumerate().any(|(place, word)| {
        // Part 4 section 4.2.3: where a name fills its field, its last word may be cut.
        let is_cut = holder.is_name_full && place + 1 == own.len();
        listed.iter().any(|other| other == word || (is_cut && other.starts_with(word)))
    })
}

/// Whether the holder's birth date is known in full and none of the listed dates, which are known in full, is it.
fn has_other_birth(holder: &Holder, listed: &[String]) -> bool {
    let (Some(year), Some(month), Some(day)) = holder.birth else { return false };
    let is_it = |date: &String| {
        let mut parts = date.split('-');
        let listed_year = parts.next().and_then(|year| year.parse::<u16>().ok());
        let (listed_month, listed_day) = (parts.next(), parts.next());
        let number = |part: Option<&str>| part.and_then(|part| part.parse::<u8>().ok());
        // What is not known contradicts nothing.
        listed_year.is_none_or(|listed| listed % 100 == u16::from(year))
            && number(listed_month).is_none_or(|listed| listed == month)
            && number(listed_day).is_none_or(|listed| listed == day)
    };
    !listed.is_empty() && !listed.iter().any(is_it)
}
