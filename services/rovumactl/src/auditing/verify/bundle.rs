//! An evidence bundle: its proofs, its messages, its report.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use rovuma_envelope::{Jws, TrustStore, Unverified};
use rovuma_evidence::{BUNDLE_MAX_BYTES, Bundle, Checked, check as check_contents, render};
use rovuma_schemas::{CountryCode, Timestamp};
use rovuma_tlog::Policy;

use super::{Report, Signed};
use crate::{
    exit::{Failure, Outcome},
    trust::pinned,
    verify::{Judged, Verdict, judge},
};

/// Whether a file begins as a bundle does.
pub(super) fn is_one(path: &Path) -> bool {
    let mut begin = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut begin)).is_ok() && Bundle::is_one(&begin)
}

/// Checks a bundle against the policy's keys, and its messages against trust lists that pinned authorities signed.
pub(super) fn check(
    path: &Path,
    policy: &Policy,
    pins: &[(CountryCode, PathBuf)],
    now: Timestamp,
) -> Outcome<Report> {
    let bytes = read(path)?;
    let trust = pinned(pins)?;
    let mut report = Report::of(path.display().to_string());
    report.fault = everything(&bytes, policy, (!pins.is_empty()).then_some(trust), now, &mut report).err();
    report.holds = report.fault.is_none();
    Ok(report)
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(BUNDLE_MAX_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|fault| Failure::usage(format!("cannot read {}: {fault}", path.display())))?;
    Ok(bytes)
}

fn everything(
    bytes: &[u8],
    policy: &Policy,
    trust: Option<TrustStore>,
    now: Timestamp,
    report: &mut Report,
) -> Result<(), String> {
    let bundle = Bundle::unpack(bytes).map_err(|fault| fault.to_string())?;
    report.checked.push("its files are those of its manifest, and no others".to_owned());
    let contents = &bundle.contents;
    let checked = check_contents(contents, policy).map_err(|fault| fault.to_string())?;
    report.logs = checked.heads.values().map(Signed::of).collect();
    let counts = contents.manifest.counts;
    report.checked.extend([
        "the heads are signed by their logs, and cosigned by those whom the policy asks for".to_owned(),
        format!(
            "{} of {} entries are in those logs",
            counts.items + counts.orders - counts.unproven,
            counts.items + counts.orders
        ),
        format!("{} entries say exactly what they committed to when they were written", counts.disclosed),
    ]);
    if counts.erased > 0 {
        report
            .checked
            .push(format!("{} entries were erased by orders that are in the bundle", counts.erased));
    }
    report.unchecked.extend(checked.pruned.iter().map(super::taken_out));
    if counts.unproven > 0 {
        let what = format!(
            "{} entries: their log ended before a head with them in it was cosigned",
            counts.unproven
        );
        report.unchecked.push(what);
    }
    if counts.messages > 0 {
        report
            .checked
            .push(format!("{} messages are, byte for byte, those of which entries speak", counts.messages));
        match trust {
            Some(trust) => signed(&bundle, &checked, trust, now, report)?,
            None => report.unchecked.push(
                "who signed the messages and receipts: give --authority for each country, with its authority key".to_owned(),
            ),
        }
    }
    let rendered = render(contents, &checked).map_err(|fault| fault.to_string())?;
    if contents.manifest.made_with != format!("rovumactl {}", env!("CARGO_PKG_VERSION")) {
        report.unchecked.push(format!("the report: it was made with {}", contents.manifest.made_with));
    } else if rendered == bundle.report {
        report.checked.push("the report says what the files say".to_owned());
    } else {
        return Err("the report says something else than the files".to_owned());
    }
    Ok(())
}

/// Whose signatures the messages and receipts carry.
fn signed(
    bundle: &Bundle,
    checked: &Checked,
    mut trust: TrustStore,
    now: Timestamp,
    report: &mut Report,
) -> Result<(), String> {
    for (country, list) in &bundle.contents.trust {
        (trust, _) = trust
            .with_list(list.as_bytes(), now)
            .map_err(|fault| crate::exit::chain(format!("trust/{country}.json"), &fault))?;
    }
    for (id, files) in &bundle.contents.messages {
        let at = moved_at(checked, &id.to_string()).unwrap_or(now);
        let signed =
            files.signed.iter().map(|(country, jws)| (format!("messages/{id}/{country}.jws"), jws, Some(at)));
        let receipts = files
            .receipts
            .iter()
            .map(|(receipt, jws)| (format!("messages/{id}/receipts/{receipt}.jws"), jws, None));
        for (name, jws, at) in signed.chain(receipts) {
            let jws = Jws::from_compact(jws).map_err(|fault| format!("{name}: {fault}"))?;
            // A receipt is taken as soon as it is signed.
            let said = || Unverified::new(jws.clone()).unverified_header().map(|header| header.created);
            let at = at.unwrap_or_else(|| said().unwrap_or(now));
            let judged = judge(&trust, Ok(jws), None, at);
            is_good(&name, &judged)?;
        }
    }
    let counts = bundle.contents.manifest.counts;
    report.checked.push(format!(
        "{} messages and {} receipts are signed with keys that the trust lists vouch for",
        counts.messages, counts.receipts
    ));
    Ok(())
}

/// When a message was sent or received, by the first entry that says so.
fn moved_at(checked: &Checked, id: &str) -> Option<Timestamp> {
    let about = checked.entries.values().filter(|entry| {
        entry.is_proven
            && entry.leaf.message.is_some()
            && entry.leaf.object.as_ref().is_some_and(|object| object.id == id)
    });
    about.map(|entry| entry.leaf.time).min()
}

fn is_good(name: &str, judged: &Judged) -> Result<(), String> {
    match judged.verdict {
        Verdict::Verified => Ok(()),
        Verdict::Held | Verdict::Rejected | Verdict::Refused => {
            let why = judged.checks.iter().find_map(|check| check.detail.clone());
            Err(format!("{name}: {}", why.unwrap_or_else(|| "it does not verify".to_owned())))
        }
    }
}
