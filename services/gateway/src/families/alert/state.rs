//! The states of an alert. Its issuer opened the case and alone changes the alert; the recipients report. Pure: computed from the
//! signed content and the time, never stored.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use rovuma_schemas::{AgencyCode, CountryCode, MessageId, Timestamp};

use crate::cases::fold::rules::{Applied, Ball, Breach, CaseRules, NoEffect, Step};

/// What a message of an alert says.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    },
    /// The issuer takes the alert back, for ever.
    Withdraw(WithdrawReason),
    /// A second person of the issuer confirms what one person released in an emergency.
    Confirm {
        /// The version that was released.
        version: u32,
    },
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    /// When the alert ends; none in a version that leaves the end as it is.
    pub(crate) ends: Option<Timestamp>,
    /// Until when a second person must confirm, of a version that one person released in an emergency.
    pub(crate) confirm_by: Option<Timestamp>,
}

/// Why an alert was withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WithdrawReason {
    /// The person or thing was found, the measure carried out.
    PurposeAchieved,
    /// The decision behind it no longer stands.
    DecisionRevoked,
    /// The alert was wrong.
    Error,
    /// The person's identity was misused by somebody else.
    MisusedIdentity,
    /// The person was granted asylum.
    AsylumGranted,
    /// Another alert takes its place.
    Superseded {
        /// The message that opened the other alert.
        by: MessageId,
    },
}

/// What a recipient did with the data of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certificate {
    /// It erased them.
    Erased,
    /// It keeps them, on a ground of its own law.
    Retained {
        /// Until when.
        until: Timestamp,
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
    /// The highest version that is here, and until when it must be confirmed.
    version: Option<(u32, Option<Timestamp>)>,
    ends: Option<Timestamp>,
    confirmed: BTreeSet<u32>,
    withdrawn: Option<WithdrawReason>,
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
        matches!(fact, AlertFact::Withdraw(_))
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
        if step.is_owner && is_void { Err(Breach::NotInState) } else { Ok(()) }
    }

    fn apply(&self, state: &mut AlertCase, step: &Step<'_, AlertFact>) -> Applied {
        let agency = || step.sender.clone();
        match step.fact {
            AlertFact::Issue(content) => return state.change(1, *content, step.signed),
            AlertFact::Update { version, content } => {
                let applied = state.change(*version, *content, step.signed);
                if applied == Applied::Whole {
                    state.answer(step.answers, ReportAnswer::Updated);
                }
                return applied;
            }
            AlertFact::Extend { ends } => return state.extend(*ends, step.signed),
            AlertFact::Withdraw(_) | AlertFact::Reply if state.withdrawn.is_some() => {
                return Applied::Without(NoEffect::Withdrawn);
            }
            AlertFact::Withdraw(reason) => state.withdrawn = Some(*reason),
            AlertFact::Confirm { version } => drop(state.confirmed.insert(*version)),
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
            withdrawn: state.withdrawn,
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
            | Self::Withdraw(_)
            | Self::Confirm { .. }
            | Self::Reply => true,
            Self::FlagOn | Self::FlagOff | Self::ErrorReport { .. } | Self::Certify(_) => false,
        }
    }
}

impl AlertCase {
    /// An alert of which only the first version is known.
    pub(super) fn issued(content: Content) -> Self {
        Self { version: Some((1, content.confirm_by)), ends: content.ends, ..Self::default() }
    }

    /// The state at `now`. It expires by time alone, whether or not the link is up.
    pub(super) fn at(&self, now: Timestamp) -> AlertState {
        let is_over = |end: Option<Timestamp>| end.is_some_and(|end| end <= now);
        match self.version {
            _ if self.withdrawn.is_some() => AlertState::Withdrawn,
            None => AlertState::NotArrived,
            Some(_) if is_over(self.ends) => AlertState::Expired,
            Some((version, confirm_by)) if is_over(confirm_by) && !self.confirmed.contains(&version) => {
                AlertState::Suspended
            }
            Some(_) => AlertState::Active,
        }
    }

    /// Takes over a version. The end is that of the highest version that states one.
    fn change(&mut self, version: u32, content: Content, signed: Timestamp) -> Applied {
        match self.version {
            _ if self.withdrawn.is_some() => return Applied::Without(NoEffect::Withdrawn),
            Some((highest, _)) if version <= highest => return Applied::Without(NoEffect::OlderVersion),
            Some(_) if self.has_ended(signed) => return Applied::Without(NoEffect::AfterEnd),
            Some(_) | None => {}
        }
        self.version = Some((version, content.confirm_by));
        self.ends = content.ends.or(self.ends);
        Applied::Whole
    }

    /// Moves the end. Without content it is kept until there is some.
    fn extend(&mut self, ends: Timestamp, signed: Timestamp) -> Applied {
        if self.withdrawn.is_some() {
            return Applied::Without(NoEffect::Withdrawn);
        }
        if self.has_ended(signed) {
            return Applied::Without(NoEffect::AfterEnd);
        }
        self.ends = Some(ends);
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
        let withdrawn = self.withdrawn.map(|_| ReportAnswer::Withdrawn);
        let report = |((id, agency), version): (&(MessageId, AgencyCode), &u32)| Report {
            id: *id,
            agency: agency.clone(),
            version: *version,
            answer: self.answers.get(id).copied().or(withdrawn),
        };
        self.reports.iter().map(report).collect()
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
