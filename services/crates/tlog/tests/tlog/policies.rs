//! Which checkpoints meet a policy.

use base64::{Engine, engine::general_purpose::STANDARD};
use rovuma_envelope::{Signer, SigningKey};
use rovuma_tlog::{
    LogPolicy, NoteKey, NoteKeyFault, PolicyVerdict, UnverifiedCheckpoint, add_cosignature, cosign, sign,
};

use crate::{
    checkpoints::{key, verified},
    log::{MemoryLog, ORIGIN},
};

const MADE_AT: u64 = 1_794_000_000;

/// A log and three witnesses, with their keys.
struct Fixture {
    log: SigningKey,
    witnesses: Vec<(&'static str, SigningKey)>,
}

impl Fixture {
    fn new() -> Self {
        Self { log: key(), witnesses: ["tz", "third", "fourth"].map(|name| (name, key())).into() }
    }

    fn key_of(&self, which: usize) -> NoteKey {
        let (name, key) = &self.witnesses[which];
        NoteKey::of_cosigner(&format!("{name}.example"), key.public_key()).expect("a name")
    }

    fn log_key(&self) -> NoteKey {
        NoteKey::of_log(ORIGIN, self.log.public_key()).expect("a name")
    }

    /// A policy with the log, all witnesses, and these lines.
    fn policy(&self, lines: &str) -> LogPolicy {
        self.text(lines).parse().expect("a policy")
    }

    fn text(&self, lines: &str) -> String {
        let mut text = format!("# who is pinned\nlog {}\n\n", self.log_key());
        for (which, (name, _)) in self.witnesses.iter().enumerate() {
            text += &format!("witness {name}\t{} https://{name}.example/\n", self.key_of(which));
        }
        text + lines
    }

    fn checkpoint(&self, cosigned_by: &[usize]) -> UnverifiedCheckpoint {
        let note = sign(&MemoryLog::of(20).head(), &self.log).expect("signs");
        let mut read = UnverifiedCheckpoint::read(&note).expect("a checkpoint");
        for which in cosigned_by {
            let key = self.key_of(*which);
            let checkpoint = verified(&read, &self.log);
            let line = cosign(&checkpoint, key.name(), &self.witnesses[*which].1, MADE_AT).expect("signs");
            read = add_cosignature(&read, &line, &key).expect("its own");
        }
        read
    }
}

fn is_good(verdict: &PolicyVerdict) -> bool {
    matches!(verdict, PolicyVerdict::Good(_))
}

#[test]
fn a_quorum_is_met_by_those_whom_it_names_and_nobody_else() {
    let fixture = Fixture::new();
    for (lines, good, bad) in [
        ("quorum tz\n", vec![vec![0], vec![0, 1]], vec![vec![], vec![1], vec![1, 2]]),
        ("quorum none", vec![vec![], vec![2]], vec![]),
        (
            "group all all tz third\nquorum all",
            vec![vec![0, 1], vec![0, 1, 2]],
            vec![vec![], vec![0], vec![1, 2]],
        ),
        (
            "group two 2 tz third fourth\nquorum two",
            vec![vec![0, 1], vec![1, 2], vec![0, 2]],
            vec![vec![], vec![2]],
        ),
        (
            "group others any third fourth\ngroup both all tz others\nquorum both",
            vec![vec![0, 1], vec![0, 2]],
            vec![vec![], vec![0], vec![1, 2]],
        ),
    ] {
        let policy = fixture.policy(lines);
        for by in good {
            assert!(is_good(&policy.judge(fixture.checkpoint(&by))), "{lines:?} by {by:?}");
        }
        for by in bad {
            let verdict = policy.judge(fixture.checkpoint(&by));
            assert!(matches!(verdict, PolicyVerdict::Unwitnessed { .. }), "{lines:?} by {by:?}: {verdict:?}");
        }
    }
}

#[test]
fn a_good_checkpoint_says_who_cosigned_and_when_and_another_who_is_missing() {
    let fixture = Fixture::new();
    let PolicyVerdict::Good(good) = fixture.policy("quorum tz").judge(fixture.checkpoint(&[0, 2])) else {
        panic!("cosigned by tz")
    };
    let said: Vec<(&str, u64)> =
        good.cosigned().iter().map(|word| (word.witness.as_str(), word.unix_s)).collect();
    assert_eq!(said, [("tz", MADE_AT), ("fourth", MADE_AT)]);
    assert_eq!(good.head(), &MemoryLog::of(20).head());
    let PolicyVerdict::Unwitnessed { checkpoint, missing } =
        fixture.policy("quorum tz").judge(fixture.checkpoint(&[1]))
    else {
        panic!("not cosigned by tz")
    };
    assert_eq!((checkpoint.cosigned().len(), missing), (1, vec!["tz".to_owned(), "fourth".to_owned()]));
}

#[test]
fn a_checkpoint_that_no_pinned_log_signed_is_nobodys() {
    let (fixture, other) = (Fixture::new(), Fixture::new());
    let policy = fixture.policy("quorum none");
    assert_eq!(policy.judge(other.checkpoint(&[])), PolicyVerdict::NotSigned);

    let mut head = MemoryLog::of(20).head();
    head.origin = "tz.audit.example/2026".to_owned();
    let elsewhere = UnverifiedCheckpoint::read(&sign(&head, &fixture.log).expect("signs")).expect("reads");
    assert_eq!(
        policy.judge(elsewhere),
        PolicyVerdict::NotSigned,
        "a log's key signs for its own origin only"
    );

    let cosigned = fixture.checkpoint(&[0]);
    let text = String::from_utf8(cosigned.as_bytes().to_vec()).expect("UTF-8");
    let without: Vec<&str> =
        text.split_inclusive('\n').filter(|line| !line.contains(&format!("\u{2014} {ORIGIN}"))).collect();
    let without = UnverifiedCheckpoint::read(without.concat().as_bytes()).expect("reads");
    assert_eq!(
        policy.judge(without),
        PolicyVerdict::NotSigned,
        "a witness's word does not stand for the log's"
    );
}

#[test]
fn a_signature_that_is_not_its_keys_condemns_the_whole() {
    let fixture = Fixture::new();
    let policy = fixture.policy("quorum none");
    let text = String::from_utf8(fixture.checkpoint(&[0]).as_bytes().to_vec()).expect("UTF-8");
    assert!(is_good(&policy.judge(UnverifiedCheckpoint::read(text.as_bytes()).expect("reads"))));
    // Another size under the same signatures, and a line with its last bytes exchanged.
    let bent_text = text.replacen("\n20\n", "\n21\n", 1);
    let (log, witness) = (fixture.log_key(), fixture.key_of(0));
    for (what, bent, name) in
        [("the text", bent_text, log.name()), ("the cosignature", last_line_bent(&text), witness.name())]
    {
        let verdict = policy.judge(UnverifiedCheckpoint::read(bent.as_bytes()).expect("reads"));
        assert_eq!(verdict, PolicyVerdict::Forged { name: name.to_owned() }, "{what}");
    }
}

fn last_line_bent(text: &str) -> String {
    let cut = text.len() - 12;
    let bent = if text[cut..].starts_with("AAAA") { "BBBB" } else { "AAAA" };
    format!("{}{bent}{}", &text[..cut], &text[cut + 4..])
}

#[test]
fn what_is_no_policy_says_which_line() {
    let fixture = Fixture::new();
    let (tz, log) = (fixture.key_of(0), fixture.log_key());
    let itself = NoteKey::of_cosigner("itself", fixture.log.public_key()).expect("a name");
    let witness_as_log = NoteKey::of_log("another.log", fixture.witnesses[0].1.public_key()).expect("a name");
    // The policy has three already.
    let another = |which: u32| {
        let key = NoteKey::of_cosigner("another", key().public_key()).expect("a name");
        format!("witness w{which} {key}\n")
    };
    let many = (0..62).map(another).collect::<String>() + "quorum tz";
    for (lines, line, reason) in [
        ("", 6, "one quorum"),
        ("quorum tz\nquorum tz", 8, "one quorum"),
        ("quorum nobody", 7, "names nobody"),
        ("group g all tz nobody\nquorum g", 7, "names nobody"),
        ("group g all tz tz\nquorum g", 7, "in a group already"),
        ("group g all tz\ngroup h all tz third\nquorum h", 8, "in a group already"),
        ("group tz all third\nquorum tz", 7, "tz is taken"),
        ("group none all third\nquorum none", 7, "none is taken"),
        ("group g 3 tz third\nquorum g", 7, "cannot need 3"),
        ("group g 0 tz third\nquorum g", 7, "cannot need 0"),
        ("group g all\nquorum g", 7, "cannot need 0"),
        ("group g some tz\nquorum g", 7, "not a line"),
        ("group g +1 tz\nquorum g", 7, "not a line"),
        ("group g 01 tz\nquorum g", 7, "not a line"),
        (&format!("witness itself {itself}\nquorum itself"), 7, "named twice"),
        (&many, 68, "more than 64"),
        (&format!("witness again {tz}\nquorum tz"), 7, "named twice"),
        (&format!("witness log {log}\nquorum tz"), 7, "another kind"),
        (&format!("log {tz}\nquorum tz"), 7, "another kind"),
        (&format!("log {log}\nquorum tz"), 7, "named twice"),
        (&format!("log {witness_as_log}\nquorum tz"), 7, "named twice"),
        ("log nonsense\nquorum tz", 7, "not a key"),
        ("trust tz\nquorum tz", 7, "not a line"),
        ("quorum tz\r", 7, "not a line"),
    ] {
        let fault = fixture.text(lines).parse::<LogPolicy>().expect_err(lines).to_string();
        assert!(
            fault.starts_with(&format!("line {line} of the policy: ")) && fault.contains(reason),
            "{lines:?}: {fault}"
        );
    }
}

#[test]
fn one_key_signs_the_logs_of_many_years_each_under_its_own_name() {
    let fixture = Fixture::new();
    let next = NoteKey::of_log("next.year", fixture.log.public_key()).expect("a name");
    let policy = fixture.policy(&format!("log {next}\nquorum none"));
    assert_eq!(policy.logs(), [fixture.log_key(), next.clone()]);
    assert!(is_good(&policy.judge(fixture.checkpoint(&[]))));
    // A signature made for this year's log is not valid for next year's, whatever the key.
    let only_next: LogPolicy = format!("log {next}\nquorum none").parse().expect("a policy");
    assert_eq!(only_next.judge(fixture.checkpoint(&[])), PolicyVerdict::NotSigned);
}

/// The text of a key with these bytes and the id that fits them.
fn text_of(name: &str, typed: &[u8]) -> String {
    format!("{name}+{:08x}+{}", signed_note::key_id(name, typed), STANDARD.encode(typed))
}

#[test]
fn keys_read_back_and_bent_ones_do_not() {
    let tz = Fixture::new().key_of(0);
    assert_eq!(tz.to_string().parse(), Ok(tz));
    let ed25519 = |kind: u8, length: usize| [vec![kind], vec![9; length]].concat();
    let text = text_of("a.example", &ed25519(4, 32));
    assert!(text.parse::<NoteKey>().is_ok());
    let id = text.split('+').nth(1).expect("three parts").to_owned();
    assert!(id.contains(|sign: char| sign.is_ascii_lowercase()), "{id}: take another name");
    assert_eq!(text.replace(&id, &id.to_uppercase()).parse::<NoteKey>(), Err(NoteKeyFault::Shape));
    let wrong = text.replace(&id, "00000000").parse::<NoteKey>();
    assert!(matches!(wrong, Err(NoteKeyFault::Id { got: 0, .. })), "{wrong:?}");
    for (what, bent, fault) in [
        ("too short a key", text_of("a.example", &ed25519(4, 31)), NoteKeyFault::Shape),
        ("too long a key", text_of("a.example", &ed25519(1, 33)), NoteKeyFault::Shape),
        ("a short post-quantum key", text_of("a.example", &ed25519(6, 32)), NoteKeyFault::Shape),
        ("another type", text_of("a.example", &ed25519(2, 32)), NoteKeyFault::Kind { byte: 2 }),
        ("no key", text_of("a.example", &[]), NoteKeyFault::Shape),
        ("two parts", "a+b".to_owned(), NoteKeyFault::Shape),
        ("nothing", String::new(), NoteKeyFault::Shape),
        ("no name", text_of("", &ed25519(4, 32)), NoteKeyFault::Name { name: String::new() }),
    ] {
        assert_eq!(bent.parse::<NoteKey>(), Err(fault), "{what}");
    }
    assert!(NoteKey::of_cosigner("two words", key().public_key()).is_err());
}

/// A log that has replaced its key may sign with both; one false signature line makes the whole checkpoint forged.
#[test]
fn every_line_by_a_pinned_key_counts() {
    let fixture = Fixture::new();
    let (newer, witness) = (key(), &fixture.witnesses[0].1);
    let newer_key = NoteKey::of_log(ORIGIN, newer.public_key()).expect("a name");
    let policy = fixture.policy(&format!("log {newer_key}\nquorum tz"));
    let text = |note: &UnverifiedCheckpoint| String::from_utf8(note.as_bytes().to_vec()).expect("UTF-8");
    let own = fixture.checkpoint(&[0]);
    let other =
        UnverifiedCheckpoint::read(&sign(&MemoryLog::of(20).head(), &newer).expect("signs")).expect("reads");
    let line = text(&other).lines().last().expect("its line").to_owned();
    let judged = |note: String| policy.judge(UnverifiedCheckpoint::read(note.as_bytes()).expect("reads"));
    assert!(is_good(&judged(format!("{}{line}\n", text(&own)))));
    let bent = last_line_bent(&format!("{}{line}\n", text(&own)));
    assert_eq!(judged(bent), PolicyVerdict::Forged { name: ORIGIN.to_owned() });

    // Two cosignatures of one witness: the later one counts, and neither may be altered.
    let later = cosign(&verified(&own, &fixture.log), "tz.example", witness, MADE_AT + 60).expect("signs");
    let twice = format!("{}{}", text(&own), String::from_utf8(later).expect("UTF-8"));
    let PolicyVerdict::Good(good) = judged(twice.clone()) else { panic!("cosigned twice") };
    assert_eq!(good.cosigned()[0].unix_s, MADE_AT + 60);
    assert_eq!(judged(last_line_bent(&twice)), PolicyVerdict::Forged { name: "tz.example".to_owned() });
}

/// A policy may name a post-quantum witness before this build can verify one. Its cosignature then never counts.
#[test]
fn an_ml_dsa_witness_is_read_and_does_not_count() {
    let fixture = Fixture::new();
    let typed = [&[6_u8][..], &[7; 1312]].concat();
    let id = signed_note::key_id("pq.example", &typed);
    let line = format!("witness pq pq.example+{id:08x}+{}\n", STANDARD.encode(&typed));
    let policy = fixture.policy(&format!("{line}quorum pq"));
    let text = String::from_utf8(fixture.checkpoint(&[]).as_bytes().to_vec()).expect("UTF-8");
    let signature = [&id.to_be_bytes()[..], &[0; 2428]].concat();
    let signed = format!("{text}\u{2014} pq.example {}\n", STANDARD.encode(signature));
    let verdict = policy.judge(UnverifiedCheckpoint::read(signed.as_bytes()).expect("reads"));
    assert!(matches!(verdict, PolicyVerdict::Unwitnessed { .. }), "{verdict:?}");
}
