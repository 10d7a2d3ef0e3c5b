//! Whose word makes a checkpoint good: a policy file as C2SP tlog-policy has it.
//!
//! ```text
//! log mz.audit/2026+7f3a9c01+ATx…
//! witness tz tz.audit+02b8ee14+BK1…
//! witness third observer.example+5d0c6aa2+BJ9…
//! group countries all tz
//! quorum countries
//! ```

use std::{collections::BTreeSet, str::FromStr};

use crate::{Checkpoint, Cosigned, KeyKind, NoteKey, NoteKeyFault, UnverifiedCheckpoint, note::cosigned_at};

/// Logs, witnesses and groups of a policy at most, of each: C2SP asks for 32 at least.
const NAMED_MAX: usize = 64;

/// Pinned keys, and which cosignatures a checkpoint needs.
#[derive(Clone, Debug, PartialEq)]
pub struct LogPolicy {
    logs: Vec<NoteKey>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Witness {
    name: String,
    key: NoteKey,
}

#[derive(Clone, Debug, PartialEq)]
struct Group {
    name: String,
    threshold: usize,
    members: Vec<String>,
}

/// A text that is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the policy: {reason}")]
pub struct PolicyFault {
    /// Which line, from 1; the number of lines when one is missing.
    pub line: usize,
    /// What is wrong with it.
    pub reason: PolicyReason,
}

/// What is wrong with a line of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyReason {
    /// It is none of the lines that a policy has.
    #[error(
        "not a line of a policy: log KEY, witness NAME KEY, group NAME all|any|K NAME…, quorum NAME|none"
    )]
    Shape,
    /// Its key cannot be read.
    #[error(transparent)]
    Key(#[from] NoteKeyFault),
    /// Its key is not of the kind that the line wants.
    #[error("the key is of another kind than the line")]
    KeyKind,
    /// The key is there already.
    #[error("the key is named twice")]
    KeyTwice,
    /// The name is there already, or is `none`.
    #[error("the name {name} is taken")]
    Name {
        /// The name.
        name: String,
    },
    /// No line before names this.
    #[error("no line before this one names {name}")]
    Unknown {
        /// The name.
        name: String,
    },
    /// A group's member is in a group already.
    #[error("{name} is in a group already")]
    Member {
        /// The name.
        name: String,
    },
    /// A group needs no member, or more than it has.
    #[error("a group of {members} cannot need {threshold}")]
    Threshold {
        /// How many it has.
        members: usize,
        /// How many it needs.
        threshold: usize,
    },
    /// There is no quorum, or more than one.
    #[error("there must be one quorum line")]
    Quorum,
    /// There is more of something than a policy has.
    #[error("more than {NAMED_MAX} of a kind")]
    TooMany,
}

/// What a policy says of a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyVerdict {
    /// Its log signed it, and enough witnesses cosigned.
    Good(Checkpoint),
    /// Its log signed it. These witnesses of the policy did not cosign, and they are too many.
    Unwitnessed {
        /// The checkpoint, with those who did.
        checkpoint: Checkpoint,
        /// Those who did not.
        missing: Vec<String>,
    },
    /// No log of the policy signed it.
    NotSigned,
    /// A line says that it is by a key of the policy, and is not.
    Forged {
        /// The key's name.
        name: String,
    },
}

/// A head that is not good by the policy, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGood {
    /// Its log signed it, and too few of the witnesses.
    #[error("the head is not cosigned by {}", .missing.join(", "))]
    Unwitnessed {
        /// Those who have not.
        missing: Vec<String>,
    },
    /// No log of the policy signed it.
    #[error("the head is not signed by a log that the policy names")]
    NotSigned,
    /// A signature of it is not what it says.
    #[error("what says it is signed by {name} is not")]
    Forged {
        /// Whose it says it is.
        name: String,
    },
}

impl PolicyVerdict {
    /// The checkpoint, if it is good.
    ///
    /// # Errors
    /// [`NotGood`], with the reason.
    pub fn good(self) -> Result<Checkpoint, NotGood> {
        match self {
            Self::Good(checkpoint) => Ok(checkpoint),
            Self::Unwitnessed { missing, .. } => Err(NotGood::Unwitnessed { missing }),
            Self::NotSigned => Err(NotGood::NotSigned),
            Self::Forged { name } => Err(NotGood::Forged { name }),
        }
    }
}

impl LogPolicy {
    /// What the policy says of a checkpoint.
    pub fn judge(&self, unverified: UnverifiedCheckpoint) -> PolicyVerdict {
        let text = unverified.text();
        let forged = |log: &&NoteKey| unverified.by(log).any(|signature| !log.verifies(text, signature));
        if let Some(log) = self.logs.iter().find(forged) {
            return PolicyVerdict::Forged { name: log.name().to_owned() };
        }
        let origin = &unverified.unverified_head().origin;
        if !self.logs.iter().any(|log| log.name() == origin && is_by(&unverified, log)) {
            return PolicyVerdict::NotSigned;
        }
        let mut cosigned = Vec::new();
        let countable = self.witnesses.iter().filter(|witness| witness.key.kind() == KeyKind::Cosigner);
        for Witness { name, key } in countable {
            let mut latest = None;
            for signature in unverified.by(key) {
                let Some(unix_s) = cosigned_at(text, key, signature) else {
                    return PolicyVerdict::Forged { name: key.name().to_owned() };
                };
                latest = latest.max(Some(unix_s));
            }
            cosigned.extend(latest.map(|unix_s| Cosigned { witness: name.clone(), unix_s }));
        }
        let missing = self.missing(&cosigned);
        let checkpoint = Checkpoint::verified(unverified, cosigned);
        if self.is_met(checkpoint.cosigned()) {
            PolicyVerdict::Good(checkpoint)
        } else {
            PolicyVerdict::Unwitnessed { checkpoint, missing }
        }
    }

    /// The logs, by their keys.
    pub fn logs(&self) -> &[NoteKey] {
        &self.logs
    }

    /// The key of the witness that the policy calls `name`.
    pub fn witness(&self, name: &str) -> Option<&NoteKey> {
        self.witnesses.iter().find(|witness| witness.name == name).map(|witness| &witness.key)
    }

    /// The witnesses, by the names that the policy calls them and their keys.
    pub fn witnesses(&self) -> impl Iterator<Item = (&str, &NoteKey)> {
        self.witnesses.iter().map(|witness| (witness.name.as_str(), &witness.key))
    }

    fn missing(&self, cosigned: &[Cosigned]) -> Vec<String> {
        let did = |name: &str| cosigned.iter().any(|word| word.witness == name);
        self.witnesses.iter().map(|witness| &witness.name).filter(|name| !did(name)).cloned().collect()
    }

    fn is_met(&self, cosigned: &[Cosigned]) -> bool {
        self.quorum.as_ref().is_none_or(|quorum| self.witnessed(quorum, cosigned))
    }

    /// Groups name only what stands before them, so this ends.
    fn witnessed(&self, name: &str, cosigned: &[Cosigned]) -> bool {
        match self.groups.iter().find(|group| group.name == name) {
            Some(group) => {
                let did = group.members.iter().filter(|member| self.witnessed(member, cosigned));
                did.count() >= group.threshold
            }
            None => cosigned.iter().any(|word| word.witness == name),
        }
    }
}

fn is_by(unverified: &UnverifiedCheckpoint, key: &NoteKey) -> bool {
    unverified.by(key).next().is_some()
}

impl FromStr for LogPolicy {
    type Err = PolicyFault;

    fn from_str(text: &str) -> Result<Self, PolicyFault> {
        let mut reading = Reading::default();
        let mut line = 0;
        for content in text.split_terminator('\n') {
            line += 1;
            reading.line(content).map_err(|reason| PolicyFault { line, reason })?;
        }
        reading.policy().ok_or(PolicyFault { line, reason: PolicyReason::Quorum })
    }
}

#[derive(Default)]
struct Reading {
    logs: Vec<NoteKey>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    /// Members of groups: each is in one at most.
    members: BTreeSet<String>,
    quorum: Option<String>,
}

/// The name of a quorum that needs nobody.
const NOBODY: &str = "none";

impl Reading {
    fn line(&mut self, content: &str) -> Result<(), PolicyReason> {
        if content.chars().any(|sign| sign.is_ascii_control() && sign != '\t') {
            return Err(PolicyReason::Shape);
        }
        let words: Vec<&str> = content.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", key] | ["log", key, _] => self.log(key.parse()?),
            ["witness", name, key] | ["witness", name, key, _] => self.witness(name, key.parse()?),
            ["group", name, threshold, members @ ..] => self.group(name, threshold, members),
            ["quorum", name] => self.quorum(name),
            _ => Err(PolicyReason::Shape),
        }
    }

    fn log(&mut self, key: NoteKey) -> Result<(), PolicyReason> {
        if key.kind() != KeyKind::Log {
            return Err(PolicyReason::KeyKind);
        }
        self.is_new(&key, |log| *log == key)?;
        self.logs.push(key);
        not_too_many(self.logs.len())
    }

    fn witness(&mut self, name: &str, key: NoteKey) -> Result<(), PolicyReason> {
        if key.kind() == KeyKind::Log {
            return Err(PolicyReason::KeyKind);
        }
        self.is_new(&key, |log| log.wraps_the_same(&key))?;
        self.free(name)?;
        self.witnesses.push(Witness { name: name.to_owned(), key });
        not_too_many(self.witnesses.len())
    }

    fn group(&mut self, name: &str, threshold: &str, members: &[&str]) -> Result<(), PolicyReason> {
        self.free(name)?;
        for member in members {
            self.known(member)?;
            if !self.members.insert((*member).to_owned()) {
                return Err(PolicyReason::Member { name: (*member).to_owned() });
            }
        }
        let threshold = match threshold {
            "all" => members.len(),
            "any" => 1,
            number => {
                let number = decimal(number).and_then(|number| usize::try_from(number).ok());
                number.ok_or(PolicyReason::Shape)?
            }
        };
        if !(1..=members.len()).contains(&threshold) {
            return Err(PolicyReason::Threshold { members: members.len(), threshold });
        }
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        self.groups.push(Group { name: name.to_owned(), threshold, members });
        not_too_many(self.groups.len())
    }

    fn quorum(&mut self, name: &str) -> Result<(), PolicyReason> {
        if self.quorum.is_some() {
            return Err(PolicyReason::Quorum);
        }
        if name != NOBODY {
            self.known(name)?;
        }
        self.quorum = Some(name.to_owned());
        Ok(())
    }

    /// One key has one part: a log that is its own witness would be a quorum that proves nothing. A key may sign several
    /// logs: one a year.
    fn is_new(&self, key: &NoteKey, clashes: impl Fn(&NoteKey) -> bool) -> Result<(), PolicyReason> {
        let mut witnesses = self.witnesses.iter();
        let is_taken = witnesses.any(|known| known.key.wraps_the_same(key)) || self.logs.iter().any(clashes);
        if is_taken { Err(PolicyReason::KeyTwice) } else { Ok(()) }
    }

    fn is_named(&self, name: &str) -> bool {
        let witness = self.witnesses.iter().any(|witness| witness.name == name);
        witness || self.groups.iter().any(|group| group.name == name)
    }

    fn free(&self, name: &str) -> Result<(), PolicyReason> {
        if name == NOBODY || self.is_named(name) {
            return Err(PolicyReason::Name { name: name.to_owned() });
        }
        Ok(())
    }

    fn known(&self, name: &str) -> Result<(), PolicyReason> {
        if self.is_named(name) { Ok(()) } else { Err(PolicyReason::Unknown { name: name.to_owned() }) }
    }

    fn policy(self) -> Option<LogPolicy> {
        let quorum = Some(self.quorum?).filter(|quorum| quorum != NOBODY);
        Some(LogPolicy { logs: self.logs, witnesses: self.witnesses, groups: self.groups, quorum })
    }
}

/// A number as it is written in one way only.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

fn not_too_many(count: usize) -> Result<(), PolicyReason> {
    if count > NAMED_MAX { Err(PolicyReason::TooMany) } else { Ok(()) }
}
