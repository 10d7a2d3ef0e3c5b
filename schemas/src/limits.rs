//! Limits, each with its reason.

/// Maximum bytes of a serialised message. A photo does not fit, on purpose: attachments travel in a lane of their own. All that
/// an officer types fits many times over, and a bundle holds several such messages.
pub const MESSAGE_MAX_BYTES: usize = 256 * 1024;

/// Bytes reserved in a message for its header: 32 recipients with their streams and numbers take 4 KiB,
/// the sender's unit, officer and case reference at most 3 KiB.
pub const HEADER_MAX_BYTES: usize = 16 * 1024;

/// Maximum nesting of JSON arrays and objects. The deepest message of this version has 9 levels; a
/// parser's stack is safe at 32.
pub const JSON_DEPTH_MAX: usize = 32;

/// Maximum recipients of one message, all of one country: no country has as many agencies at the exchange.
pub const RECIPIENTS_MAX: usize = 32;

/// Maximum subjects of one alert, of all kinds together. A longer list is several alerts: each then has its
/// own reason and its own end.
pub const SUBJECTS_MAX: usize = 64;

/// Maximum faults of a draft that one answer shows, about 40 KB: nobody mends more at a time. A draft of the maximum size
/// could otherwise have 130,000 faults and an answer of more than 10 MB.
pub const FAULTS_SHOWN_MAX: usize = 200;

/// Bytes of pointers and details after which no further fault of a draft is shown: a pointer has the names of all objects
/// around it, and a name may be as long as the draft.
pub const FAULTS_SHOWN_MAX_BYTES: usize = 64 * 1024;

/// Maximum UTF-8 bytes of one free text: about five printed pages.
pub const TEXT_MAX_BYTES: usize = 16 * 1024;

/// Maximum characters of a single-line text: it must fit a line of a form.
pub const LINE_MAX_CHARS: usize = 200;

/// Maximum entries of one receipt: a bundle has at most 64 messages, so one receipt can answer it.
pub const RECEIPT_ENTRIES_MAX: usize = 64;

/// Maximum streams of one lane in one `stream.status` or `stream.request`: the present one, and those left from stores that
/// were restored. Nobody restores a store eight times before its old messages are settled.
pub const STREAMS_PER_LANE_MAX: usize = 8;

/// Maximum streams in one `stream.status` or `stream.request`: those of three lanes.
pub const STREAMS_MAX: usize = 3 * STREAMS_PER_LANE_MAX;

/// Maximum number of a stream, and of every other count that a message states: the largest whole number that each JSON
/// reader keeps exactly (RFC 8259, section 6). A larger one would be another number at the other end.
pub const NUMBER_MAX: u64 = (1 << 53) - 1;

/// Maximum void numbers of one stream in one `stream.status`; the next one has the rest.
pub const VOIDED_MAX: usize = 1024;

/// Maximum void numbers in one `stream.status`, over all its streams: about 120 KB, which fits a message.
pub const VOIDED_OF_ALL_MAX: usize = 3 * VOIDED_MAX;

/// Maximum ranges in one `stream.request`, over all its streams. A recipient acts on each range with a statement of its own,
/// in the one transaction that may write at a time.
pub const REQUEST_RANGES_MAX: usize = 64;

/// Maximum numbers in the ranges of one `stream.request`: all that can be on the way without a receipt, 64 bundles of 64
/// messages. It bounds the rows that the recipient reads and the copies that it sends again.
pub const REQUEST_NUMBERS_MAX: u64 = 4096;

/// Maximum items of any other list (aliases, nationalities, marks, offences…): more is a mistake.
pub const LIST_MAX: usize = 16;
