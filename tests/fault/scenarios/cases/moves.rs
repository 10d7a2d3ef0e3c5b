//! Who makes a move, and with which draft, from what that agency sees of the case.

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    content,
    play::{Callers, PlayedCase},
    requests,
    script::{AlertMove, CaseKind, MoveKind, RequestMove},
};
use crate::chance::Chance;

/// A draft, and who sends it.
#[derive(Debug)]
pub(super) struct Author {
    pub(super) agency: &'static str,
    pub(super) role: &'static str,
    pub(super) draft: Value,
}

impl Author {
    const fn officer(agency: &'static str, draft: Value) -> Self {
        Self { agency, role: "officer", draft }
    }

    const fn supervisor(agency: &'static str, draft: Value) -> Self {
        Self { agency, role: "supervisor", draft }
    }
}

pub(super) async fn author(
    played: &PlayedCase,
    kind: MoveKind,
    callers: &Callers,
    chance: &mut Chance,
) -> Result<Author> {
    let conversation = &played.conversation;
    match kind {
        MoveKind::Open => {
            let draft = match conversation.kind {
                CaseKind::Alert => content::issue(conversation, chance),
                CaseKind::Request => requests::submit(conversation, chance),
            };
            Ok(Author::officer(conversation.opener, draft))
        }
        MoveKind::Alert(kind) => in_alert(played, kind, callers, chance).await,
        MoveKind::Request(kind) => Ok(in_request(played, kind, chance)),
    }
}

async fn in_alert(
    played: &PlayedCase,
    kind: AlertMove,
    callers: &Callers,
    chance: &mut Chance,
) -> Result<Author> {
    let (alert, case, path) = (&played.conversation, played.case(), played.path());
    let issuer = alert.opener;
    let recipient = *chance.one_of(&alert.recipients);
    let update = async |chance: &mut Chance| -> Result<Value> {
        let seen = callers.get(issuer, &path).await?.unwrap_or_default();
        let keys = seen["alert"]["subjects"].as_array().into_iter().flatten();
        let keys: Vec<String> = keys.filter_map(|key| key.as_str().map(str::to_owned)).collect();
        let mut draft = content::update(alert, &case, &keys, chance);
        if let Some(report) = open_report(&seen) {
            draft["in_reply_to"] = json!(report);
        }
        Ok(draft)
    };
    Ok(match kind {
        AlertMove::Update => Author::officer(issuer, update(chance).await?),
        AlertMove::Extend => Author::supervisor(issuer, content::extend(alert, &case, chance)),
        AlertMove::Withdraw => match chance.number(0..2) {
            0 => Author::officer(issuer, content::withdraw(alert, &case, "error")),
            _ => Author::supervisor(issuer, content::withdraw(alert, &case, "purpose_achieved")),
        },
        AlertMove::Reply => {
            let seen = callers.get(issuer, &path).await?.unwrap_or_default();
            let draft = match open_report(&seen) {
                Some(report) => content::reply(alert, &case, &report),
                None => update(chance).await?,
            };
            Author::officer(issuer, draft)
        }
        AlertMove::Confirm => {
            let draft = match played.sent.iter().rev().find(|step| step.is_emergency && step.sender == issuer)
            {
                Some(step) => content::confirm(alert, &case, &step.id),
                None => content::extend(alert, &case, chance),
            };
            Author::supervisor(issuer, draft)
        }
        AlertMove::FlagOn | AlertMove::FlagOff | AlertMove::ErrorReport => {
            callers.await_case(recipient, &path).await?;
            let seen = callers.get(recipient, &path).await?.unwrap_or_default();
            let version = seen["alert"]["version"].as_u64().unwrap_or_default();
            let draft = match kind {
                AlertMove::ErrorReport => content::error_report(alert, &case, version),
                _ => content::flag(alert, &case, version, kind == AlertMove::FlagOn),
            };
            Author::officer(recipient, draft)
        }
        AlertMove::Certify => Author::supervisor(recipient, content::certify(alert, &case, chance)),
        AlertMove::Trespass => match chance.number(0..2) {
            0 => Author::officer(recipient, content::withdraw(alert, &case, "error")),
            _ => Author::officer(issuer, content::extend(alert, &case, chance)),
        },
    })
}

fn in_request(played: &PlayedCase, kind: RequestMove, chance: &mut Chance) -> Author {
    use RequestMove as R;
    let (case, requester) = (played.case(), played.conversation.opener);
    let answerer = *chance.one_of(&played.conversation.recipients);
    match kind {
        R::Acknowledge => Author::officer(answerer, requests::acknowledge(&case, chance)),
        R::Ask => Author::officer(answerer, requests::ask(&case, chance)),
        R::Delay => Author::officer(answerer, requests::delay(&case, chance)),
        R::AnswerPartial => Author::officer(answerer, requests::answer_partial(&case, chance)),
        R::Answer => Author::officer(answerer, requests::answer(&case, chance)),
        R::Refuse => Author::supervisor(answerer, requests::refuse(&case)),
        R::Clarify => Author::officer(requester, requests::clarify(&case, chance)),
        R::Remind => Author::officer(requester, requests::remind(&case)),
        R::Cancel => Author::officer(requester, requests::cancel(&case)),
        R::Close => Author::officer(requester, requests::close(&case, chance)),
        R::Certify => {
            let party = *chance.one_of(&[requester, answerer]);
            Author::supervisor(party, requests::certify(&case, chance))
        }
        R::Trespass => match chance.number(0..3) {
            0 => Author::officer(answerer, requests::cancel(&case)),
            1 => Author::officer(requester, requests::answer(&case, chance)),
            _ => Author::officer(answerer, requests::refuse(&case)),
        },
    }
}

/// The first error report to which the issuer owes an answer.
fn open_report(case: &Value) -> Option<String> {
    let mut reports = case["alert"]["reports"].as_array()?.iter();
    reports.find(|report| report["answer"].is_null())?["id"].as_str().map(str::to_owned)
}
