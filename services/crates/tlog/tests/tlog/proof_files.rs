//! Proofs in files.

use rovuma_tlog::{ProofFile, ProofFileFault, UnverifiedCheckpoint, leaf_hash, needed_for_inclusion, sign};

use crate::{checkpoints::key, log::MemoryLog};

fn proof(extra: &[u8]) -> ProofFile {
    let log = MemoryLog::of(300);
    let needed = needed_for_inclusion(300, 77).expect("a leaf");
    let hashes = log.tiles(300, &needed).inclusion(77).expect("every tile is there");
    let checkpoint = UnverifiedCheckpoint::read(&sign(&log.head(), &key()).expect("signs")).expect("reads");
    ProofFile { unverified_extra: extra.to_vec(), index: 77, hashes, checkpoint }
}

#[test]
fn a_proof_reads_back_and_proves() {
    for extra in [b"".as_slice(), b"what goes with it"] {
        let proof = proof(extra);
        let read = ProofFile::read(&proof.to_string()).expect("reads back");
        assert_eq!(read, proof);
        let head = read.checkpoint.unverified_head();
        assert_eq!(head.includes(read.index, leaf_hash(b"leaf 77"), &read.hashes), Ok(()));
    }
    let text = proof(b"").to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nindex 77\n"), "{text}");
    assert!(proof(b"x").to_string().contains("\nextra eA==\nindex 77\n"));
}

#[test]
fn what_is_no_proof_says_which_line() {
    let text = proof(b"x").to_string();
    let with = |from: &str, to: &str| text.replacen(from, to, 1);
    for (bent, line) in [
        (with("@v1", "@v2"), 1),
        (with("extra eA==", "extra eA"), 2),
        (with("extra eA==", "extra eB=="), 2),
        (with("extra eA==", "extra "), 2),
        (with("index 77", "index 077"), 3),
        (with("index 77", "index -1"), 3),
        (with("index 77\n", ""), 3),
        (with("index 77\n", "index 77\nAAAA\n"), 4),
        (with("index 77\n", &("index 77\n".to_owned() + &format!("{}\n", leaf_hash(b"")).repeat(70))), 68),
    ] {
        assert_ne!(bent, text);
        assert_eq!(ProofFile::read(&bent), Err(ProofFileFault::Line { line }), "{bent}");
    }
    assert_eq!(ProofFile::read("c2sp.org/tlog-proof@v1\nindex 0\n"), Err(ProofFileFault::NoCheckpoint));
    let half = &text[..text.len() - 10];
    assert!(matches!(ProofFile::read(half), Err(ProofFileFault::Checkpoint(_))));
}
