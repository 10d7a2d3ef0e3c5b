//! The words nearest to one that is not known.

use strsim::levenshtein;

/// Of the known words, at most `count` that are nearest to `word`, the nearest first: those that have it as a part or are a
/// part of it, then those that differ in at most a third of their letters.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>, count: usize) -> Vec<&'a str> {
    let word = word.to_lowercase();
    let mut near: Vec<(usize, &str)> = known
        .filter_map(|candidate| {
            let lower = candidate.to_lowercase();
            let is_part = !word.is_empty() && (lower.contains(&word) || word.contains(&lower));
            let (asked, had) = (word.chars().count(), lower.chars().count());
            let allowed = asked.max(had) / 3;
            // Comparing takes time with the product of the lengths, and a caller chooses one of them.
            if !is_part && asked.abs_diff(had) > allowed {
                return None;
            }
            let changes = if is_part { 0 } else { levenshtein(&word, &lower) };
            (changes <= allowed).then_some((changes, candidate))
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(count).map(|(_, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_words_are_suggested_and_the_nearest_comes_first() {
        let known = ["erase", "message.send", "message.read", "draft.read", "message.resend"];
        let near = |word| nearest(word, known.into_iter(), 3);
        assert_eq!(near("audit.erase"), ["erase"]);
        assert_eq!(near("message.sent"), ["message.send", "message.read", "message.resend"]);
        assert_eq!(near("Message.Read"), ["message.read", "message.send", "message.resend"]);
        assert_eq!(near("nonsense"), Vec::<&str>::new());
        assert_eq!(near(""), Vec::<&str>::new());
    }
}
