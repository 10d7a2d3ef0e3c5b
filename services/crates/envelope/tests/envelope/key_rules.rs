//! Which key may sign a message created at which time.

use rovuma_envelope::{
    KeyState, Signer, SigningKey,
    trust::{KeyTerm, Revocation, RevocationReason},
};
use rovuma_schemas::Timestamp;

use crate::fixture::{DAY, Fixture, HOUR, agency, at, key, message, outcome, signed, start, today};

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

/// The result of verifying a message created then and arriving now.
fn verified_at(fixture: &Fixture, signer: &SigningKey, created: Timestamp, now: Timestamp) -> &'static str {
    outcome(&fixture.trust(), &signed(&message(created), signer), now)
}

/// A fixture in which `mz.prm` has one more key, for February alone.
fn february() -> (Fixture, SigningKey, KeyTerm) {
    let mut fixture = Fixture::new();
    let (short, term) =
        (key(), KeyTerm { not_before: at("2026-02-01T00:00:00Z"), not_after: at("2026-03-01T00:00:00Z") });
    fixture.mz.add_key("mz.prm", short.public_key(), term);
    (fixture, short, term)
}

fn revoke(fixture: &mut Fixture, revoked: &SigningKey, at: Timestamp, reason: RevocationReason) {
    let revocation = Revocation { at, reason };
    fixture.mz.draft.revoke_signing_key(&agency("mz.prm"), revoked.key_id(), revocation).expect("listed");
}

#[test]
fn a_keys_term_is_compared_with_created() {
    let (fixture, short, term) = february();
    assert_eq!(verified_at(&fixture, &short, term.not_before, term.not_before), "verified");
    assert_eq!(verified_at(&fixture, &short, term.not_after.minus(SECOND), term.not_after), "verified");
    assert_eq!(
        verified_at(&fixture, &short, term.not_before.minus(SECOND), term.not_before),
        "key_not_yet_valid"
    );
    assert_eq!(verified_at(&fixture, &short, term.not_after, term.not_after), "key_expired");
    assert_eq!(
        verified_at(&fixture, &short, term.not_after.plus(DAY), term.not_after.plus(DAY)),
        "key_expired"
    );
}

#[test]
fn a_message_may_arrive_90_days_after_its_keys_end_and_no_later() {
    let (mut fixture, short, term) = february();
    fixture.policy.list_grace = 400 * DAY;
    let created = term.not_after.minus(HOUR);
    assert_eq!(verified_at(&fixture, &short, created, term.not_after.plus(90 * DAY)), "verified");
    assert_eq!(
        verified_at(&fixture, &short, created, term.not_after.plus(90 * DAY + SECOND)),
        "key_ended_too_long_ago"
    );
}

#[test]
fn a_compromised_key_is_never_believed_again() {
    let (mut fixture, short, _) = february();
    let found = at("2026-02-20T00:00:00Z");
    revoke(&mut fixture, &short, found, RevocationReason::Compromised);
    for created in
        ["2026-02-01T12:00:00Z", "2026-02-19T23:59:59Z", "2026-02-20T00:00:00Z", "2026-02-25T00:00:00Z"]
    {
        assert_eq!(
            verified_at(&fixture, &short, at(created), at("2026-02-25T00:00:00Z")),
            "key_compromised",
            "{created}"
        );
    }
    // Not even before the day it became known: whoever has the key can name any time.
    assert_eq!(verified_at(&fixture, &short, today(), today()), "key_compromised");
    let trust = fixture.trust();
    assert!(trust.is_compromised(&agency("mz.prm"), short.key_id()));
    assert!(!trust.is_compromised(&agency("mz.prm"), fixture.prm.key_id()));
    assert!(!trust.is_compromised(&agency("mz.senami"), short.key_id()));
}

#[test]
fn a_compromised_keys_message_from_the_future_is_refused_not_answered() {
    let (mut fixture, short, _) = february();
    revoke(&mut fixture, &short, today(), RevocationReason::Compromised);
    assert_eq!(verified_at(&fixture, &short, today().plus(DAY), today()), "key_compromised");
}

/// Which of the two clocks is wrong cannot be known, so the key's term decides nothing yet.
#[test]
fn beyond_the_keys_end_and_in_the_future_is_a_matter_of_clocks() {
    let (fixture, short, term) = february();
    assert_eq!(verified_at(&fixture, &short, term.not_after.plus(DAY), today()), "clock");
}

/// Otherwise a key that ended long ago could still use up stream numbers.
#[test]
fn a_key_that_has_ended_does_not_sign_for_the_future() {
    let (fixture, short, term) = february();
    let now = term.not_after.plus(DAY);
    assert_eq!(verified_at(&fixture, &short, now.plus(DAY), now), "key_expired");
}

#[test]
fn a_key_revoked_for_another_reason_speaks_for_what_came_before() {
    for reason in [RevocationReason::Superseded, RevocationReason::Ceased, RevocationReason::Unspecified] {
        let (mut fixture, short, _) = february();
        let since = at("2026-02-20T00:00:00Z");
        revoke(&mut fixture, &short, since, reason);
        assert_eq!(verified_at(&fixture, &short, since.minus(SECOND), since.plus(DAY)), "verified");
        assert_eq!(verified_at(&fixture, &short, since, since.plus(DAY)), "key_revoked");
        assert_eq!(verified_at(&fixture, &short, since.plus(HOUR), since.plus(DAY)), "key_revoked");
        assert!(!fixture.trust().is_compromised(&agency("mz.prm"), short.key_id()));
    }
}

#[test]
fn lateness_counts_from_the_revocation() {
    let (mut fixture, short, _) = february();
    fixture.policy.list_grace = 400 * DAY;
    let since = at("2026-02-10T00:00:00Z");
    revoke(&mut fixture, &short, since, RevocationReason::Superseded);
    let created = since.minus(HOUR);
    assert_eq!(verified_at(&fixture, &short, created, since.plus(90 * DAY)), "verified");
    assert_eq!(
        verified_at(&fixture, &short, created, since.plus(90 * DAY + SECOND)),
        "key_ended_too_long_ago"
    );
}

#[test]
fn an_agency_speaks_while_it_is_valid() {
    let mut fixture = Fixture::new();
    let end = at("2026-02-15T00:00:00Z");
    fixture.mz.draft.end_agency(&agency("mz.prm"), end).expect("listed");
    assert_eq!(verified_at(&fixture, &fixture.prm, end.minus(SECOND), end.plus(DAY)), "verified");
    assert_eq!(verified_at(&fixture, &fixture.prm, end, end), "agency_not_valid");

    let mut fixture = Fixture::new();
    let early = key();
    let long = KeyTerm { not_before: start().minus(90 * DAY), not_after: start().plus(90 * DAY) };
    fixture.mz.add_key("mz.prm", early.public_key(), long);
    assert_eq!(verified_at(&fixture, &early, start().minus(SECOND), today()), "agency_not_valid");
    assert_eq!(verified_at(&fixture, &early, start(), today()), "verified");
}

#[test]
fn lateness_counts_from_the_agencys_end() {
    let mut fixture = Fixture::new();
    fixture.policy.list_grace = 400 * DAY;
    let end = at("2026-02-15T00:00:00Z");
    fixture.mz.draft.end_agency(&agency("mz.prm"), end).expect("listed");
    let created = end.minus(HOUR);
    assert_eq!(verified_at(&fixture, &fixture.prm, created, end.plus(90 * DAY)), "verified");
    assert_eq!(verified_at(&fixture, &fixture.prm, created, end.plus(91 * DAY)), "key_ended_too_long_ago");
}

#[test]
fn rotation_leaves_an_overlap_and_then_only_the_new_key() {
    let mut fixture = Fixture::new();
    let next = key();
    let term = KeyTerm { not_before: today(), not_after: at("2028-01-01T00:00:00Z") };
    let draft = &mut fixture.mz.draft;
    draft.rotate_signing_key(&agency("mz.prm"), *next.public_key(), term, 7 * DAY).expect("listed");
    let overlap = today().plus(3 * DAY);
    assert_eq!(verified_at(&fixture, &fixture.prm, overlap, overlap), "verified");
    assert_eq!(verified_at(&fixture, &next, overlap, overlap), "verified");
    let after = today().plus(7 * DAY);
    assert_eq!(verified_at(&fixture, &fixture.prm, after, after), "key_expired");
    assert_eq!(verified_at(&fixture, &next, after, after), "verified");
    assert_eq!(verified_at(&fixture, &next, today().minus(SECOND), today()), "key_not_yet_valid");
}

#[test]
fn an_owner_sees_the_state_of_its_key() {
    let (mut fixture, short, term) = february();
    let state = |fixture: &Fixture, now| fixture.trust().key_state(&agency("mz.prm"), short.key_id(), now);
    assert_eq!(state(&fixture, start()), KeyState::NotYetValid);
    assert_eq!(state(&fixture, today()), KeyState::Valid { not_after: term.not_after });
    assert_eq!(state(&fixture, term.not_after), KeyState::Expired);
    let since = at("2026-02-20T00:00:00Z");
    revoke(&mut fixture, &short, since, RevocationReason::Superseded);
    assert_eq!(state(&fixture, today()), KeyState::Valid { not_after: since });
    assert_eq!(state(&fixture, since), KeyState::Revoked);
    revoke(&mut fixture, &short, since, RevocationReason::Compromised);
    assert_eq!(state(&fixture, today()), KeyState::Compromised);
    let unlisted = fixture.trust().key_state(&agency("mz.senami"), short.key_id(), today());
    assert_eq!(unlisted, KeyState::Unlisted);
}
