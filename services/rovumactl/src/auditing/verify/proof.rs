//! Checks the inclusion proof of one event, and the event itself.

use std::path::Path;

use rovuma_evidence::Disclosed;
use rovuma_schemas::audit::AuditLeaf;
use rovuma_tlog::{LogPolicy, ProofFile, leaf_hash};
use serde::Deserialize;

use super::{SignedHead, VerifyReport};
use crate::{
    exit::{Failure, Outcome},
    files::read_text,
};

/// An event as the API returns it.
#[derive(Deserialize)]
struct ShownEvent {
    exact: Option<String>,
    entry: ShownEntry,
}

#[derive(Deserialize)]
struct ShownEntry {
    salt: Option<String>,
}

/// Checks a proof, and the event if it is given, against the policy's keys.
pub(super) fn check(path: &Path, event: Option<&Path>, policy: &LogPolicy) -> Outcome<VerifyReport> {
    let text = read_text(path)?;
    let proof = ProofFile::read(&text).map_err(|fault| {
        Failure::usage(format!("{}: {fault}", path.display()))
            .next("give a log's folder, or a proof as GET /v1/events/…/proof answers it")
    })?;
    let what = format!("leaf {} in {}", proof.index, path.display());
    let mut report = VerifyReport::of(what);
    report.fault = check_inclusion(&proof, policy, &mut report).err();
    if let (None, Some(event)) = (&report.fault, event) {
        report.fault = check_commitment(&proof.unverified_extra, event, &mut report.checked)?.err();
    }
    report.says = Some(super::SAYS_PROOF);
    report.holds = report.fault.is_none();
    Ok(report)
}

fn check_inclusion(proof: &ProofFile, policy: &LogPolicy, report: &mut VerifyReport) -> Result<(), String> {
    let checkpoint = policy.judge(proof.checkpoint.clone()).good().map_err(|fault| fault.to_string())?;
    report.log = Some(SignedHead::of(&checkpoint));
    report
        .checked
        .push("the head is signed by the log, and cosigned by those whom the policy asks for".to_owned());
    let leaf = &proof.unverified_extra;
    let included = checkpoint.head().includes(proof.index, leaf_hash(leaf), &proof.hashes);
    included.map_err(|fault| format!("the leaf is not in the log: {fault}"))?;
    report.checked.push(format!("the leaf is the log's {} of {}", proof.index, checkpoint.head().size));
    let leaf = AuditLeaf::from_bytes(leaf).map_err(|fault| fault.to_string())?;
    report.checked.push(format!(
        "it says: {} by {} at {}, {}",
        leaf.action,
        leaf.actor,
        leaf.time,
        leaf.outcome.as_str()
    ));
    Ok(())
}

/// Checks that the leaf commits to the event: to its exact bytes and its salt.
fn check_commitment(leaf: &[u8], event: &Path, checked: &mut Vec<String>) -> Outcome<Result<(), String>> {
    let unusable = |fault: &dyn std::fmt::Display| {
        Failure::usage(format!("{}: {fault}", event.display()))
            .next("give what rovumactl audit show --json prints of the event")
    };
    let shown: ShownEvent = serde_json::from_str(&read_text(event)?).map_err(|fault| unusable(&fault))?;
    let (Some(exact), Some(salt)) = (shown.exact, shown.entry.salt) else {
        return Err(unusable(&"the event was erased: only its leaf can be proven"));
    };
    let leaf = AuditLeaf::from_bytes(leaf).map_err(|fault| unusable(&fault))?;
    if let Err(fault) = (Disclosed { salt, exact }).event_of(&leaf) {
        return Ok(Err(fault));
    }
    checked.push("the leaf commits to exactly this event, and agrees with it".to_owned());
    Ok(Ok(()))
}
