//! Checkpoints: the signed text is the text that was read, and nothing else is a checkpoint.

use rovuma_envelope::{Signer, SigningKey};
use rovuma_tlog::{
    Checkpoint, CosignFault, HeadFault, LEAVES_MAX, LogPolicy, NoteKey, PolicyVerdict, UnverifiedCheckpoint,
    add_cosignature, cosign, sign,
};

use crate::log::{MemoryLog, ORIGIN};

pub(crate) fn key() -> SigningKey {
    SigningKey::generate().expect("random numbers")
}

fn signed() -> Vec<u8> {
    sign(&MemoryLog::of(20).head(), &key()).expect("signs")
}

/// The checkpoint, verified with the log's key alone.
pub(crate) fn verified(read: &UnverifiedCheckpoint, log: &SigningKey) -> Checkpoint {
    let key = NoteKey::of_log(ORIGIN, log.public_key()).expect("a name");
    let policy: LogPolicy = format!("log {key}\nquorum none").parse().expect("a policy");
    match policy.judge(read.clone()) {
        PolicyVerdict::Good(checkpoint) => checkpoint,
        other => panic!("not signed by that log: {other:?}"),
    }
}

#[test]
fn a_signed_head_reads_back() {
    let note = signed();
    let text = String::from_utf8(note.clone()).expect("UTF-8");
    assert!(text.starts_with(&format!("{ORIGIN}\n20\n")), "{text}");
    assert_eq!(text.lines().count(), 5, "{text}");
    let read = UnverifiedCheckpoint::read(&note).expect("a checkpoint");
    assert_eq!((read.unverified_head(), read.as_bytes()), (&MemoryLog::of(20).head(), note.as_slice()));
}

#[test]
fn what_is_not_written_as_we_write_it_is_no_checkpoint() {
    let text = String::from_utf8(signed()).expect("UTF-8");
    let with = |from: &str, to: &str| text.replacen(from, to, 1);
    let root = text.lines().nth(2).expect("the root").to_owned();
    for (what, bent) in [
        ("no signature", text[..text.find("\n\n").expect("a blank line") + 2].to_owned()),
        ("a size with a zero before it", with("\n20\n", "\n020\n")),
        ("a size with a sign", with("\n20\n", "\n+20\n")),
        ("no size", with("\n20\n", "\n")),
        ("no root", with(&format!("{root}\n"), "")),
        ("half a root", with(&root, &root[..20])),
        ("a root without its padding", with(&root, root.trim_end_matches('='))),
        ("no origin", with(ORIGIN, "")),
        ("a carriage return", with("\n20\n", "\r\n20\n")),
        ("no line's end", text.trim_end().to_owned()),
        ("a hyphen for a dash", with("\u{2014}", "-")),
        ("nothing", String::new()),
    ] {
        assert_ne!(bent, text, "{what}");
        assert_eq!(UnverifiedCheckpoint::read(bent.as_bytes()), Err(HeadFault::Malformed), "{what}");
    }
    let extended = with(&root, &format!("{root}\nwhat nobody can check"));
    assert_eq!(UnverifiedCheckpoint::read(extended.as_bytes()), Err(HeadFault::Extended));
    let large = with("\n20\n", &format!("\n{}\n", LEAVES_MAX + 1));
    let fault = HeadFault::TooManyLeaves { size: LEAVES_MAX + 1 };
    assert_eq!(UnverifiedCheckpoint::read(large.as_bytes()), Err(fault));
    let long = text.clone() + &"\u{2014} a AAAAAAAA\n".repeat(20_000);
    assert!(matches!(UnverifiedCheckpoint::read(long.as_bytes()), Err(HeadFault::TooLarge { .. })));
}

#[test]
fn an_origin_of_two_lines_or_that_is_no_keys_name_is_not_signed() {
    for origin in ["mz.audit\n20", "mz audit", "mz+audit", "", "mz\u{7}"] {
        let mut head = MemoryLog::of(2).head();
        head.origin = origin.to_owned();
        assert!(sign(&head, &key()).is_err(), "{origin:?} was signed");
    }
}

#[test]
fn a_cosignature_is_added_once_and_only_to_its_checkpoint() {
    let (log, witness, other) = (key(), key(), key());
    let name = "tz.audit.example";
    let of = |key: &SigningKey| NoteKey::of_cosigner(name, key.public_key()).expect("a name");
    let note = sign(&MemoryLog::of(20).head(), &log).expect("signs");
    let read = UnverifiedCheckpoint::read(&note).expect("a checkpoint");
    let checkpoint = verified(&read, &log);
    let line = cosign(&checkpoint, name, &witness, 1_794_000_000).expect("signs");
    let once = add_cosignature(&read, &line, &of(&witness)).expect("its own");
    assert_eq!(once.as_bytes(), [read.as_bytes(), &line].concat());

    let later = cosign(&checkpoint, name, &witness, 1_794_000_060).expect("signs");
    let again = add_cosignature(&once, &later, &of(&witness)).expect("its own");
    assert_eq!(again.as_bytes(), [read.as_bytes(), &later].concat(), "in the place of the former");
    let replayed = add_cosignature(&again, &line, &of(&witness)).expect("its own");
    assert_eq!(replayed, again, "an older one does not take its place");

    let never = cosign(&checkpoint, name, &witness, u64::MAX);
    assert!(matches!(never, Err(CosignFault::Time { unix_s: u64::MAX })), "{never:?}");

    let elsewhere =
        UnverifiedCheckpoint::read(&sign(&MemoryLog::of(21).head(), &key()).expect("signs")).expect("reads");
    let two_lines = [line.as_slice(), &line].concat();
    for (what, checkpoint, line, key) in [
        ("another checkpoint", &elsewhere, line.as_slice(), of(&witness)),
        ("another key", &read, &line, of(&other)),
        ("another name", &read, &line, NoteKey::of_cosigner("x", witness.public_key()).expect("a name")),
        ("a log's key", &read, &line, NoteKey::of_log(name, witness.public_key()).expect("a name")),
        ("two lines", &read, &two_lines, of(&witness)),
        ("half a line", &read, &line[..30], of(&witness)),
        ("no line's end", &read, &line[..line.len() - 1], of(&witness)),
    ] {
        let refused = add_cosignature(checkpoint, line, &key);
        assert!(matches!(refused, Err(CosignFault::NotOfThis { .. })), "{what}: {refused:?}");
    }
}
