//! What was fetched for a bundle, kept beside the bundle's file until that is written: a command that breaks off, because the
//! line is cut or the log-in ends, goes on there when it is given again.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rovuma_api::answers::gateway::Originals;
use rovuma_evidence::{EvidenceEntry, Requester, UncoveredEntries, Withheld};
use rovuma_schemas::{Digest, Locale, MessageId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::exit::{Failure, Outcome};

/// The end of the name of a file with what was fetched.
const ENDING: &str = ".part";

/// Such a file holds whole messages, so only its owner may read it.
const OWNER_ONLY: u32 = 0o600;

/// What a bundle is made for. A file that was begun for something else is not gone on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BundleRequest {
    pub(super) requester: Requester,
    pub(super) reason: Option<String>,
    pub(super) query: BTreeMap<String, String>,
    pub(super) language: Locale,
    /// SHA-256 of the policy file.
    pub(super) policy: Digest,
}

/// Everything that servers answered for a bundle. Nothing in it is verified.
#[derive(Clone, Debug, Default)]
pub(super) struct Fetched {
    /// The answer of the audit service, once it is whole.
    pub(super) entries: Option<FetchedEntries>,
    /// What the gateway answered about each message.
    pub(super) messages: BTreeMap<MessageId, MessageAnswer>,
}

/// What the gateway answered about a message: its originals, or how it refuses them.
pub(super) type MessageAnswer = Result<Originals, RefusedMessage>;

/// A message that the gateway does not hand out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RefusedMessage {
    /// The code of the refusal.
    pub(super) code: String,
    /// What is known of it, where its sender's handling code keeps it there.
    pub(super) withheld: Option<Withheld>,
}

/// The whole answer of the audit service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FetchedEntries {
    /// When it was asked for.
    pub(super) at: Timestamp,
    /// Number of entries in the log at that time.
    pub(super) length: u64,
    /// Entries below this index were searched.
    pub(super) end: u64,
    /// The entries that match, and that no head covered yet.
    pub(super) uncovered: Option<UncoveredEntries>,
    /// The entries, each with its proof.
    pub(super) entries: Vec<(EvidenceEntry, Option<String>)>,
    /// Signed notes about pruned entries, by log.
    pub(super) pruned: BTreeMap<String, String>,
}

/// One line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Request(BundleRequest),
    Entries(Box<FetchedEntries>),
    Message(MessageId, Box<MessageAnswer>),
}

/// The file.
#[derive(Debug)]
pub(super) struct PartFile {
    path: PathBuf,
    file: File,
}

impl PartFile {
    /// Opens the file beside `out`, and reads what a command for the same request has fetched before.
    ///
    /// # Errors
    /// The file belongs to another request, or cannot be read or written.
    pub(super) fn open(out: &Path, request: &BundleRequest) -> Outcome<(Self, Fetched)> {
        let mut path = out.as_os_str().to_owned();
        path.push(ENDING);
        let path = PathBuf::from(path);
        let failed = |error: io::Error| Failure::local(format!("cannot use {}: {error}", path.display()));
        let mut options = OpenOptions::new();
        let file =
            options.read(true).append(true).create(true).mode(OWNER_ONLY).open(&path).map_err(failed)?;
        let (fetched, whole_bytes) = match read(&file, request).map_err(failed)? {
            Some(read) => read,
            None => {
                let what = format!("{} holds what was fetched for another bundle", path.display());
                return Err(Failure::usage(what).next("give the options of that bundle, or remove the file"));
            }
        };
        // A line that was cut when the command broke off is written again.
        file.set_len(whole_bytes).map_err(failed)?;
        let mut part = Self { path, file };
        if whole_bytes == 0 {
            part.append(&Line::Request(request.clone()))?;
        }
        Ok((part, fetched))
    }

    /// The file's path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps the answer of the audit service.
    pub(super) fn keep_entries(&mut self, entries: &FetchedEntries) -> Outcome<()> {
        self.append(&Line::Entries(Box::new(entries.clone())))
    }

    /// Keeps what the gateway answered about a message.
    pub(super) fn keep_message(&mut self, id: MessageId, answer: &MessageAnswer) -> Outcome<()> {
        self.append(&Line::Message(id, Box::new(answer.clone())))
    }

    fn append(&mut self, line: &Line) -> Outcome<()> {
        let failed = |what: String| Failure::local(format!("cannot write {}: {what}", self.path.display()));
        let mut text = serde_json::to_vec(line).map_err(|error| failed(error.to_string()))?;
        text.push(b'\n');
        self.file.write_all(&text).map_err(|error| failed(error.to_string()))
    }

    /// Removes the file, when the bundle is written or there is nothing to write.
    pub(super) fn remove(self) -> Outcome<()> {
        let removed = fs::remove_file(&self.path);
        removed.map_err(|error| Failure::local(format!("cannot remove {}: {error}", self.path.display())))
    }
}

/// Reads the whole lines of a file, and their length in bytes; `None` when they belong to another request.
fn read(file: &File, request: &BundleRequest) -> io::Result<Option<(Fetched, u64)>> {
    let (mut fetched, mut whole_bytes) = (Fetched::default(), 0);
    let mut lines = BufReader::new(file);
    let mut text = Vec::new();
    while lines.read_until(b'\n', &mut text)? > 0 {
        // The last line may have been cut. A line before it cannot be: then the file is nobody's.
        let Ok(line) = serde_json::from_slice::<Line>(&text) else { break };
        match line {
            Line::Request(made_for) if made_for != *request => return Ok(None),
            Line::Request(_) => {}
            Line::Entries(entries) => fetched.entries = Some(*entries),
            Line::Message(id, answer) => drop(fetched.messages.insert(id, *answer)),
        }
        whole_bytes += text.len() as u64;
        text.clear();
    }
    let is_foreign = whole_bytes == 0 && !text.is_empty();
    Ok((!is_foreign).then_some((fetched, whole_bytes)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn request(reason: &str) -> BundleRequest {
        BundleRequest {
            requester: Requester { subject: "auditor-1".to_owned(), agency: None },
            reason: Some(reason.to_owned()),
            query: BTreeMap::new(),
            language: Locale::En,
            policy: rovuma_envelope::digest(b""),
        }
    }

    fn id(last: u8) -> MessageId {
        format!("0199c5a1-7b3e-7001-8a10-0000000000{last:02}").parse().expect("an id")
    }

    fn refused(code: &str) -> MessageAnswer {
        Err(RefusedMessage { code: code.to_owned(), withheld: None })
    }

    #[test]
    fn what_was_kept_is_there_again_and_a_line_that_was_cut_is_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let out = dir.path().join("e.zip");
        let (mut part, fetched) = PartFile::open(&out, &request("A")).expect("opens");
        assert!(fetched.entries.is_none() && fetched.messages.is_empty());
        part.keep_message(id(1), &refused("not_found")).expect("kept");
        part.keep_message(id(2), &refused("role")).expect("kept");
        let path = part.path().to_owned();
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        drop(part);
        let bytes = fs::read(&path).expect("readable");
        fs::write(&path, &bytes[..bytes.len() - 5]).expect("written");
        let (mut part, fetched) = PartFile::open(&out, &request("A")).expect("opens");
        assert_eq!(fetched.messages.keys().copied().collect::<Vec<_>>(), [id(1)]);
        part.keep_message(id(3), &refused("role")).expect("kept");
        drop(part);
        let (part, fetched) = PartFile::open(&out, &request("A")).expect("opens");
        assert_eq!(fetched.messages.keys().copied().collect::<Vec<_>>(), [id(1), id(3)]);
        part.remove().expect("removed");
        assert!(!path.exists());
    }

    #[test]
    fn what_was_kept_for_something_else_is_not_used() {
        let dir = tempfile::tempdir().expect("a folder");
        let out = dir.path().join("e.zip");
        let (part, _) = PartFile::open(&out, &request("A")).expect("opens");
        let fault = PartFile::open(&out, &request("B")).expect_err("another request").to_string();
        assert!(fault.contains("for another bundle"), "{fault}");
        fs::write(part.path(), "somebody's file").expect("written");
        let fault = PartFile::open(&out, &request("A")).expect_err("no such file").to_string();
        assert!(fault.contains("for another bundle"), "{fault}");
        assert_eq!(fs::read_to_string(part.path()).expect("there"), "somebody's file");
    }
}
