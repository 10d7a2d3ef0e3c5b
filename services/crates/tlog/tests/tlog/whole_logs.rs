//! Whole logs: which ones hold, and that no change to one goes unnoticed.

use std::{cell::RefCell, collections::BTreeMap, convert::Infallible, fmt};

use rovuma_envelope::{Signer, SigningKey};
use rovuma_tlog::{
    CHECKPOINT_PATH, LogFault, LogFiles, LogPolicy, NoteKey, PRUNED_PATH, Pruned, PrunedFault, Tile,
    TileKind, UnverifiedCheckpoint, WholeLog, add_cosignature, check_log, cosign, sign, write_entry,
};

use crate::{
    checkpoints::{key, verified},
    log::{MemoryLog, ORIGIN},
};

/// The files of a log in memory.
#[derive(Clone, Default)]
struct MemoryFiles(BTreeMap<String, Vec<u8>>);

#[derive(Debug, PartialEq)]
struct FileMissing;

impl fmt::Display for FileMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("gone")
    }
}

impl std::error::Error for FileMissing {}

impl LogFiles for MemoryFiles {
    type Fault = FileMissing;

    fn paths(&self) -> Result<Vec<String>, FileMissing> {
        Ok(self.0.keys().cloned().collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileMissing> {
        self.0.get(path).cloned().ok_or(FileMissing)
    }
}

struct Fixture {
    log: SigningKey,
    witness: SigningKey,
    policy: LogPolicy,
}

impl Fixture {
    fn new() -> Self {
        let (log, witness) = (key(), key());
        let log_key = NoteKey::of_log(ORIGIN, log.public_key()).expect("a name");
        let key = NoteKey::of_cosigner("tz.example", witness.public_key()).expect("a name");
        let policy = format!("log {log_key}\nwitness tz {key}\nquorum tz").parse().expect("a policy");
        Self { log, witness, policy }
    }

    /// The files of a log with a signed and cosigned head, and the partial tiles of a former head.
    fn files(&self, log: &MemoryLog, former: Option<u64>) -> MemoryFiles {
        let head = log.head();
        let mut files = MemoryFiles::default();
        for tile in Tile::all_of(head.size).chain(former.into_iter().flat_map(Tile::all_of)) {
            let bytes = match tile.kind {
                TileKind::Hashes { .. } => log.tile(&tile),
                TileKind::Entries => bundle(log, &tile),
            };
            files.0.insert(tile.to_string(), bytes);
        }
        let signed = UnverifiedCheckpoint::read(&sign(&head, &self.log).expect("signs")).expect("reads");
        let checkpoint = verified(&signed, &self.log);
        let line = cosign(&checkpoint, "tz.example", &self.witness, 1_794_000_000).expect("signs");
        let key = self.policy.witness("tz").expect("named");
        let cosigned = add_cosignature(&signed, &line, key).expect("its own");
        files.0.insert(CHECKPOINT_PATH.to_owned(), cosigned.as_bytes().to_vec());
        files
    }

    fn check(&self, files: &MemoryFiles) -> Result<WholeLog, LogFault<FileMissing, Infallible>> {
        check_log(files, &self.policy, |_, _| Ok(()))
    }
}

fn bundle(log: &MemoryLog, tile: &Tile) -> Vec<u8> {
    let first = usize::try_from(tile.index * 256).expect("small");
    let mut bytes = Vec::new();
    for entry in &log.leaves[first..first + tile.width as usize] {
        write_entry(&mut bytes, entry).expect("short");
    }
    bytes
}

#[test]
fn logs_of_every_shape_hold_and_every_entry_is_seen_in_order() {
    let fixture = Fixture::new();
    for (size, former) in
        [(0, None), (1, None), (200, Some(120)), (256, Some(7)), (257, Some(256)), (1000, Some(600))]
    {
        let log = MemoryLog::of(size);
        let seen = RefCell::new(Vec::new());
        let look = |index: u64, entry: &[u8]| {
            assert_eq!(index, seen.borrow().len() as u64);
            seen.borrow_mut().push(entry.to_vec());
            Ok::<_, Infallible>(())
        };
        let whole = check_log(&fixture.files(&log, former), &fixture.policy, look).expect("it holds");
        assert_eq!((whole.checkpoint.head(), &whole.pruned), (&log.head(), &None));
        assert_eq!(seen.into_inner(), log.leaves);
    }
}

/// Flips every bit of every file, those of a former head among them.
#[test]
fn every_single_bit_flip_in_a_log_of_200_leaves_is_found() {
    let fixture = Fixture::new();
    let files = fixture.files(&MemoryLog::of(200), Some(90));
    assert!(fixture.check(&files).is_ok());
    let mut tried = 0;
    for (path, bytes) in &files.0 {
        let mut bent = files.clone();
        for bit in 0..bytes.len() * 8 {
            bent.0.get_mut(path).expect("there")[bit / 8] ^= 1 << (bit % 8);
            let checked = fixture.check(&bent);
            assert!(checked.is_err(), "bit {bit} of {path} was flipped and nothing said");
            bent.0.get_mut(path).expect("there")[bit / 8] ^= 1 << (bit % 8);
            tried += 1;
        }
    }
    assert!(tried > 90_000, "{tried}");
}

#[test]
fn a_file_that_is_gone_or_too_many_is_named() {
    let fixture = Fixture::new();
    let files = fixture.files(&MemoryLog::of(600), None);
    for path in files.0.keys() {
        let mut without = files.clone();
        without.0.remove(path);
        let expected = match path.as_str() {
            CHECKPOINT_PATH => LogFault::NoCheckpoint,
            path => LogFault::Missing { path: path.to_owned(), size: 600 },
        };
        assert_eq!(fixture.check(&without), Err(expected));
    }
    for path in
        ["tile/0/003", "tile/3/000.p/1", "tile/0/002.p/200", "tile/entries/003.p/1", "notes.txt", "tile/0/2"]
    {
        let mut with = files.clone();
        with.0.insert(path.to_owned(), vec![0; 32]);
        assert_eq!(fixture.check(&with), Err(LogFault::Strange { path: path.to_owned() }));
    }
}

#[test]
fn leaves_that_were_exchanged_left_out_or_written_anew_make_another_root() {
    let fixture = Fixture::new();
    let log = MemoryLog::of(300);
    let files = fixture.files(&log, None);
    let exchanged = |change: fn(&mut Vec<Vec<u8>>)| {
        let mut leaves = log.leaves.clone();
        change(&mut leaves);
        let mut other = MemoryLog::of(0);
        leaves.into_iter().for_each(|leaf| other.append(leaf));
        // Everything but the checkpoint, rebuilt to fit.
        let mut bent = fixture.files(&other, None);
        bent.0.insert(CHECKPOINT_PATH.to_owned(), files.0[CHECKPOINT_PATH].clone());
        fixture.check(&bent)
    };
    assert!(matches!(exchanged(|leaves| leaves.swap(3, 4)), Err(LogFault::Root { .. })));
    assert!(matches!(exchanged(|leaves| leaves[299].push(b'!')), Err(LogFault::Root { .. })));
    assert!(matches!(exchanged(|leaves| drop(leaves.pop())), Err(LogFault::Missing { .. })));
    assert!(matches!(exchanged(|leaves| leaves.push(b"one more".to_vec())), Err(LogFault::Strange { .. })));
    assert!(exchanged(|_| ()).is_ok());
}

#[test]
fn a_log_whose_partner_did_not_cosign_or_that_another_signed_does_not_hold() {
    let (fixture, other) = (Fixture::new(), Fixture::new());
    let log = MemoryLog::of(20);
    let files = fixture.files(&log, None);
    assert_eq!(other.check(&files), Err(LogFault::NotSigned));
    let mut alone = files.clone();
    alone.0.insert(CHECKPOINT_PATH.to_owned(), sign(&log.head(), &fixture.log).expect("signs"));
    assert_eq!(fixture.check(&alone), Err(LogFault::Unwitnessed { missing: vec!["tz".to_owned()] }));
}

#[test]
fn an_entry_that_is_not_what_it_should_be_is_told_with_its_index() {
    let fixture = Fixture::new();
    let files = fixture.files(&MemoryLog::of(300), None);
    let look = |_: u64, entry: &[u8]| if entry == b"leaf 270" { Err(FileMissing) } else { Ok(()) };
    let fault = LogFault::Entry { index: 270, fault: FileMissing };
    assert_eq!(check_log(&files, &fixture.policy, look), Err(fault));
}

/// A log without its entries below `minimum_index`, with a note about it that its key signed.
fn pruned(fixture: &Fixture, log: &MemoryLog, minimum_index: u64) -> MemoryFiles {
    let mut files = fixture.files(log, None);
    let size = log.head().size;
    files.0.retain(|path, _| {
        let tile = Tile::from_path(path).filter(|tile| tile.kind == TileKind::Entries);
        tile.is_none_or(|tile| tile.end().min(size) > minimum_index)
    });
    files.0.insert(PRUNED_PATH.to_owned(), said(minimum_index).sign(&fixture.log).expect("signs"));
    files
}

fn said(minimum_index: u64) -> Pruned {
    let policy = "Diploma Ministerial n.º 12/2027, art. 4".to_owned();
    Pruned { origin: ORIGIN.to_owned(), minimum_index, unix_s: 1_798_761_600, policy }
}

#[test]
fn entries_below_the_minimum_index_may_be_gone_and_their_hashes_vouch_for_them() {
    let fixture = Fixture::new();
    for (size, minimum_index, seen_from) in
        [(1000, 0, 0), (1000, 256, 256), (1000, 700, 512), (1000, 1000, 1000)]
    {
        let log = MemoryLog::of(size);
        let first = RefCell::new(None);
        let look = |index: u64, _: &[u8]| {
            first.borrow_mut().get_or_insert(index);
            Ok::<_, Infallible>(())
        };
        let whole =
            check_log(&pruned(&fixture, &log, minimum_index), &fixture.policy, look).expect("it holds");
        assert_eq!(whole.pruned, Some(said(minimum_index)));
        assert_eq!(first.into_inner().unwrap_or(size), seen_from, "{minimum_index}");
    }
    // Entries that remain below the minimum index are checked as before.
    let mut files = fixture.files(&MemoryLog::of(1000), None);
    files.0.insert(PRUNED_PATH.to_owned(), said(512).sign(&fixture.log).expect("signs"));
    assert!(fixture.check(&files).is_ok());
    files.0.get_mut("tile/entries/000").expect("there")[40] ^= 1;
    assert!(fixture.check(&files).is_err());
}

#[test]
fn nobody_but_the_log_says_what_was_taken_out_and_nothing_else_may_be_gone() {
    let (fixture, log) = (Fixture::new(), MemoryLog::of(1000));
    let mut files = pruned(&fixture, &log, 512);
    files.0.remove("tile/entries/002");
    assert!(matches!(fixture.check(&files), Err(LogFault::Missing { .. })), "above the minimum index");
    let mut files = pruned(&fixture, &log, 512);
    files.0.remove("tile/0/000");
    assert!(matches!(fixture.check(&files), Err(LogFault::Missing { .. })), "hashes stay");
    let mut files = pruned(&fixture, &log, 512);
    files.0.remove(PRUNED_PATH);
    assert!(matches!(fixture.check(&files), Err(LogFault::Missing { .. })), "nobody says so");
    let forged = [
        said(512).sign(&fixture.witness).expect("signs"),
        Pruned { origin: "mz.audit/1999".to_owned(), ..said(512) }.sign(&fixture.log).expect("signs"),
        fixture.files(&log, None).0[CHECKPOINT_PATH].clone(),
    ];
    for (number, note) in forged.into_iter().enumerate() {
        let mut files = pruned(&fixture, &log, 512);
        files.0.insert(PRUNED_PATH.to_owned(), note);
        let expected = if number == 2 { PrunedFault::Malformed } else { PrunedFault::NotSigned };
        assert_eq!(fixture.check(&files), Err(LogFault::Pruned(expected)), "{number}");
    }
    // Nor can the note pass for a checkpoint.
    let mut files = pruned(&fixture, &log, 512);
    let note = files.0[PRUNED_PATH].clone();
    files.0.insert(CHECKPOINT_PATH.to_owned(), note);
    assert!(matches!(fixture.check(&files), Err(LogFault::Checkpoint(_))));
}

#[test]
fn every_bit_of_a_pruned_log_counts() {
    let fixture = Fixture::new();
    let files = pruned(&fixture, &MemoryLog::of(300), 256);
    assert!(fixture.check(&files).is_ok());
    for (path, bytes) in &files.0 {
        let mut bent = files.clone();
        for bit in 0..bytes.len() * 8 {
            bent.0.get_mut(path).expect("there")[bit / 8] ^= 1 << (bit % 8);
            assert!(fixture.check(&bent).is_err(), "bit {bit} of {path} was flipped and nothing said");
            bent.0.get_mut(path).expect("there")[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
