//! The limits of what is taken, each with its reason.

/// A whole message, serialised, in bytes. A photo does not fit, which is meant: attachments travel
/// on their own lane. Everything an officer types fits many times over, and a bundle holds several.
pub const MESSAGE_MAX_BYTES: usize = 256 * 1024;

/// Room kept in a message for its header: 32 recipients with their streams and numbers take 4 KiB,
/// the sender's unit, officer and case reference at most 3 KiB.
pub const HEADER_MAX_BYTES: usize = 16 * 1024;

/// How deep JSON arrays and objects may nest. The deepest message of this version has 8 levels; a
/// parser's stack is safe at 32.
pub const JSON_DEPTH_MAX: usize = 32;

/// Recipients of one message, all of one country: no country has as many agencies at the exchange.
pub const RECIPIENTS_MAX: usize = 32;

/// Subjects of one alert, of all kinds together. A longer list is several alerts: each then has its
/// own reason and its own end.
pub const SUBJECTS_MAX: usize = 64;

/// One free text, UTF-8 bytes: about five printed pages.
pub const TEXT_MAX_BYTES: usize = 16 * 1024;

/// One single-line text, in characters: it must fit a line of a form.
pub const LINE_MAX_CHARS: usize = 200;

/// Entries of one receipt: a bundle has at most 64 messages, so one receipt can answer it.
pub const RECEIPT_ENTRIES_MAX: usize = 64;

/// Streams named in one `stream.status` or `stream.request`: three lanes, and a few streams left
/// from stores that were restored.
pub const STREAMS_MAX: usize = 64;

/// Void numbers or missing ranges named for one stream in one message; the rest goes in the next.
pub const STREAM_NUMBERS_MAX: usize = 1024;

/// Items of any other list (aliases, nationalities, marks, offences…): more is a mistake.
pub const LIST_MAX: usize = 16;
