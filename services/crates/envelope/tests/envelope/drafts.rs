//! Draft lists: what the draft refuses before anybody signs it.

use rovuma_envelope::{
    SealingKey, Signer, TrustListDraft,
    trust::{ContentFault, DraftFault, ListContent, Revocation, RevocationReason},
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
fn a_key_is_in_a_list_once_whichever_agency_has_it() {
    let mut fixture = Fixture::new();
    let (prm, sealing) = (*fixture.prm.public_key(), SealingKey::generate());
    let draft = &mut fixture.mz.draft;
    draft.add_sealing_key(&agency("mz.prm"), sealing.recipient().clone(), year()).expect("new");
    for code in ["mz.prm", "mz.senami"] {
        let twice = [
            draft.add_signing_key(&agency(code), prm, year()),
            draft.add_sealing_key(&agency(code), sealing.recipient().clone(), year()),
        ];
        let is_named = |result: &Result<(), DraftFault>| {
            matches!(
                result,
                Err(DraftFault::Content(ContentFault::KeyTwice { agency, .. })) if agency.as_str() == "mz.prm"
            )
        };
        assert!(twice.iter().all(is_named), "{code}: {twice:?}");
    }
}

#[test]
fn a_key_is_taken_out_once() {
    let mut fixture = Fixture::new();
    let (prm, kid) = (agency("mz.prm"), *fixture.prm.key_id());
    let sealing = SealingKey::generate();
    let draft = &mut fixture.mz.draft;
    draft.add_sealing_key(&prm, sealing.recipient().clone(), year()).expect("new");
    draft.remove_signing_key(&prm, &kid).expect("listed");
    draft.remove_sealing_key(&prm, sealing.recipient()).expect("listed");
    let gone = [draft.remove_signing_key(&prm, &kid), draft.remove_sealing_key(&prm, sealing.recipient())];
    assert!(gone.iter().all(|result| matches!(result, Err(DraftFault::UnknownKey { .. }))), "{gone:?}");
}

#[test]
fn a_draft_that_breaks_a_rule_is_not_signed() {
    let fixture = Fixture::new();
    // Written by hand: the draft itself adds no key twice.
    let mut content = fixture.mz.draft.content().clone();
    let keys = |content: &ListContent, code: &str| {
        content.agencies.iter().position(|listed| listed.code == agency(code)).expect("listed")
    };
    let (of_prm, of_senami) = (keys(&content, "mz.prm"), keys(&content, "mz.senami"));
    let entry = content.agencies[of_prm].signing_keys[0].clone();
    content.agencies[of_senami].signing_keys.push(entry);
    let shared = TrustListDraft::resume(content).sign(&fixture.mz.authority, start(), today());
    assert!(matches!(shared, Err(DraftFault::Content(ContentFault::KeyTwice { .. }))));
    let backwards = Fixture::new().mz;
    let backwards = backwards.draft.clone().sign(&backwards.authority, today(), start());
    assert!(matches!(backwards, Err(DraftFault::Content(ContentFault::Dates { .. }))));
}
