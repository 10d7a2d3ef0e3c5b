//! The verdict: what the entries that were found mean for one scan.

use std::collections::BTreeSet;

use rovuma_schemas::{AgencyCode, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    compare::{Doubt, Feature, Likeness, Match, compare},
    index::{EntryNo, Index},
    listed::{ACTIONS, AlertFacts, Listed, ListedNumber, ListedSubject},
    number::NumberKind,
    reading::{self, NumberDigit, ReadScan, Reading, Understood, Unreadable},
    rules::{Rule, RuleCode, Rules},
    scan::Scan,
};

/// What screening says of one text.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Something listed has this number.
    Hit,
    /// Something listed is alike: a person decides.
    Review,
    /// Nothing that is listed has it, in lists that are all there and current.
    NoHit,
    /// Nothing was found, and a list was not there, was being loaded, or is stale, or the number was misread: it is not known that nothing is
    /// listed.
    Incomplete,
    /// Too little to look for.
    TooLittle,
    /// The text could not be read.
    Unreadable,
}

impl Verdict {
    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Review => "review",
            Self::NoHit => "no_hit",
            Self::Incomplete => "incomplete",
            Self::TooLittle => "too_little",
            Self::Unreadable => "unreadable",
        }
    }
}

/// The crossing at which something is scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// The border post, a code of `crossings`.
    pub post: String,
    /// `entry`, `exit` or `none`.
    pub direction: String,
    /// Whether the traveller asks for protection: then nothing is told to another state.
    pub asks_protection: bool,
}

/// Everything that a judgement depends on, beside the entries.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What was scanned.
    pub scan: &'a Scan,
    /// Where; absent for a look-up outside a crossing.
    pub crossing: Option<&'a Crossing>,
    /// The rules in force.
    pub rules: &'a Rules,
    /// The agency for which it is scanned.
    pub agency: &'a AgencyCode,
    /// The present time.
    pub now: Timestamp,
}

/// Why a hit is not forwarded, beside doubts about the match.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum KeptBack {
    /// The list is imported: it is for the own national office only.
    ImportedList,
    /// The alert is the agency's own, or no other agency here has it: its owner is told without a message.
    OwnAlert,
    /// The alert is not executed here.
    Flagged,
    /// The traveller asks for protection, or is stateless or a refugee.
    Protection,
    /// Nobody is at a crossing.
    NoCrossing,
    /// The rule does not forward at present.
    RuleOff,
}

impl KeptBack {
    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ImportedList => "imported_list",
            Self::OwnAlert => "own_alert",
            Self::Flagged => "flagged",
            Self::Protection => "protection",
            Self::NoCrossing => "no_crossing",
            Self::RuleOff => "rule_off",
        }
    }
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The entry.
    pub entry: EntryNo,
    /// What it says.
    pub listed: Listed,
    /// The rule that found it.
    pub rule: Rule,
    /// How it was found.
    pub likeness: Likeness,
    /// The kind of the number.
    pub matched: NumberKind,
    /// The number as it was read.
    pub value: String,
    /// The number as the list has it, which a person who says that it is the same reports; none where something alike lies within a series.
    pub reported: Option<String>,
    /// The key of the subject, or of the document, in its alert.
    pub subject: Option<String>,
    /// What was compared.
    pub explanation: Vec<Feature>,
    /// Why the match is not certain; empty when it is.
    pub doubts: Vec<Doubt>,
    /// Why it is not forwarded although it may be certain.
    pub kept_back: Vec<KeptBack>,
    /// Whether a person other than the listed one holds the document.
    pub is_possible_misuse: bool,
    /// The traveller, where the document shows who that is.
    pub traveller: Option<Traveller>,
}

/// A traveller as their own document names them: by number and full birth date, never by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traveller {
    /// The number of the document, as it is compared.
    pub number: String,
    /// Its issuer.
    pub state: String,
    /// The birth date, `YYMMDD`.
    pub birth: String,
}

/// What screening found for one scan, before the state of the lists and the caller's rights are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What the text was understood as.
    pub understood: Understood,
    /// The verdict, as if every list were there.
    pub verdict: Verdict,
    /// Everything found, the strongest action first.
    pub findings: Vec<Finding>,
    /// Whether it is not known that nothing else is listed: a check digit says that a number was misread, or more entries may have it than
    /// are looked at.
    pub(crate) is_incomplete: bool,
}

/// A scan that was read, and the entries that may have its numbers.
#[derive(Debug)]
pub struct Looked {
    read: ReadScan,
    /// The entries to compare.
    pub candidates: BTreeSet<EntryNo>,
    /// Whether more entries may have its numbers than are compared.
    are_more: bool,
}

impl Looked {
    /// Reads a scan and looks it up.
    ///
    /// # Errors
    /// [`Unreadable`], with what is wrong.
    pub fn look(scan: &Scan, index: &Index) -> Result<Self, Unreadable> {
        Ok(Self::of(reading::read(scan)?, index))
    }

    fn of(read: ReadScan, index: &Index) -> Self {
        let mut looked = Self { read, candidates: BTreeSet::new(), are_more: false };
        for reading in &looked.read.readings {
            looked.are_more |=
                index.find((reading.kind, reading.is_kind_known), &reading.number, &mut looked.candidates);
        }
        if looked.are_more {
            looked.read.understood.warnings.push("more_than_shown".to_owned());
        }
        looked
    }

    /// Whether the document itself says that its holder may need protection.
    pub(crate) fn says_protected(&self) -> bool {
        self.read.readings.iter().any(|reading| reading.holder.as_ref().is_some_and(is_protected))
    }

    /// What may be remembered of a crossing: numbers that were read whole and whose kind is known, without the holder.
    pub(crate) fn memorable(&self) -> Vec<Reading> {
        let read = self.read.readings.iter().filter(|reading| {
            !reading.is_proposed && reading.is_kind_known && reading.digit != NumberDigit::Wrong
        });
        read.map(|reading| Reading { holder: None, ..reading.clone() }).collect()
    }

    /// What was read before, to be compared with entries that the caller knows.
    pub(crate) fn again(reading: Reading) -> Self {
        let read = ReadScan { understood: Understood::default(), readings: vec![reading] };
        Self { read, candidates: BTreeSet::new(), are_more: false }
    }
}

/// Maximum findings of one scan, the strongest first: nobody reads more, and each is kept.
const FINDINGS_MAX: usize = 16;

/// Nationalities and statuses of people who may need protection from a state (ICAO Doc 9303 part 3 section 5): stateless persons and
/// refugees.
const PROTECTED: [&str; 3] = ["XXA", "XXB", "XXC"];

/// Judges what was found.
pub fn judge(question: &Question<'_>, looked: Looked, entries: Vec<(EntryNo, Listed)>) -> Judged {
    let Looked { read: ReadScan { understood, readings }, are_more, .. } = looked;
    if readings.is_empty() {
        return Judged {
            understood,
            verdict: Verdict::TooLittle,
            findings: Vec::new(),
            is_incomplete: false,
        };
    }
    let live = entries.into_iter().filter(|(_, listed)| listed.is_live(question.now));
    let mut findings: Vec<Finding> =
        live.filter_map(|(entry, listed)| finding(question, &readings, entry, listed)).collect();
    findings.sort_by_cached_key(|finding| {
        (!finding.is_hit(), finding.action_rank(), finding.doubts.len(), finding.listed.reference.clone())
    });
    findings.truncate(FINDINGS_MAX);
    // The digit of a VIN is the maker's, who may have printed another.
    let is_misread = readings.iter().any(|reading| {
        !reading.is_proposed
            && reading.digit == NumberDigit::Wrong
            && matches!(reading.kind, NumberKind::Document | NumberKind::Imei)
    });
    let is_incomplete = is_misread || are_more;
    let mut judged = Judged { understood, verdict: Verdict::NoHit, findings, is_incomplete };
    judged.verdict = judged.verdict_of_findings();
    judged
}

impl Judged {
    /// Nothing is known about a number that was misread, however little was found.
    fn verdict_of_findings(&self) -> Verdict {
        match self.findings.first() {
            Some(first) if first.is_hit() => Verdict::Hit,
            Some(_) => Verdict::Review,
            None if self.is_incomplete => Verdict::Incomplete,
            None => Verdict::NoHit,
        }
    }

    /// Leaves out what is only alike and is known to be somebody else. What is equal stays, whoever was cleared: the document itself is
    /// listed.
    pub fn leave_out(&mut self, is_known: impl Fn(&Finding) -> bool) {
        let is_alike =
            |finding: &Finding| matches!(finding.likeness, Likeness::Confusable | Likeness::Suffix);
        let is_left_out = |finding: &Finding| is_alike(finding) && is_known(finding);
        // The booth must not learn that there is a discreet check, not even one that is over for this traveller.
        let shows = self.findings.iter().any(|finding| is_left_out(finding) && !finding.is_discreet());
        self.findings.retain(|finding| !is_left_out(finding));
        if shows {
            self.understood.warnings.push("known_innocent".to_owned());
        }
        self.verdict = self.verdict_of_findings();
    }
}

/// The best match of any reading with any number of an entry.
fn finding(question: &Question<'_>, readings: &[Reading], entry: EntryNo, listed: Listed) -> Option<Finding> {
    let mut best: Option<(Match, &Reading, &ListedSubject, &ListedNumber)> = None;
    for reading in readings {
        for (subject, number) in listed.numbers() {
            let Some(found) = compare(question.scan, reading, (subject, number)) else { continue };
            // Whatever is certain of one number of an entry is not less so because another of them is doubtful.
            let is_for_review = |found: &Match| found.doubts.iter().any(|doubt| doubt.is_for_review());
            let rank = |found: &Match| (is_for_review(found), found.likeness, found.doubts.len());
            if best.as_ref().is_none_or(|(known, ..)| rank(&found) < rank(known)) {
                best = Some((found, reading, subject, number));
            }
        }
    }
    let (found, reading, subject, number) = best?;
    let code = match found.doubts.iter().any(|doubt| doubt.is_for_review()) {
        true => RuleCode::Review,
        false => RuleCode::of_exact(number.kind),
    };
    let rule = question.rules.rule(code);
    let kept_back = kept_back(question, reading, &listed, &rule);
    Some(Finding {
        entry,
        rule,
        likeness: found.likeness,
        matched: number.kind,
        value: reading.number.clone(),
        reported: match found.likeness {
            Likeness::Equal | Likeness::InSeries => Some(reading.number.clone()),
            Likeness::Confusable | Likeness::Suffix => {
                number.value_to.is_none().then(|| number.value.clone())
            }
        },
        subject: number.key.clone().or_else(|| subject.key.clone()),
        explanation: found.features,
        doubts: found.doubts,
        kept_back,
        is_possible_misuse: found.is_other_holder,
        traveller: traveller(readings),
        listed,
    })
}

/// The traveller, if a zone without a wrong digit says who that is.
fn traveller(readings: &[Reading]) -> Option<Traveller> {
    let reading =
        readings.iter().find(|reading| !reading.is_proposed && reading.digit == NumberDigit::Right)?;
    let (Some(year), Some(month), Some(day)) = reading.holder.as_ref()?.birth else { return None };
    Some(Traveller {
        number: reading.number.clone(),
        state: reading.state.clone()?,
        birth: format!("{year:02}{month:02}{day:02}"),
    })
}

fn is_protected(holder: &reading::Holder) -> bool {
    PROTECTED.contains(&holder.nationality.as_str())
}

fn kept_back(question: &Question<'_>, reading: &Reading, listed: &Listed, rule: &Rule) -> Vec<KeptBack> {
    let mut kept_back = Vec::new();
    match &listed.alert {
        None => kept_back.push(KeptBack::ImportedList),
        Some(alert) if alert.case.owner == *question.agency || alert.reporters().next().is_none() => {
            kept_back.push(KeptBack::OwnAlert);
        }
        Some(alert) if alert.flagged.is_some() => kept_back.push(KeptBack::Flagged),
        Some(_) => {}
    }
    if question.crossing.is_some_and(|crossing| crossing.asks_protection)
        || reading.holder.as_ref().is_some_and(is_protected)
    {
        kept_back.push(KeptBack::Protection);
    }
    if question.crossing.is_none() {
        kept_back.push(KeptBack::NoCrossing);
    }
    if !rule.forwards {
        kept_back.push(KeptBack::RuleOff);
    }
    kept_back
}

impl Finding {
    /// Whether it is a hit, and not only something alike.
    pub fn is_hit(&self) -> bool {
        self.rule.code != RuleCode::Review
    }

    /// Whether it is certain and may be told to the alert's owner without a person.
    pub fn forwards(&self) -> bool {
        self.doubts.is_empty() && self.kept_back.is_empty()
    }

    /// What is to be done here; of an imported list nothing but to tell the national office.
    pub fn action(&self) -> &'static str {
        self.listed.alert.as_ref().map_or("inform_only", AlertFacts::action)
    }

    fn action_rank(&self) -> usize {
        let action = self.action();
        ACTIONS.iter().position(|known| *known == action).unwrap_or(ACTIONS.len())
    }

    /// Whether the booth must not notice it: the check is discreet.
    pub fn is_discreet(&self) -> bool {
        self.listed.alert.as_ref().is_some_and(AlertFacts::is_discreet)
    }

    /// How much the numbers are alike, from 0 to 1, for lists that people sort.
    pub const fn score(&self) -> f64 {
        match self.likeness {
            Likeness::Equal | Likeness::InSeries => 1.0,
            Likeness::Confusable => 0.8,
            Likeness::Suffix => 0.5,
        }
    }

    /// The kind of identifier as a notice names it, a code of `matched_kinds`.
    pub fn matched_word(&self) -> &'static str {
        match (self.likeness, self.matched) {
            (Likeness::InSeries, NumberKind::Document) => "document_series",
            (_, kind) => kind.as_str(),
        }
    }
}
