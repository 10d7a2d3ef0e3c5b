//! Suggests a known key for a mistyped one, out of serde's error message about an unknown field.

use strsim::levenshtein;

/// The largest number of changed letters at which a key counts as mistyped.
const NEAR: usize = 2;

/// Adds the known key that is nearest to the last part of `key`, when one is near enough.
pub(super) fn explain(key: &str, what: &str) -> String {
    let last = key.rsplit('.').next().unwrap_or(key);
    let Some((_, known)) = what.split_once("expected").filter(|_| what.contains("unknown field")) else {
        return what.to_owned();
    };
    let nearest = known
        .split('`')
        .skip(1)
        .step_by(2)
        .map(|candidate| (levenshtein(last, candidate), candidate))
        .filter(|(changes, _)| *changes <= NEAR)
        .min();
    match nearest {
        Some((_, candidate)) => format!("{what}; did you mean `{candidate}`?"),
        None => what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_keys_are_suggested() {
        let what = "unknown field `x`, expected one of `listen`, `tls`";
        assert!(explain("http.listne", what).ends_with("did you mean `listen`?"));
        assert_eq!(explain("http.colour", what), what);
        assert_eq!(explain("http.listen", "invalid value"), "invalid value");
    }
}
