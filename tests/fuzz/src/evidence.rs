//! Target `evidence`: the files that an auditor checks offline. The first byte chooses the form of the rest.

use std::sync::LazyLock;

use rovuma_evidence::{EvidenceBundle, check, render};
use rovuma_tlog::{LogPolicy, ProofFile, Pruned, UnverifiedCheckpoint};

/// The rest is a bundle, a ZIP file.
pub const BUNDLE: u8 = 0;

/// The rest is a signed note: a head, or a note about entries that a log has taken out.
pub const NOTE: u8 = 1;

/// The rest is a proof.
pub const PROOF: u8 = 2;

/// The rest is a policy.
pub const POLICY: u8 = 3;

/// A log and a witness whose keys have signed nothing.
const OF_NOBODY: &str =
    "log PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\nquorum none\n";

static NOBODY: LazyLock<LogPolicy> = LazyLock::new(|| OF_NOBODY.parse().expect("a policy"));

/// Every text has one meaning, and nothing is proven that nobody signed.
pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    match mode % 4 {
        BUNDLE => bundle(rest),
        NOTE => note(rest),
        PROOF => proof(rest),
        _ => policy(rest),
    }
}

fn bundle(bytes: &[u8]) {
    let Ok(mut bundle) = EvidenceBundle::unpack(bytes) else { return };
    let packed = bundle.pack().expect("what was unpacked is no larger than a bundle");
    assert_eq!(EvidenceBundle::unpack(&packed).expect("what is packed unpacks"), bundle);
    if let Ok(checked) = check(&bundle.contents, &NOBODY) {
        assert!(checked.heads.is_empty() && bundle.contents.entries.is_empty(), "nobody signed that");
        assert!(bundle.contents.messages.is_empty() && checked.pruned.is_empty(), "nobody signed that");
        render(&bundle.contents, &checked).expect("what holds can be shown");
    }
}

fn note(bytes: &[u8]) {
    let head = UnverifiedCheckpoint::read(bytes);
    if let Ok(head) = &head {
        assert_eq!(head.as_bytes(), bytes);
        assert!(NOBODY.judge(head.clone()).good().is_err(), "nobody signed that");
    }
    if let Ok(pruned) = Pruned::read_unverified(bytes) {
        assert!(head.is_err(), "one note, two meanings");
        assert!(!pruned.origin.contains('\n') && !pruned.policy.contains('\n'));
        assert!(Pruned::verify(bytes, &NOBODY).is_err(), "nobody signed that");
    }
}

fn proof(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(proof) = ProofFile::read(text) {
        assert_eq!(proof.to_string(), text, "one proof, two texts");
    }
}

fn policy(bytes: &[u8]) {
    if let Some(policy) = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<LogPolicy>().ok()) {
        let _ = (policy.logs(), policy.witnesses().count());
    }
}
