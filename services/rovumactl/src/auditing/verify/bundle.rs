//! Checks an evidence bundle: its proofs, its messages, its report.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use rovuma_envelope::{Jws, TrustFault, TrustStore};
use rovuma_evidence::{
    BUNDLE_MAX_BYTES, CheckedEvidence, EvidenceBundle, EvidenceContents, Requester, check as check_contents,
    render,
};
use rovuma_schemas::{CountryCode, Timestamp};
use rovuma_tlog::LogPolicy;

use super::{PruningRule, SAYS_BUNDLE, SignedHead, VerifyReport};
use crate::{
    auditing::bundle::{uncovered_text, withheld_text},
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
    /// The policy that heads must meet, and its text.
    pub(super) policy: LogPolicy,
    pub(super) policy_text: String,
    /// Pinned authority keys. Without them, signatures on messages are not checked.
    pub(super) pins: Vec<(CountryCode, PathBuf)>,
    /// Trust lists that are newer than the bundle's.
    pub(super) lists: Vec<PathBuf>,
    /// The file to write the report to that is rendered from the bundle's files.
    pub(super) report_out: Option<PathBuf>,
    /// Whether a report that this version does not make from the files is set aside, and not a fault.
    pub(super) set_report_aside: bool,
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
        self.state_claims(&bundle, report);
        let rendered = render(&bundle.contents, &checked).map_err(|fault| fault.to_string())?;
        // People open the report, not the files beside it: a bundle with another report does not hold, whatever version it names
        // as its maker. Whoever knows that another version made it sets the report aside, and reads the one made here.
        if rendered == bundle.report {
            report.checked.push("report.html is the report that the files give".to_owned());
        } else if self.set_report_aside {
            report.unchecked.push(
                "report.html is NOT VERIFIED, do not open it: --report writes the report that the files give"
                    .to_owned(),
            );
        } else {
            return Err(format!(
                "report.html is not the report that the files give. If another version made it (the bundle names {:?}), \
                 check again with --set-report-aside, and write the true report with --report",
                bundle.contents.manifest.made_with
            ));
        }
        Ok(rendered)
    }

    /// States the claims of the manifest that the files do not prove, and compares the copy of the policy.
    fn state_claims(&self, bundle: &EvidenceBundle, report: &mut VerifyReport) {
        let EvidenceContents { manifest, policy, .. } = &bundle.contents;
        let Requester { subject, agency } = &manifest.requester;
        let agency = agency.as_ref().map_or_else(String::new, |agency| format!(" of {agency}"));
        let reason = manifest.reason.as_deref().unwrap_or("none");
        let query = manifest.query.iter().map(|(name, value)| format!("{name}={value}"));
        let query: Vec<String> = query.collect();
        let query = if query.is_empty() { "everything".to_owned() } else { query.join(" ") };
        report.stated.extend([
            format!(
                "made at {} with {} for {subject}{agency}, reason {reason}",
                manifest.made_at, manifest.made_with
            ),
            format!("these are all entries that match the search {query}"),
            format!(
                "the logs had {} entries then, of which the first {} were searched",
                manifest.log_length, manifest.end
            ),
        ]);
        let (receipts, messages): (Vec<_>, Vec<_>) =
            manifest.left_out.iter().partition(|left| left.receipt.is_some());
        if !messages.is_empty() || !receipts.is_empty() {
            report.stated.push(format!(
                "{} messages and {} receipts are not in it, for the reasons in the report",
                messages.len(),
                receipts.len()
            ));
        }
        let withheld: Vec<String> = manifest.left_out.iter().filter_map(withheld_text).collect();
        if !withheld.is_empty() {
            let names = "an entry names the SHA-256 of each message that is withheld".to_owned();
            report.checked.push(names);
            report.stated.extend(withheld);
        }
        if let Some(later) = manifest.uncovered {
            report.unchecked.push(format!("{}: they are not in it", uncovered_text(later)));
        }
        if *policy == self.policy_text {
            report.checked.push("its copy of the policy is the policy that was given".to_owned());
        } else {
            report.unchecked.push(
                "its copy of the policy is another than the one that was given: it was not used, do not use it"
                    .to_owned(),
            );
        }
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
            format!(
                "{} of these say exactly what they committed to when they were written",
                counts.disclosed
            ),
        ]);
        if counts.erased > 0 {
            report.checked.push(format!(
                "{} entries were erased by orders in those logs that name them",
                counts.erased
            ));
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
            "{} messages are, byte for byte, those of which entries say that they were sent or received; {} receipts \
             are those of which entries say that they were accepted for them",
            counts.messages, counts.receipts
        ));
        let Some(trust) = trust else {
            let what = "who signed the messages and receipts: give --authority for each country, with its authority key";
            report.unchecked.push(what.to_owned());
            return Ok(());
        };
        let countries = bundle.contents.trust.keys();
        let unpinned: Vec<&str> =
            countries.filter(|country| !trust.pins(**country)).map(CountryCode::as_str).collect();
        if !unpinned.is_empty() {
            let countries = unpinned.join(", ");
            report.unchecked.push(format!(
                "who signed the messages and receipts: give --authority for {countries} too, with its authority key"
            ));
            return Ok(());
        }
        let trust = self.with_lists(trust, bundle, checked, report)?;
        for (id, files) in &bundle.contents.messages {
            for (country, jws) in &files.signed {
                let at = checked.message_at(id, country, jws);
                check_signature(&trust, &format!("messages/{id}/{country}.jws"), jws, at)?;
            }
            for (receipt, jws) in &files.receipts {
                let at = checked.receipt_at(id, jws);
                check_signature(&trust, &format!("messages/{id}/receipts/{receipt}.jws"), jws, at)?;
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
        checked: &CheckedEvidence,
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
        // Whoever makes a bundle chooses its lists, and could choose one from before a revocation.
        let proven = checked.entries.values().filter(|entry| entry.is_proven());
        let newest = proven.map(|entry| entry.leaf.time).max();
        for list in bundle.contents.trust.keys().filter_map(|country| trust.list(*country)) {
            if newest.is_some_and(|newest| newest > list.next_update()) {
                report.unchecked.push(format!(
                    "whether {} revoked a key: its list with serial {} was due to be replaced at {}, before the newest entry \
                     here; give --trust with a newer list",
                    list.country(),
                    list.serial(),
                    list.next_update()
                ));
            }
        }
        Ok(trust)
    }
}

/// Checks that a message or receipt is signed with a key that was valid when it was sent, received or accepted, as the log says:
/// what the message itself says of its time could be back-dated.
fn check_signature(trust: &TrustStore, name: &str, jws: &str, at: Option<Timestamp>) -> Result<(), String> {
    let at = at.ok_or_else(|| format!("{name}: no entry says when it was sent, received or accepted"))?;
    let jws = Jws::from_compact(jws).map_err(|fault| format!("{name}: {fault}"))?;
    let message: MessageReport = verify_message(trust, Ok(jws), None, at);
    match message.verdict {
        MessageVerdict::Verified => Ok(()),
        MessageVerdict::Unchecked
        | MessageVerdict::Held
        | MessageVerdict::Rejected
        | MessageVerdict::Refused => {
            let why = message.checks.iter().find_map(|check| check.detail.clone());
            Err(format!("{name}: {}", why.unwrap_or_else(|| "it does not verify".to_owned())))
        }
    }
}
