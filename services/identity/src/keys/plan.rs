//! When the service draws, uses and deletes each key. Pure functions.

use std::time::Duration;

use rovuma_schemas::Timestamp;

/// How long a key is published before it signs. Services fetch keys every few minutes, and one that was
/// cut off for a day still knows the next key.
pub(super) const KEY_LEAD: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a key stays published after it has signed its last token. Tokens live ten minutes; the rest
/// allows for wrong clocks, and for a person who inspects a token of yesterday.
pub(super) const KEY_TAIL: Duration = Duration::from_secs(24 * 60 * 60);

/// The times of one key. Lists of them are in the order of `active`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyTimes {
    pub(super) kid: String,
    /// The key signs from this time until the next key's.
    pub(super) active: Timestamp,
    /// Whether the private half is still there.
    pub(super) has_file: bool,
}

/// One step of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyChange {
    /// Draw a key that signs from `active` on.
    Draw { active: Timestamp },
    /// Remove the private half: the key has signed its last token.
    Retire { kid: String },
    /// Delete the public half too: the key's tokens have expired.
    Delete { kid: String },
}

/// The key that signs at `now`.
pub(super) fn signing_kid(keys: &[KeyTimes], now: Timestamp) -> Option<String> {
    keys.iter().rfind(|key| key.active <= now).map(|key| key.kid.clone())
}

/// Whether a key signs now or will sign, so that its private half must be there.
pub(super) fn must_sign(keys: &[KeyTimes], kid: &str, now: Timestamp) -> bool {
    let Some(place) = keys.iter().position(|key| key.kid == kid) else { return false };
    keys.get(place + 1).is_none_or(|next| next.active > now)
}

/// The steps due at `now`.
pub(super) fn changes(keys: &[KeyTimes], rotate_after: Duration, now: Timestamp) -> Vec<KeyChange> {
    let mut changes = Vec::new();
    for pair in keys.windows(2) {
        let (key, next) = (&pair[0], &pair[1]);
        if next.active.plus(KEY_TAIL) <= now {
            changes.push(KeyChange::Delete { kid: key.kid.clone() });
        } else if next.active <= now && key.has_file {
            changes.push(KeyChange::Retire { kid: key.kid.clone() });
        }
    }
    changes.extend(next_key(keys, rotate_after, now).map(|active| KeyChange::Draw { active }));
    changes
}

/// When the next key begins to sign, if one must be drawn now.
fn next_key(keys: &[KeyTimes], rotate_after: Duration, now: Timestamp) -> Option<Timestamp> {
    // When no key signs now, the next begins at once, though it was not published before.
    if signing_kid(keys, now).is_none() {
        return Some(now);
    }
    let newest = keys.last()?;
    let due = newest.active.plus(rotate_after);
    (due.minus(KEY_LEAD) <= now).then(|| due.max(now.plus(KEY_LEAD)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

    fn start() -> Timestamp {
        "2026-11-23T18:00:00Z".parse().expect("RFC 3339")
    }

    fn day(days: u32) -> Timestamp {
        start().plus(DAY * days)
    }

    fn key(kid: &str, active_day: u32, has_file: bool) -> KeyTimes {
        KeyTimes { kid: kid.into(), active: day(active_day), has_file }
    }

    #[test]
    fn the_first_key_signs_at_once() {
        assert_eq!(changes(&[], MONTH, start()), [KeyChange::Draw { active: start() }]);
    }

    #[test]
    fn the_next_key_is_published_a_day_before_it_signs() {
        let one = [key("a", 0, true)];
        assert_eq!(changes(&one, MONTH, day(29).minus(Duration::from_secs(1))), []);
        assert_eq!(changes(&one, MONTH, day(29)), [KeyChange::Draw { active: day(30) }]);
    }

    #[test]
    fn after_a_long_pause_the_old_key_signs_until_the_next_was_published_for_a_day() {
        let one = [key("a", 0, true)];
        assert_eq!(changes(&one, MONTH, day(100)), [KeyChange::Draw { active: day(101) }]);
        let two = [key("a", 0, true), key("b", 101, true)];
        assert_eq!(signing_kid(&two, day(100)), Some("a".into()));
        assert_eq!(signing_kid(&two, day(101)), Some("b".into()));
    }

    #[test]
    fn an_old_key_loses_its_private_half_and_a_day_later_its_public_one() {
        let two = [key("a", 0, true), key("b", 30, true)];
        assert_eq!(changes(&two, MONTH, day(29)), []);
        assert_eq!(changes(&two, MONTH, day(30)), [KeyChange::Retire { kid: "a".into() }]);
        let two = [key("a", 0, false), key("b", 30, true)];
        assert_eq!(changes(&two, MONTH, day(30)), []);
        assert_eq!(changes(&two, MONTH, day(31)), [KeyChange::Delete { kid: "a".into() }]);
    }

    #[test]
    fn only_keys_that_sign_now_or_later_need_their_private_half() {
        let two = [key("a", 0, true), key("b", 30, true)];
        assert!(must_sign(&two, "a", day(29)) && must_sign(&two, "b", day(29)));
        assert!(!must_sign(&two, "a", day(30)) && must_sign(&two, "b", day(30)));
        assert!(!must_sign(&two, "c", day(30)));
    }
}
