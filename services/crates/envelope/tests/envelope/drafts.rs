//! Draft lists: what the draft refuses before anybody signs it.

use rovuma_envelope::{
    SealingKey, Signer,
    trust::{ContentFault, DraftFault, Revocation, RevocationReason},
};

use crate::fixture::{Fixture, agency, key, new_agency, start, today, year};

const COMPROMISED: RevocationReason = RevocationReason::Compromised;

#[test]
fn a_compromised_key_stays_compromised() {
    let mut fixture = Fixture::new();
    let (prm, kid) = (agency("mz.prm"), *fixture.prm.key_id());
    let draft = &mut fixture.mz.draft;
    let mut revoke = |reason| draft.revoke_signing_key(&prm, &kid, Revocation { at: today(), reason });
    revoke(RevocationReason::Superseded).expect("listed");
    revoke(COMPROMISED).expect("found out later");
    for reason in [RevocationReason::Superseded, RevocationReason::Unspecified, COMPROMISED] {
        assert!(matches!(revoke(reason), Err(DraftFault::RevokedAlready { .. })));
    }
}

#[test]
fn unknown_agencies_and_keys_are_refused() {
    let mut fixture = Fixture::new();
    let (nobody, prm) = (agency("mz.nobody"), agency("mz.prm"));
    let (fresh, sealing) = (key(), SealingKey::generate());
    let revocation = Revocation { at: today(), reason: COMPROMISED };
    let draft = &mut fixture.mz.draft;
    let unknown_agency = [
        draft.add_signing_key(&nobody, *fresh.public_key(), year()),
        draft.add_sealing_key(&nobody, sealing.recipient().clone(), year()),
        draft.revoke_signing_key(&nobody, fresh.key_id(), revocation),
        draft.end_agency(&nobody, today()),
        draft.change_agency(&nobody, new_agency("mz.nobody")),
    ];
    assert!(unknown_agency.iter().all(|result| matches!(result, Err(DraftFault::UnknownAgency { .. }))));
    let unknown_key = [
        draft.revoke_signing_key(&prm, fresh.key_id(), revocation),
        draft.revoke_sealing_key(&prm, sealing.recipient(), revocation),
    ];
    assert!(unknown_key.iter().all(|result| matches!(result, Err(DraftFault::UnknownKey { .. }))));
}

#[test]
fn only_new_agencies_of_the_own_country_are_added() {
    let mut fixture = Fixture::new();
    let draft = &mut fixture.mz.draft;
    let foreign = draft.add_agency(new_agency("tz.tpf"));
    assert!(matches!(foreign, Err(DraftFault::Content(ContentFault::ForeignAgency { .. }))));
    for code in ["mz.prm", "mz.node"] {
        let twice = draft.add_agency(new_agency(code));
        assert!(matches!(twice, Err(DraftFault::Content(ContentFault::AgencyTwice { .. }))), "{code}");
    }
}

#[test]
fn a_draft_that_breaks_a_rule_is_not_signed() {
    let mut fixture = Fixture::new();
    fixture.mz.add_key("mz.senami", fixture.prm.public_key(), year());
    let shared = fixture.mz.draft.clone().sign(&fixture.mz.authority, start(), today());
    assert!(matches!(shared, Err(DraftFault::Content(ContentFault::KeyTwice { .. }))));
    let backwards = Fixture::new().mz;
    let backwards = backwards.draft.clone().sign(&backwards.authority, today(), start());
    assert!(matches!(backwards, Err(DraftFault::Content(ContentFault::Dates { .. }))));
}
