//! Bundles: the messages of one sealed delivery, framed and compressed.
//!
//! # Byte layout, format 1
//!
//! ```text
//! bundle   = version frame
//! version  = 0x01
//! frame    = one zstd frame (RFC 8878), dictionary `rovuma_schemas::dictionary::V1`,
//!            of messages
//! messages = 1 to 64 × message, together at most 1 MiB
//! message  = length body
//! length   = u32, big endian: bytes of body
//! body     = protected_length protected payload signature
//! protected_length = u16, big endian: bytes of protected
//! protected        = the JWS protected header, raw (not base64)
//! payload          = the JWS payload, raw: what lies between protected and signature
//! signature        = 64 bytes, Ed25519
//! ```
//!
//! Each message has a length of its own, so that a misshapen body is reported at its index and the
//! messages around it can still be read.

use crate::{
    Jws, Signature,
    compression::{self, DecompressFault},
};

/// The bundle format this build writes: its first byte.
pub const BUNDLE_FORMAT: u8 = 1;

/// Messages in one bundle: enough to make sealing cheap for each, few enough that one delivery
/// stays a small transaction.
pub const BUNDLE_MESSAGES_MAX: usize = 64;

/// Maximum unpacked bytes of one bundle: four messages of the largest size. It bounds the memory that a
/// sender can make a reader use.
pub const BUNDLE_BYTES_MAX: usize = 1024 * 1024;

/// Maximum bytes of a bundle before it is sealed: callers give it to [`crate::open`] as the limit. zstd
/// adds less than this to data that it cannot compress.
pub const BUNDLE_PACKED_MAX: usize = BUNDLE_BYTES_MAX + BUNDLE_BYTES_MAX / 128 + 1024;

const LENGTH_BYTES: usize = 4;
const PROTECTED_LENGTH_BYTES: usize = 2;

/// These messages cannot be packed into one bundle.
#[derive(Debug, thiserror::Error)]
pub enum PackFault {
    /// No message, or more than [`BUNDLE_MESSAGES_MAX`].
    #[error("{got} messages do not make a bundle of 1 to {BUNDLE_MESSAGES_MAX}")]
    Count {
        /// Messages given.
        got: usize,
    },
    /// The messages together exceed [`BUNDLE_BYTES_MAX`].
    #[error("{got} bytes do not fit a bundle of {BUNDLE_BYTES_MAX}")]
    Size {
        /// Bytes of all messages.
        got: usize,
    },
    /// The compressor failed, with its message.
    #[error("compression failed: {0}")]
    Compression(String),
}

/// The bytes are not a bundle: none of its messages can be read.
#[derive(Debug, thiserror::Error)]
pub enum UnpackFault {
    /// There are no bytes.
    #[error("an empty bundle")]
    Empty,
    /// A format that this build does not read, or one older than the configured minimum.
    #[error("bundle format {got} is not one of {minimum} to {BUNDLE_FORMAT}")]
    Format {
        /// The version byte.
        got: u8,
        /// The oldest format that the configuration allows.
        minimum: u8,
    },
    /// The rest is not one zstd frame, or unpacks to more than a bundle may hold.
    #[error(transparent)]
    Decompress(#[from] DecompressFault),
    /// More messages than a bundle may hold.
    #[error("more than {BUNDLE_MESSAGES_MAX} messages")]
    TooManyMessages,
}

/// One message of a bundle is misshapen. The others can still be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSegment {
    /// The body is too short for the segments it declares.
    #[error("message {index} of the bundle: {got} bytes do not hold its segments")]
    Body {
        /// Position in the bundle, from 0.
        index: usize,
        /// Bytes of the body.
        got: usize,
    },
    /// The bundle ends before the message does. Nothing after it can be found.
    #[error("message {index} of the bundle is cut short: {got} of {declared} bytes")]
    CutShort {
        /// Position in the bundle, from 0.
        index: usize,
        /// Bytes that the length declares.
        declared: usize,
        /// Bytes that are left.
        got: usize,
    },
}

/// Packs and unpacks bundles.
#[derive(Clone, Copy, Debug)]
pub struct Bundle;

impl Bundle {
    /// The bytes that `jws` takes in a bundle, before compression.
    pub fn packed_len(jws: &Jws) -> usize {
        LENGTH_BYTES + body_len(jws)
    }

    /// Packs messages, in this order.
    ///
    /// # Errors
    /// [`PackFault`] for none, more than [`BUNDLE_MESSAGES_MAX`], or more than [`BUNDLE_BYTES_MAX`].
    pub fn pack(messages: &[Jws]) -> Result<Vec<u8>, PackFault> {
        if messages.is_empty() || messages.len() > BUNDLE_MESSAGES_MAX {
            return Err(PackFault::Count { got: messages.len() });
        }
        let size = messages.iter().map(Self::packed_len).sum();
        if size > BUNDLE_BYTES_MAX {
            return Err(PackFault::Size { got: size });
        }
        let mut unpacked = Vec::with_capacity(size);
        messages.iter().try_for_each(|jws| write_message(jws, &mut unpacked))?;
        compression::compress(BUNDLE_FORMAT, &unpacked).map_err(PackFault::Compression)
    }

    /// Unpacks a bundle of format `minimum` or newer, and checks its limits while it unpacks.
    ///
    /// # Errors
    /// [`UnpackFault`] when the bytes are not a bundle; inside the list, [`BadSegment`] at the position
    /// of each misshapen message.
    pub fn unpack(bytes: &[u8], minimum: u8) -> Result<Vec<Result<Jws, BadSegment>>, UnpackFault> {
        let (version, frame) = bytes.split_first().ok_or(UnpackFault::Empty)?;
        if *version != BUNDLE_FORMAT || *version < minimum {
            return Err(UnpackFault::Format { got: *version, minimum });
        }
        split(&compression::decompress(frame, BUNDLE_BYTES_MAX)?)
    }
}

fn body_len(jws: &Jws) -> usize {
    PROTECTED_LENGTH_BYTES + jws.protected().len() + jws.unverified_payload().len() + Signature::LEN
}

fn write_message(jws: &Jws, out: &mut Vec<u8>) -> Result<(), PackFault> {
    let too_large = |_| PackFault::Size { got: body_len(jws) };
    out.extend(u32::try_from(body_len(jws)).map_err(too_large)?.to_be_bytes());
    out.extend(u16::try_from(jws.protected().len()).map_err(too_large)?.to_be_bytes());
    out.extend(jws.protected());
    out.extend(jws.unverified_payload());
    out.extend(jws.signature().as_bytes());
    Ok(())
}

fn split(mut rest: &[u8]) -> Result<Vec<Result<Jws, BadSegment>>, UnpackFault> {
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let index = messages.len();
        if index == BUNDLE_MESSAGES_MAX {
            return Err(UnpackFault::TooManyMessages);
        }
        let (message, after) = split_message(rest, index);
        messages.push(message);
        rest = after;
    }
    if messages.is_empty() { Err(UnpackFault::Empty) } else { Ok(messages) }
}

/// Splits the first message off `bytes`. When the framing is broken, nothing after it can be found, so
/// the rest is empty.
fn split_message(bytes: &[u8], index: usize) -> (Result<Jws, BadSegment>, &[u8]) {
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
        return (Err(BadSegment::CutShort { index, declared: LENGTH_BYTES, got: bytes.len() }), &[]);
    };
    let declared = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    match rest.split_at_checked(declared) {
        Some((body, after)) => (read_body(body).ok_or(BadSegment::Body { index, got: declared }), after),
        None => (Err(BadSegment::CutShort { index, declared, got: rest.len() }), &[]),
    }
}

fn read_body(body: &[u8]) -> Option<Jws> {
    let (protected_length, rest) = body.split_first_chunk::<PROTECTED_LENGTH_BYTES>()?;
    let (protected, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*protected_length)))?;
    let (payload, signature) = rest.split_last_chunk::<{ Signature::LEN }>()?;
    Some(Jws::from_segments(protected.to_vec(), payload.to_vec(), Signature::from_bytes(*signature)))
}
