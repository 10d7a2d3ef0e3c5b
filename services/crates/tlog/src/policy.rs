//! The cosignatures that a checkpoint needs: a policy file in the C2SP tlog-policy format.
//!
//! ```text
//! log mz.audit/2026+7f3a9c01+ATx…
//! witness tz tz.audit+02b8ee14+BK1…
//! witness third observer.example+5d0c6aa2+BJ9…
//! group countries all tz
//! quorum countries
//! ```

use std::{collections::BTreeSet, str::FromStr};

use crate::{
    Checkpoint, Cosignature, KeyKind, NoteKey, NoteKeyFault, UnverifiedCheckpoint, note::cosigned_at,
};

/// Maximum number of logs, of witnesses and of groups in a policy. C2SP asks for at least 32.
const NAMED_MAX: usize = 64;

/// Pinned keys, and which cosignatures a checkpoint needs.
#[derive(Clone, Debug, PartialEq)]
pub struct LogPolicy {
    logs: Vec<NoteKey>,
    witnesses: Vec<PolicyWitness>,
    groups: Vec<WitnessGroup>,
    quorum: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct PolicyWitness {
    name: String,
    key: NoteKey,
}

#[derive(Clone, Debug, PartialEq)]
struct WitnessGroup {
    name: String,
    threshold: usize,
    members: Vec<String>,
}

/// Why a text is not a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the policy: {reason}")]
pub struct PolicyFault {
    /// The line, from 1; the number of lines when a line is missing.
    pub line: usize,
    /// What is wrong with it.
    pub reason: PolicyReason,
}

/// What is wrong with a line of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyReason {
    /// The line has none of the forms of a policy's lines.
    #[error(
        "not a line of a policy: log KEY, witness NAME KEY, group NAME all|any|K NAME…, quorum NAME|none"
    )]
    Shape,
    /// Its key cannot be read.
    #[error(transparent)]
    Key(#[from] NoteKeyFault),
    /// The key is not of the kind that the line needs.
    #[error("the key is of another kind than the line")]
    KeyKind,
    /// Another line names the same key.
    #[error("the key is named twice")]
    KeyTwice,
    /// Another line has the same name, or the name is `none`.
    #[error("the name {name} is taken")]
    Name {
        /// The name.
        name: String,
    },
    /// No earlier line has this name.
    #[error("no line before this one names {name}")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The member is in another group already.
    #[error("{name} is in a group already")]
    Member {
        /// The name.
        name: String,
    },
    /// The group needs no member, or more members than it has.
    #[error("a group of {members} cannot need {threshold}")]
    Threshold {
        /// Number of members.
        members: usize,
        /// Number of members that must cosign.
        threshold: usize,
    },
    /// The policy has no quorum line, or several.
    #[error("there must be one quorum line")]
    Quorum,
    /// The policy has too many lines of one kind.
    #[error("more than {NAMED_MAX} of a kind")]
    TooMany,
}

/// Whether a checkpoint meets a policy.
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyVerdict {
    /// Its log signed it, and enough witnesses cosigned it.
    Good(Checkpoint),
    /// Its log signed it, but too few of the policy's witnesses cosigned it.
    Unwitnessed {
        /// The checkpoint with the cosignatures that it has.
        checkpoint: Checkpoint,
        /// The witnesses that did not cosign.
        missing: Vec<String>,
    },
    /// No log of the policy signed it.
    NotSigned,
    /// A signature line names a key of the policy, but that key did not sign.
    Forged {
        /// The key's name.
        name: String,
    },
}

/// Why a checkpoint does not meet the policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGood {
    /// Its log signed it, but too few witnesses cosigned it.
    #[error("the head is not cosigned by {}", .missing.join(", "))]
    Unwitnessed {
        /// The witnesses that did not cosign.
        missing: Vec<String>,
    },
    /// No log of the policy signed it.
    #[error("the head is not signed by a log that the policy names")]
    NotSigned,
    /// A signature line names a key that did not sign.
    #[error("the signature in the name of {name} is not by its key")]
    Forged {
        /// The name in the line.
        name: String,
    },
}

impl PolicyVerdict {
    /// The checkpoint, if it meets the policy.
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
    /// Checks a checkpoint against the policy.
    pub fn judge(&self, unverified: UnverifiedCheckpoint) -> PolicyVerdict {
        let text = unverified.text();
        let forged = |log: &&NoteKey| unverified.by(log).any(|signature| !log.verifies(text, signature));
        // First of all: a false line in a pinned key's name makes the whole checkpoint suspect, even beside a true one.
        if let Some(log) = self.logs.iter().find(forged) {
            return PolicyVerdict::Forged { name: log.name().to_owned() };
        }
        let origin = &unverified.unverified_head().origin;
        if !self.logs.iter().any(|log| log.name() == origin && is_by(&unverified, log)) {
            return PolicyVerdict::NotSigned;
        }
        let mut cosigned = Vec::new();
        // This build cannot verify ML-DSA-44 cosignatures, so they are skipped and count as missing.
        let countable = self.witnesses.iter().filter(|witness| witness.key.kind() == KeyKind::Cosigner);
        for PolicyWitness { name, key } in countable {
            let mut latest = None;
            for signature in unverified.by(key) {
                let Some(unix_s) = cosigned_at(text, key, signature) else {
                    return PolicyVerdict::Forged { name: key.name().to_owned() };
                };
                latest = latest.max(Some(unix_s));
            }
            cosigned.extend(latest.map(|unix_s| Cosignature { witness: name.clone(), unix_s }));
        }
        let missing = self.missing(&cosigned);
        let checkpoint = Checkpoint::verified(unverified, cosigned);
        if self.is_met(checkpoint.cosigned()) {
            PolicyVerdict::Good(checkpoint)
        } else {
            PolicyVerdict::Unwitnessed { checkpoint, missing }
        }
    }

    /// The keys of the logs.
    pub fn logs(&self) -> &[NoteKey] {
        &self.logs
    }

    /// The key of the witness that the policy calls `name`.
    pub fn witness(&self, name: &str) -> Option<&NoteKey> {
        self.witnesses.iter().find(|witness| witness.name == name).map(|witness| &witness.key)
    }

    /// The witnesses: their names in the policy and their keys.
    pub fn witnesses(&self) -> impl Iterator<Item = (&str, &NoteKey)> {
        self.witnesses.iter().map(|witness| (witness.name.as_str(), &witness.key))
    }

    fn missing(&self, cosigned: &[Cosignature]) -> Vec<String> {
        let did = |name: &str| cosigned.iter().any(|word| word.witness == name);
        self.witnesses.iter().map(|witness| &witness.name).filter(|name| !did(name)).cloned().collect()
    }

    fn is_met(&self, cosigned: &[Cosignature]) -> bool {
        self.quorum.as_ref().is_none_or(|quorum| self.has_cosigned(quorum, cosigned))
    }

    /// Whether enough members of a group cosigned, or the one witness did. Ends, because groups name only earlier
    /// lines.
    fn has_cosigned(&self, name: &str, cosigned: &[Cosignature]) -> bool {
        match self.groups.iter().find(|group| group.name == name) {
            Some(group) => {
                let did = group.members.iter().filter(|member| self.has_cosigned(member, cosigned));
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
        let mut parser = PolicyParser::default();
        let mut line = 0;
        for content in text.split_terminator('\n') {
            line += 1;
            parser.line(content).map_err(|reason| PolicyFault { line, reason })?;
        }
        parser.policy().ok_or(PolicyFault { line, reason: PolicyReason::Quorum })
    }
}

#[derive(Default)]
struct PolicyParser {
    logs: Vec<NoteKey>,
    witnesses: Vec<PolicyWitness>,
    groups: Vec<WitnessGroup>,
    /// The members of all groups: each is in one group at most.
    members: BTreeSet<String>,
    quorum: Option<String>,
}

/// The name of the quorum that needs no witness.
const NOBODY: &str = "none";

impl PolicyParser {
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
        self.check_unused_key(&key, |log| *log == key)?;
        self.logs.push(key);
        check_count(self.logs.len())
    }

    fn witness(&mut self, name: &str, key: NoteKey) -> Result<(), PolicyReason> {
        if key.kind() == KeyKind::Log {
            return Err(PolicyReason::KeyKind);
        }
        self.check_unused_key(&key, |log| log.wraps_the_same(&key))?;
        self.check_unused_name(name)?;
        self.witnesses.push(PolicyWitness { name: name.to_owned(), key });
        check_count(self.witnesses.len())
    }

    fn group(&mut self, name: &str, threshold: &str, members: &[&str]) -> Result<(), PolicyReason> {
        self.check_unused_name(name)?;
        for member in members {
            self.check_named(member)?;
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
        self.groups.push(WitnessGroup { name: name.to_owned(), threshold, members });
        check_count(self.groups.len())
    }

    fn quorum(&mut self, name: &str) -> Result<(), PolicyReason> {
        if self.quorum.is_some() {
            return Err(PolicyReason::Quorum);
        }
        if name != NOBODY {
            self.check_named(name)?;
        }
        self.quorum = Some(name.to_owned());
        Ok(())
    }

    /// Checks that a key has one part only: a log that is its own witness would make a quorum that proves nothing.
    /// One key may sign several logs, one a year.
    fn check_unused_key(
        &self,
        key: &NoteKey,
        clashes: impl Fn(&NoteKey) -> bool,
    ) -> Result<(), PolicyReason> {
        let mut witnesses = self.witnesses.iter();
        let is_taken = witnesses.any(|known| known.key.wraps_the_same(key)) || self.logs.iter().any(clashes);
        if is_taken { Err(PolicyReason::KeyTwice) } else { Ok(()) }
    }

    fn is_named(&self, name: &str) -> bool {
        let witness = self.witnesses.iter().any(|witness| witness.name == name);
        witness || self.groups.iter().any(|group| group.name == name)
    }

    fn check_unused_name(&self, name: &str) -> Result<(), PolicyReason> {
        if name == NOBODY || self.is_named(name) {
            return Err(PolicyReason::Name { name: name.to_owned() });
        }
        Ok(())
    }

    fn check_named(&self, name: &str) -> Result<(), PolicyReason> {
        if self.is_named(name) { Ok(()) } else { Err(PolicyReason::Unknown { name: name.to_owned() }) }
    }

    fn policy(self) -> Option<LogPolicy> {
        let quorum = Some(self.quorum?).filter(|quorum| quorum != NOBODY);
        Some(LogPolicy { logs: self.logs, witnesses: self.witnesses, groups: self.groups, quorum })
    }
}

/// Reads a number that is written in its only form: no sign, no leading zero.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

fn check_count(count: usize) -> Result<(), PolicyReason> {
    if count > NAMED_MAX { Err(PolicyReason::TooMany) } else { Ok(()) }
}
