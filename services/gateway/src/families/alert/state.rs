//! The states of an alert. Its issuer opened the case and alone changes the alert; the recipients report. Pure: computed from the
//! signed content and the time, never stored.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use rovuma_schemas::{
    AgencyCode, CaseSoFar, CountryCode, Date, HandlingCode, MessageId, SubjectKey, Timestamp, alert::Category,
};
use serde::{Deserialize, Serialize};

use crate::cases::fold::rules::{Applied, Ball, Breach, CaseRules, NoEffect, Step};

/// What a message of an alert says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlertFact {
    /// The issuer opens the case: version 1.
    Issue(Content),
    /// A newer version. It carries the whole content, so the highest version is enough to act on.
    Update {
        /// The issuer's count of versions.
        version: u32,
        /// The content.
        content: Content,
    },
    /// The issuer moves the end.
    Extend {
        /// The new end.
        ends: Timestamp,
        /// The last day on which the recipients may keep the alert, now that it lasts longer.
        retain_until: Option<Date>,
    },
    /// The issuer takes the alert back, for ever.
    Withdraw {
        /// The issuer's reason.
        reason: WithdrawReason,
        /// The last day on which the recipients may keep its data.
        retain_until: Option<Date>,
    },
    /// A second person of the issuer confirms what one person released in an emergency. The header names that message.
    Confirm,
    /// The issuer does not accept an error report, and says why. The header names the report.
    Reply,
    /// The recipient marks the alert as not executable on its territory.
    FlagOn,
    /// It takes the mark off.
    FlagOff,
    /// The recipient reports an error in a version.
    ErrorReport {
        /// The version that it read.
        version: u32,
    },
    /// The recipient certifies what it did with the data.
    Certify(Certificate),
}

/// What of an alert's content its state depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// When the alert ends; none in a version that leaves the end as it is.
    pub(crate) ends: Option<Timestamp>,
    /// Until when a second person must confirm, of a version that one person released in an emergency.
    pub(crate) confirm_by: Option<Timestamp>,
    /// The category.
    pub(crate) category: Option<Category>,
    /// Whether it is about a minor.
    #[serde(default)]
    pub(crate) is_about_minor: bool,
    /// The restriction on its use.
    pub(crate) handling: Option<HandlingCode>,
    /// The last day on which the recipients may keep it.
    pub(crate) retain_until: Option<Date>,
    /// The keys of its subjects.
    pub(crate) keys: BTreeSet<SubjectKey>,
}

/// Why an alert was withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WithdrawReason {
    /// The person or thing was found, the measure carried out.
    PurposeAchieved,
    /// The decision behind it no longer stands.
    DecisionRevoked,
    /// The alert was wrong.
    Error,
    /// The person's identity was misused by somebody else.
    MisusedIdentity,
    /// Its grounds no longer hold; the issuer does not say more (decision 25).
    NoLongerJustified,
    /// Another alert takes its place.
    Superseded {
        /// The message that opened the other alert.
        by: MessageId,
    },
    /// A reason of a newer version.
    Other(String),
}

/// What a recipient did with the data of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Certificate {
    /// It erased them.
    Erased,
    /// It keeps them, on a ground of its own law.
    Retained {
        /// The last day.
        until: Option<Date>,
    },
    /// It never had them.
    NeverHeld,
}

/// What became of an error report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReportAnswer {
    /// The issuer changed the alert.
    Updated,
    /// The issuer withdrew the alert.
    Withdrawn,
    /// The issuer did not accept it.
    NotAccepted,
}

/// The state of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlertState {
    /// No content has arrived.
    NotArrived,
    /// Officers act on it.
    Active,
    /// One person released it in an emergency and nobody has confirmed it in time: nobody acts on it until somebody does.
    Suspended,
    /// Its end has passed: it is a record only, and no ground to stop anybody.
    Expired,
    /// The issuer took it back. Its data are to be erased when their retention ends.
    Withdrawn,
}

/// What the messages of an alert add up to.
#[derive(Clone, Debug, Default)]
pub(crate) struct AlertCase {
    /// The highest version that is here, and the message that brought it.
    version: Option<(u32, MessageId)>,
    /// The content of that version.
    content: Content,
    /// For each letter, the highest number that a subject's key has had in any version.
    numbers_used: BTreeMap<char, u16>,
    ends: Option<Timestamp>,
    /// The messages whose release was confirmed.
    confirmed: BTreeSet<MessageId>,
    /// The latest day until which an extension lets the recipients keep the alert.
    extended_retention: Option<Date>,
    withdrawn: Option<(WithdrawReason, Option<Date>)>,
    flagged: BTreeSet<AgencyCode>,
    reports: BTreeMap<(MessageId, AgencyCode), u32>,
    /// What the issuer answered, by the message that it answers.
    answers: BTreeMap<MessageId, ReportAnswer>,
    certificates: BTreeMap<AgencyCode, Certificate>,
}

/// An alert at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AlertView {
    /// Its state.
    pub(crate) state: AlertState,
    /// The version in force.
    pub(crate) version: Option<u32>,
    /// When it ends.
    pub(crate) ends: Option<Timestamp>,
    /// Until when its release must be confirmed, if it must and was not.
    pub(crate) confirm_by: Option<Timestamp>,
    /// The content of the version in force, as far as its state depends on it.
    pub(crate) content: Content,
    /// What the next version must know of those before it.
    pub(crate) earlier: CaseSoFar,
    /// The last day on which its recipients may keep its data: as the withdrawal says, or else the version in force.
    pub(crate) retain_until: Option<Date>,
    /// Why it was withdrawn.
    pub(crate) withdrawn: Option<WithdrawReason>,
    /// The agencies that flagged it.
    pub(crate) flagged: BTreeSet<AgencyCode>,
    /// The countries in which it is not executable: those with an agency that flagged it.
    pub(crate) flagged_countries: BTreeSet<CountryCode>,
    /// Each error report with what became of it, if the issuer has said.
    pub(crate) reports: Vec<Report>,
    /// What each agency certified last about the data.
    pub(crate) certificates: BTreeMap<AgencyCode, Certificate>,
}

/// An error report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// The message.
    pub(crate) id: MessageId,
    /// Who reported.
    pub(crate) agency: AgencyCode,
    /// The version that it read.
    pub(crate) version: u32,
    /// The issuer's answer.
    pub(crate) answer: Option<ReportAnswer>,
}

/// The rules of the cases of alerts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AlertRules;

impl CaseRules for AlertRules {
    type Fact = AlertFact;
    type State = AlertCase;
    type View = AlertView;

    /// Only the issuer's own messages change what it said, and its turns order them: nothing depends on what crosses them.
    fn rank(&self, _: &AlertFact) -> u8 {
        0
    }

    fn is_absorbing(&self, fact: &AlertFact) -> bool {
        matches!(fact, AlertFact::Withdraw { .. })
    }

    fn is_judged_by_state(&self, fact: &AlertFact) -> bool {
        matches!(fact, AlertFact::Issue(_))
    }

    /// Whether it is opened is all that an opener is judged by.
    fn apply_for_judging(&self, state: &mut AlertCase, step: &Step<'_, AlertFact>) {
        match step.fact {
            AlertFact::Issue(_) => state.version = state.version.or(Some((1, step.id))),
            AlertFact::Update { version, .. } => state.version = state.version.or(Some((*version, step.id))),
            AlertFact::Withdraw { .. } => drop(self.apply(state, step)),
            _ => {}
        }
    }

    fn lawful(&self, state: &AlertCase, step: &Step<'_, AlertFact>) -> Result<(), Breach> {
        if step.fact.is_issuers() != step.is_owner {
            return Err(Breach::NotItsPart);
        }
        let is_opened = state.version.is_some() || state.withdrawn.is_some();
        match step.fact {
            AlertFact::Issue(_) if is_opened => Err(Breach::NotInState),
            // The rest repeats at worst what is so already: an issuer that lost its store withdraws a second time in good faith.
            _ => Ok(()),
        }
    }

    /// The issuer's own gateway signs nothing that would change nothing.
    fn may_sign(&self, state: &AlertCase, step: &Step<'_, AlertFact>) -> Result<(), Breach> {
        let is_change = matches!(step.fact, AlertFact::Update { .. } | AlertFact::Extend { .. });
        let is_void = state.withdrawn.is_some() || (is_change && state.has_ended(step.signed));
        // An issuer whose store was restored may know its alert from what others said of it: it would count versions from 1 again.
        let is_forgotten = matches!(step.fact, AlertFact::Update { .. }) && state.version.is_none();
        if step.is_owner && (is_void || is_forgotten) { Err(Breach::NotInState) } else { Ok(()) }
    }

    fn apply(&self, state: &mut AlertCase, step: &Step<'_, AlertFact>) -> Applied {
        let agency = || step.sender.clone();
        match step.fact {
            AlertFact::Issue(content) => return state.change((1, step.id), content, step.signed),
            AlertFact::Update { version, content } => {
                let applied = state.change((*version, step.id), content, step.signed);
                if applied == Applied::Whole {
                    state.answer(step.answers, ReportAnswer::Updated);
                }
                return applied;
            }
            AlertFact::Extend { ends, retain_until } => {
                return state.extend(*ends, *retain_until, step.signed);
            }
            AlertFact::Withdraw { .. } | AlertFact::Reply if state.withdrawn.is_some() => {
                return Applied::Without(NoEffect::Withdrawn);
            }
            AlertFact::Withdraw { reason, retain_until } => {
                state.withdrawn = Some((reason.clone(), *retain_until));
            }
            AlertFact::Confirm => state.confirmed.extend(step.answers),
            AlertFact::Reply => state.answer(step.answers, ReportAnswer::NotAccepted),
            AlertFact::FlagOn => drop(state.flagged.insert(agency())),
            AlertFact::FlagOff => drop(state.flagged.remove(step.sender)),
            AlertFact::ErrorReport { version } => drop(state.reports.insert((step.id, agency()), *version)),
            AlertFact::Certify(certificate) => drop(state.certificates.insert(agency(), *certificate)),
        }
        Applied::Whole
    }

    fn view(&self, state: &AlertCase, now: Timestamp) -> AlertView {
        AlertView {
            state: state.at(now),
            version: state.version.map(|(version, _)| version),
            ends: state.ends,
            confirm_by: state.confirm_by(),
            content: state.content.clone(),
            earlier: state.earlier(now),
            retain_until: match &state.withdrawn {
                Some((_, Some(day))) => Some(*day),
                _ => state.content.retain_until.max(state.extended_retention),
            },
            withdrawn: state.withdrawn.as_ref().map(|(reason, _)| reason.clone()),
            flagged: state.flagged.clone(),
            flagged_countries: state.flagged.iter().map(AgencyCode::country).collect(),
            reports: state.reports(),
            certificates: state.certificates.clone(),
        }
    }

    /// The issuer owes an answer to each error report, and a confirmation to an alert that is suspended.
    fn ball(&self, view: &AlertView) -> Ball {
        let is_answer_due = view.reports.iter().any(|report| report.answer.is_none());
        if is_answer_due || view.state == AlertState::Suspended { Ball::Owner } else { Ball::Nobody }
    }
}

impl AlertFact {
    /// Whether the issuer says this, and not a recipient.
    const fn is_issuers(&self) -> bool {
        match self {
            Self::Issue(_)
            | Self::Update { .. }
            | Self::Extend { .. }
            | Self::Withdraw { .. }
            | Self::Confirm
            | Self::Reply => true,
            Self::FlagOn | Self::FlagOff | Self::ErrorReport { .. } | Self::Certify(_) => false,
        }
    }
}

impl AlertCase {
    /// The state at `now`. It expires by time alone, whether or not the link is up.
    pub(super) fn at(&self, now: Timestamp) -> AlertState {
        let is_over = |end: Option<Timestamp>| end.is_some_and(|end| end <= now);
        match self.version {
            _ if self.withdrawn.is_some() => AlertState::Withdrawn,
            None => AlertState::NotArrived,
            Some(_) if is_over(self.ends) => AlertState::Expired,
            Some(_) if is_over(self.confirm_by()) => AlertState::Suspended,
            Some(_) => AlertState::Active,
        }
    }

    /// Until when the release of the version in force must be confirmed, if it must and was not.
    fn confirm_by(&self) -> Option<Timestamp> {
        let (_, message) = self.version?;
        self.content.confirm_by.filter(|_| !self.confirmed.contains(&message))
    }

    fn earlier(&self, now: Timestamp) -> CaseSoFar {
        CaseSoFar {
            version: self.version.map_or(0, |(version, _)| version),
            keys: self.content.keys.clone(),
            numbers_used: self.numbers_used.clone(),
            ends: self.ends,
            latest_end: self.content.category.map(|category| category.rule().validity.after(now)),
            ..CaseSoFar::default()
        }
    }

    /// Takes over a version. The end is that of the highest version that states one.
    fn change(
        &mut self,
        (version, message): (u32, MessageId),
        content: &Content,
        signed: Timestamp,
    ) -> Applied {
        for (letter, number) in content.keys.iter().map(SubjectKey::kind_and_number) {
            let highest = self.numbers_used.entry(letter).or_default();
            *highest = number.max(*highest);
        }
        match self.version {
            _ if self.withdrawn.is_some() => return Applied::Without(NoEffect::Withdrawn),
            Some((highest, _)) if version <= highest => return Applied::Without(NoEffect::OlderVersion),
            Some(_) if self.has_ended(signed) => return Applied::Without(NoEffect::AfterEnd),
            Some(_) | None => {}
        }
        self.version = Some((version, message));
        self.ends = content.ends.or(self.ends);
        self.content = content.clone();
        Applied::Whole
    }

    /// Moves the end. Without content it is kept until there is some.
    fn extend(&mut self, ends: Timestamp, retain_until: Option<Date>, signed: Timestamp) -> Applied {
        if self.withdrawn.is_some() {
            return Applied::Without(NoEffect::Withdrawn);
        }
        if self.has_ended(signed) {
            return Applied::Without(NoEffect::AfterEnd);
        }
        // An issuer that gives its alert longer than the category allows is not believed.
        let latest = self.content.category.map(|category| category.rule().validity.after(signed));
        self.ends = Some(latest.map_or(ends, |latest| ends.min(latest)));
        self.extended_retention = self.extended_retention.max(retain_until);
        Applied::Whole
    }

    fn has_ended(&self, signed: Timestamp) -> bool {
        self.ends.is_some_and(|ends| ends <= signed)
    }

    /// The first answer to a message stands.
    fn answer(&mut self, answered: Option<MessageId>, answer: ReportAnswer) {
        if let Some(answered) = answered {
            self.answers.entry(answered).or_insert(answer);
        }
    }

    /// The reports, by id. A withdrawal answers all of them.
    fn reports(&self) -> Vec<Report> {
        let withdrawn = self.withdrawn.as_ref().map(|_| ReportAnswer::Withdrawn);
        let report = |((id, agency), version): (&(MessageId, AgencyCode), &u32)| Report {
            id: *id,
            agency: agency.clone(),
            version: *version,
            answer: self.answers.get(id).copied().or(withdrawn),
        };
        self.reports.iter().map(report).collect()
    }
}

impl WithdrawReason {
    /// The code, as in the code list `withdraw_reasons`.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::PurposeAchieved => "purpose_achieved",
            Self::DecisionRevoked => "decision_revoked",
            Self::Error => "error",
            Self::MisusedIdentity => "misused_identity",
            Self::NoLongerJustified => "no_longer_justified",
            Self::Superseded { .. } => "superseded",
            Self::Other(code) => code,
        }
    }
}

impl Certificate {
    /// The code, as in the code list `purge_outcomes`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Erased => "erased",
            Self::Retained { .. } => "retained",
            Self::NeverHeld => "never_held",
        }
    }
}

impl ReportAnswer {
    /// The code in the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Updated => "updated",
            Self::Withdrawn => "withdrawn",
            Self::NotAccepted => "not_accepted",
        }
    }
}

impl AlertState {
    /// The code in the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NotArrived => "not_arrived",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }
}
