//! Checks an evidence bundle: its proofs, its messages, its report.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use rovuma_envelope::{Jws, TrustFault, TrustStore, Unverified};
use rovuma_evidence::{BUNDLE_MAX_BYTES, CheckedEvidence, EvidenceBundle, check as check_contents, render};
use rovuma_schemas::{CountryCode, Timestamp};
use rovuma_tlog::LogPolicy;

use super::{PruningRule, SAYS_BUNDLE, SignedHead, VerifyReport};
use crate::{
    exit::{Failure, Outcome, chain},
    files::{self, NewFile},
    trust::pinned,
    verify::{MessageReport, MessageVerdict, verify_message},
};

/// Whether the file begins as a bundle does.
pub(super) fn looks_like_bundle(path: &Path) -> bool {
    let mut begin = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut begin)).is_ok()
        && EvidenceBundle::looks_like_bundle(&begin)
}

/// A bundle to check, and everything that the caller gives to check it against.
pub(super) struct BundleCheck {
    pub(super) path: PathBuf,
    /// The policy that heads must meet.
    pub(super) policy: LogPolicy,
    /// Pinned authority keys. Without them, signatures on messages are not checked.
    pub(super) pins: Vec<(CountryCode, PathBuf)>,
    /// Trust lists that are newer than the bundle's.
    pub(super) lists: Vec<PathBuf>,
    /// The file to write the report to that is rendered from the bundle's files.
    pub(super) report_out: Option<PathBuf>,
    /// The written policies by which logs may take entries out.
    pub(super) pruned_by: Vec<String>,
    pub(super) now: Timestamp,
}

impl BundleCheck {
    pub(super) fn run(self) -> Outcome<VerifyReport> {
        let mut bytes = Vec::new();
        let read =
            File::open(&self.path).and_then(|file| file.take(BUNDLE_MAX_BYTES + 1).read_to_end(&mut bytes));
        read.map_err(|fault| Failure::usage(format!("cannot read {}: {fault}", self.path.display())))?;
        let trust = if self.pins.is_empty() { None } else { Some(pinned(&self.pins)?) };
        let mut report = VerifyReport::of(self.path.display().to_string());
        report.says = Some(SAYS_BUNDLE);
        match self.check_all(&bytes, trust, &mut report) {
            Ok(rendered) => {
                if let Some(out) = &self.report_out {
                    let mut file = NewFile::create(out)?;
                    file.write(rendered.as_bytes())?;
                    file.finish()?;
                }
            }
            Err(fault) => report.fault = Some(fault),
        }
        report.holds = report.fault.is_none();
        Ok(report)
    }

    /// Checks the whole bundle, and returns the report rendered from its files.
    fn check_all(
        &self,
        bytes: &[u8],
        trust: Option<TrustStore>,
        report: &mut VerifyReport,
    ) -> Result<String, String> {
        let bundle = EvidenceBundle::unpack(bytes).map_err(|fault| fault.to_string())?;
        report.checked.push("its files are those of its manifest, and no others".to_owned());
        let checked = check_contents(&bundle.contents, &self.policy).map_err(|fault| fault.to_string())?;
        self.check_entries(&bundle, &checked, report)?;
        if !bundle.contents.messages.is_empty() {
            self.check_messages(&bundle, &checked, trust, report)?;
        }
        let rendered = render(&bundle.contents, &checked).map_err(|fault| fault.to_string())?;
        let made_with = &bundle.contents.manifest.made_with;
        if rendered == bundle.report {
            report.checked.push("the report is the one that the files give".to_owned());
        } else if *made_with == format!("rovumactl {}", env!("CARGO_PKG_VERSION")) {
            return Err("the report differs from the files".to_owned());
        } else {
            let what =
                format!("the report, which {made_with:?} made: --report writes the one that the files give");
            report.unchecked.push(what);
        }
        Ok(rendered)
    }

    fn check_entries(
        &self,
        bundle: &EvidenceBundle,
        checked: &CheckedEvidence,
        report: &mut VerifyReport,
    ) -> Result<(), String> {
        let counts = bundle.contents.manifest.counts;
        let all = counts.items + counts.orders;
        report.logs = checked.heads.values().map(SignedHead::of).collect();
        report.checked.extend([
            "the heads are signed by their logs, and cosigned by those whom the policy asks for".to_owned(),
            format!("{} of {all} entries are in those logs", all - counts.unproven),
            format!("{} entries say exactly what they committed to when they were written", counts.disclosed),
        ]);
        if counts.erased > 0 {
            report
                .checked
                .push(format!("{} entries were erased by orders that are in those logs", counts.erased));
        }
        if counts.unproven > 0 {
            let what =
                format!("{} entries of logs without a head here: nothing proves them", counts.unproven);
            report.unchecked.push(what);
        }
        let pruning = PruningRule { by: self.pruned_by.clone(), now: self.now };
        for pruned in &checked.pruned {
            match pruning.check(pruned)? {
                Some(unchecked) => report.unchecked.push(unchecked),
                None => report.checked.push(super::taken_out(pruned)),
            }
        }
        Ok(())
    }

    /// Checks the signatures on messages and receipts.
    fn check_messages(
        &self,
        bundle: &EvidenceBundle,
        checked: &CheckedEvidence,
        trust: Option<TrustStore>,
        report: &mut VerifyReport,
    ) -> Result<(), String> {
        let counts = bundle.contents.manifest.counts;
        report.checked.push(format!(
            "{} messages are, byte for byte, those that entries name; {} receipts are for them",
            counts.messages, counts.receipts
        ));
        let Some(trust) = trust else {
            let what = "who signed the messages and receipts: give --authority for each country, with its authority key";
            report.unchecked.push(what.to_owned());
            return Ok(());
        };
        let trust = self.with_lists(trust, bundle, report)?;
        for (id, files) in &bundle.contents.messages {
            for (country, jws) in &files.signed {
                let at = checked.moved_at(id, jws);
                check_signature(&trust, &format!("messages/{id}/{country}.jws"), jws, at)?;
            }
            for (receipt, jws) in &files.receipts {
                check_signature(&trust, &format!("messages/{id}/receipts/{receipt}.jws"), jws, None)?;
            }
        }
        report.checked.push(format!(
            "{} messages and {} receipts are signed with keys that these trust lists vouch for",
            counts.messages, counts.receipts
        ));
        Ok(())
    }

    /// Adds the bundle's trust lists to the pinned keys, then the caller's newer ones: a later revocation counts.
    fn with_lists(
        &self,
        mut trust: TrustStore,
        bundle: &EvidenceBundle,
        report: &mut VerifyReport,
    ) -> Result<TrustStore, String> {
        for (country, list) in &bundle.contents.trust {
            let fault = |fault: TrustFault| chain(format!("trust/{country}.json"), &fault);
            (trust, _) = trust.with_list(list.as_bytes(), self.now).map_err(fault)?;
        }
        for path in &self.lists {
            let list = files::read(path).map_err(|failure| failure.what)?;
            match trust.clone().with_list(&list, self.now) {
                Ok((newer, _)) => trust = newer,
                // The bundle's own list is newer than this one.
                Err(TrustFault::Older { .. }) => {}
                Err(fault) => return Err(chain(path.display(), &fault)),
            }
        }
        let lists = bundle.contents.trust.keys().filter_map(|country| trust.list(*country));
        let named = lists.map(|list| format!("that of {} has serial {}", list.country(), list.serial()));
        let named: Vec<String> = named.collect();
        report.checked.push(format!("the trust lists are signed by the authorities: {}", named.join(", ")));
        Ok(trust)
    }
}

/// Checks that a message is signed with a key that was valid when it was sent or received, as the log says; without that, when
/// the message says it was created.
fn check_signature(trust: &TrustStore, name: &str, jws: &str, at: Option<Timestamp>) -> Result<(), String> {
    let jws = Jws::from_compact(jws).map_err(|fault| format!("{name}: {fault}"))?;
    let header = Unverified::new(jws.clone()).unverified_header();
    let created = header.map_err(|fault| format!("{name}: {fault}"))?.created;
    let message: MessageReport = verify_message(trust, Ok(jws), None, at.unwrap_or(created));
    match message.verdict {
        MessageVerdict::Verified => Ok(()),
        MessageVerdict::Held | MessageVerdict::Rejected | MessageVerdict::Refused => {
            let why = message.checks.iter().find_map(|check| check.detail.clone());
            Err(format!("{name}: {}", why.unwrap_or_else(|| "it does not verify".to_owned())))
        }
    }
}
