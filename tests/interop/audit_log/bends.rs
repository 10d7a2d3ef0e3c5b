//! Alterations of a published log, one at a time.

use anyhow::Result;
use base64::{Engine, engine::general_purpose::STANDARD};

use super::{LOG, OWN, PARTNER, copied::LogCopy};

/// A description, the alteration of a copy of the log, and the words that the checker must answer.
pub(crate) type Alteration = (&'static str, fn(&LogCopy) -> Result<()>, &'static str);

/// All alterations.
pub(crate) fn all() -> impl Iterator<Item = Alteration> {
    ENTRIES.into_iter().chain(TILES).chain(HEADS)
}

const FIRST_BUNDLE: &str = "tile/entries/000";
const FIRST_TILE: &str = "tile/0/000";

const ENTRIES: [Alteration; 5] = [
    ("a bit of a leaf turned", |log| log.change(FIRST_BUNDLE, |bytes| bytes[2] ^= 1), "make another root"),
    (
        "two leaves swapped",
        |log| log.change_entries(FIRST_BUNDLE, |entries| entries.swap(0, 1)),
        "make another root",
    ),
    (
        "the last entry cut off",
        |log| log.change_entries(&log.last_bundle()?, |entries| entries.truncate(entries.len() - 1)),
        "entries, not",
    ),
    (
        "the last byte cut off",
        |log| log.change(&log.last_bundle()?, |bytes| bytes.truncate(bytes.len() - 1)),
        "ends within its entry",
    ),
    ("the last bundle gone", |log| log.remove(&log.last_bundle()?), "no such file"),
];

const TILES: [Alteration; 4] = [
    ("a bit of a tile turned", |log| log.change(FIRST_TILE, |bytes| bytes[8191] ^= 1), "tile/0/000: differs"),
    (
        "a bit of a tile above turned",
        |log| log.change(&log.tile_above()?, |bytes| bytes[0] ^= 1),
        "tile/1/000.p/",
    ),
    ("a former tile of other leaves", |log| log.write("tile/0/000.p/1", &[0; 32]), "tile/0/000.p/1: differs"),
    ("a tile gone", |log| log.remove(FIRST_TILE), "tile/0/000: no such file"),
];

const HEADS: [Alteration; 8] = [
    (
        "a leaf less",
        |log| {
            let fewer = log.note()?.size()? - 1;
            log.change_note(|note| note.head[1] = fewer.to_string())
        },
        "invalid signature for key mz.audit/",
    ),
    (
        "another root",
        |log| log.change_note(|note| note.head[2] = STANDARD.encode([0; 32])),
        "invalid signature for key mz.audit/",
    ),
    (
        "no signature of the log itself",
        |log| log.change_note(|note| drop(note.signatures.remove(LOG))),
        "not signed by the log mz.audit/",
    ),
    (
        "no cosignature of its own country",
        |log| log.change_note(|note| drop(note.signatures.remove(OWN))),
        "not cosigned by mz",
    ),
    (
        "no cosignature of the partner",
        |log| log.change_note(|note| drop(note.signatures.remove(PARTNER))),
        "not cosigned by tz",
    ),
    (
        "a bit of the partner's cosignature turned",
        |log| log.change_note(|note| note.signatures[PARTNER].bytes[75] ^= 1),
        "invalid signature for key tz.audit+",
    ),
    (
        "a bit of its time turned",
        |log| log.change_note(|note| note.signatures[PARTNER].bytes[11] ^= 1),
        "invalid signature for key tz.audit+",
    ),
    (
        "a bit of its key's id turned",
        |log| log.change_note(|note| note.signatures[PARTNER].bytes[0] ^= 1),
        "not cosigned by tz",
    ),
];
