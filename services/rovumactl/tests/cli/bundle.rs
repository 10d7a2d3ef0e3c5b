//! `rovumactl audit bundle` when the audit service's answer is incomplete.

use std::sync::Arc;

use crate::{
    harness::TestFolder,
    logs::{LogKeys, ServedFiles},
    watch::serve,
};

const BEGIN: &str = r#"{"begin":{"count":1,"end":1,"length":1}}"#;
const ITEM: &str = r#"{"item":{"entry":{"index":0,"digest":"","stored_at":"2026-11-27T10:00:00Z","leaf":{}},"origin":"mz.audit/2026"}}"#;
const DONE: &str = r#"{"done":{"items":1,"orders":0}}"#;

#[test]
fn an_answer_that_is_not_whole_makes_no_bundle() {
    let more = [BEGIN, ITEM, ITEM, DONE].join("\n") + "\n";
    let after = [BEGIN, ITEM, DONE, ITEM].join("\n") + "\n";
    let too_many = BEGIN.replace("\"count\":1", "\"count\":20001") + "\n";
    for (what, answer, code, word) in [
        ("nothing", String::new(), 4, "incomplete"),
        ("no end", format!("{BEGIN}\n{ITEM}\n"), 4, "incomplete"),
        ("fewer than announced", format!("{BEGIN}\n{DONE}\n"), 4, "incomplete"),
        ("the same twice", more.replace("\"items\":1", "\"items\":2"), 4, "incomplete"),
        ("more after its end", after, 4, "continues after its last line"),
        ("a line that is cut", format!("{BEGIN}\n{ITEM}"), 4, "ends within a line"),
        ("no JSON", "<html>\n".to_owned(), 4, "something else than JSON"),
        (
            "an entry of another shape",
            ITEM.replace("\"index\":0", "\"index\":\"0\"") + "\n",
            4,
            "item.entry.index: ",
        ),
        ("more than a bundle holds", too_many, 2, "at most 20000"),
        ("an entry that no proof backs", [BEGIN, ITEM, DONE].join("\n") + "\n", 5, "do not hold"),
    ] {
        let (desk, files) = (TestFolder::new(), ServedFiles::default());
        desk.write_private("token", "a-token\n");
        desk.write("policy", LogKeys::new().policy());
        files.lock().expect("not poisoned").insert("/v1/evidence".to_owned(), answer.into_bytes());
        let url = serve(Arc::clone(&files));
        let words = "audit bundle --policy policy --out e.zip --token-file token --server";
        let ended = desk.run(&format!("{words} {url}"));
        assert_eq!(ended.code, code, "{what}: {ended:?}");
        ended.is(code, word);
        assert!(!desk.path("e.zip").exists(), "{what}");
    }
}
