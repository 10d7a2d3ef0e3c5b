//! `rovumactl audit verify` of a log whose entries were taken out.

use rovuma_envelope::SigningKey;
use rovuma_tlog::{PRUNED_PATH, Pruned};

use crate::{
    harness::TestFolder,
    logs::{LogKeys, NEVER_OVER, YearLog, origin},
};

const POLICY: &str = "Diploma-Ministerial-12/2027";

/// A folder with a log whose entries were taken out, and the note about that.
fn desk(keys: &LogKeys, year: i16, said: Option<(&Pruned, &SigningKey)>) -> TestFolder {
    let desk = TestFolder::new();
    desk.write("policy", keys.policy());
    let log = YearLog::new(keys, year, None, 7);
    for (path, bytes) in log.files() {
        if !path.starts_with("tile/entries") {
            put(&desk, &path, &bytes);
        }
    }
    if let Some((said, key)) = said {
        put(&desk, PRUNED_PATH, &said.sign(key).expect("signed"));
    }
    desk
}

fn put(desk: &TestFolder, path: &str, bytes: &[u8]) {
    let file = desk.path("log").join(path);
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    std::fs::write(file, bytes).expect("written");
}

fn said(year: i16, minimum_index: u64) -> Pruned {
    Pruned { origin: origin(year), minimum_index, unix_s: 1_790_000_000, policy: POLICY.to_owned() }
}

#[test]
fn only_a_policy_that_the_checker_names_lets_entries_go() {
    let keys = LogKeys::new();
    let whole = said(2024, 7);
    let desk = desk(&keys, 2024, Some((&whole, &keys.log)));
    desk.run("audit verify log --policy policy").is(1, "--pruned-by");
    let other = desk.run("audit verify log --policy policy --pruned-by another");
    other.is(5, "not by");
    let words = format!("audit verify log --policy policy --pruned-by another --pruned-by {POLICY}");
    let ended = desk.run(&words);
    ended.is(0, "took its 7 entries out");
    assert!(!ended.stdout.contains("removed"), "{ended:?}");
}

#[test]
fn what_nobody_said_or_may_say_is_a_fault() {
    let keys = LogKeys::new();
    let (part, this_year) = (said(2024, 6), said(NEVER_OVER, 7));
    let whole = said(2024, 7);
    let stranger = SigningKey::generate().expect("a key");
    for (what, year, said, word) in [
        ("no note", 2024, None, "not there"),
        ("a part of a log", 2024, Some((&part, &keys.log)), "not there"),
        ("a year that is not over", NEVER_OVER, Some((&this_year, &keys.log)), "whose year is not over"),
        ("somebody else's word", 2024, Some((&whole, &stranger)), "not signed by the log"),
    ] {
        let desk = desk(&keys, year, said);
        let ended = desk.run(&format!("audit verify log --policy policy --pruned-by {POLICY}"));
        assert_eq!(ended.code, 5, "{what}: {ended:?}");
        ended.is(5, word);
    }
}
