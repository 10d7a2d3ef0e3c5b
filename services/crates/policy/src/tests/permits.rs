//! Permits, answers that fail closed, and the rules that an expert of the field would look for by name.

use rovuma_schemas::MessageType;

use super::questions::{ACTOR, agency, holder};
use crate::{Act, Action, Actor, Code, Context, Policy, Resource, Role, act};

fn code(actor: &Actor, act: impl Act, resource: &Resource, context: Context) -> Option<Code> {
    Policy::built_in().decide(actor, act, resource, &context).permitted().err().map(|denial| denial.code())
}

#[test]
fn a_permit_says_who_what_and_on_what() {
    let officer = holder("mz.prm", &[Role::LiaisonOfficer]);
    let draft = Resource::draft("d-1", &agency("mz.prm"), ACTOR, MessageType::AlertIssue);
    let decision = Policy::built_in().decide(&officer, act::DraftRelease, &draft, &Context::release(false));
    let permit = decision.permitted().expect("one person may");
    assert_eq!(permit.action(), Action::DraftRelease);
    assert_eq!(permit.actor(), &officer);
    assert_eq!(permit.resource(), &draft);
}

#[test]
fn a_forgotten_circumstance_is_a_refusal() {
    let officer = holder("mz.prm", &[Role::LiaisonOfficer]);
    let draft = Resource::draft("d-1", &agency("mz.prm"), ACTOR, MessageType::AlertIssue);
    let decision = Policy::built_in().decide(&officer, act::DraftRelease, &draft, &Context::NONE);
    let denial = decision.permitted().expect_err("release without saying how many eyes");
    assert_eq!(denial.code(), Code::PolicyFault);
    assert!(denial.fault_detail().is_some());
}

#[test]
fn a_resource_of_the_wrong_kind_is_a_refusal() {
    let officer = holder("mz.prm", &[Role::LiaisonOfficer]);
    let list = Resource::agency(&agency("mz.prm"));
    assert_eq!(code(&officer, act::DraftChange, &list, Context::NONE), Some(Code::PolicyFault));
    let draft = Resource::draft("d-1", &agency("mz.prm"), ACTOR, MessageType::AlertIssue);
    assert_eq!(code(&officer, act::MessageListInbox, &draft, Context::NONE), Some(Code::PolicyFault));
}

#[test]
fn a_border_officer_sees_what_has_come_and_reads_no_narrative() {
    let officer = holder("mz.prm", &[Role::BorderOfficer]);
    let message = Resource::message("m", &agency("mz.prm"));
    let inbox = Resource::agency(&agency("mz.prm"));
    assert_eq!(code(&officer, act::MessageListInbox, &inbox, Context::NONE), None);
    assert_eq!(code(&officer, act::MessageReadMetadata, &message, Context::NONE), None);
    assert_eq!(code(&officer, act::MessageRead, &message, Context::read(true)), Some(Code::Role));
    assert_eq!(code(&officer, act::MessageMarkRead, &message, Context::NONE), Some(Code::Role));
    assert_eq!(code(&officer, act::MessageListSent, &inbox, Context::NONE), Some(Code::Role));
    let neighbour = Resource::message("m", &agency("mz.senami"));
    assert_eq!(code(&officer, act::MessageReadMetadata, &neighbour, Context::NONE), Some(Code::OtherAgency));
}

#[test]
fn an_analyst_sends_nothing_abroad_not_even_a_read_receipt() {
    let analyst = holder("mz.prm", &[Role::Analyst]);
    let message = Resource::message("m", &agency("mz.prm"));
    let draft = Resource::draft("d", &agency("mz.prm"), ACTOR, MessageType::AlertIssue);
    assert_eq!(code(&analyst, act::MessageMarkRead, &message, Context::NONE), Some(Code::Role));
    assert_eq!(code(&analyst, act::DraftRelease, &draft, Context::release(false)), Some(Code::Role));
    assert_eq!(code(&analyst, act::MessageRead, &message, Context::read(false)), None);
}

#[test]
fn an_auditor_states_a_reason_before_reading_content() {
    let auditor = holder("mz.prm", &[Role::Auditor]);
    let message = Resource::message("m", &agency("mz.prm"));
    assert_eq!(code(&auditor, act::MessageRead, &message, Context::read(false)), Some(Code::ReasonRequired));
    assert_eq!(code(&auditor, act::MessageRead, &message, Context::read(true)), None);
}

#[test]
fn an_unknown_role_word_gives_no_right() {
    let roles = Actor::roles_from_words(["LIAISON_OFFICER", "root", "", "analyst"]);
    assert_eq!(roles.into_iter().collect::<Vec<_>>(), [Role::Analyst]);
}

#[test]
fn every_word_reads_back() {
    for role in Role::ALL {
        assert_eq!(role.as_str().parse::<Role>().expect("a role"), role);
    }
    for code in Code::ALL {
        assert_eq!(code.as_str().parse::<Code>().expect("a code"), code);
    }
}
