//! Bundles: what one sealed delivery holds.
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
//! Each message is framed by a length of its own, so that one with a misshapen body is reported in
//! its place and its neighbours are not harmed.

use crate::{
    Jws, Signature,
    compression::{self, DecompressFault},
};

/// The bundle format this build writes: its first byte.
pub const BUNDLE_FORMAT: u8 = 1;

/// Messages in one bundle: enough to make sealing cheap for each, few enough that one delivery
/// stays a small transaction.
pub const BUNDLE_MESSAGES_MAX: usize = 64;

/// Unpacked bytes of one bundle: four of the largest messages. Bounds what a sender can make a
/// reader hold in memory.
pub const BUNDLE_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of a bundle that is not yet sealed: what [`crate::open`] should take at most. zstd adds
/// less than this to what it cannot compress.
pub const BUNDLE_PACKED_MAX: usize = BUNDLE_BYTES_MAX + BUNDLE_BYTES_MAX / 128 + 1024;

const LENGTH_BYTES: usize = 4;
const PROTECTED_LENGTH_BYTES: usize = 2;

/// A bundle cannot be made of these messages.
#[derive(Debug, thiserror::Error)]
pub enum PackFault {
    /// None, or too many.
    #[error("{got} messages do not make a bundle of 1 to {BUNDLE_MESSAGES_MAX}")]
    Count {
        /// Messages given.
        got: usize,
    },
    /// Too large together.
    #[error("{got} bytes do not fit a bundle of {BUNDLE_BYTES_MAX}")]
    Size {
        /// Bytes of all messages.
        got: usize,
    },
    /// The compressor failed.
    #[error("compression failed: {0}")]
    Compression(String),
}

/// A delivery is not a bundle. None of its messages can be read.
#[derive(Debug, thiserror::Error)]
pub enum UnpackFault {
    /// No bytes at all.
    #[error("an empty bundle")]
    Empty,
    /// A format this build does not read, or an older one than the configuration takes.
    #[error("bundle format {got} is not one of {minimum} to {BUNDLE_FORMAT}")]
    Format {
        /// The version byte.
        got: u8,
        /// The oldest format taken.
        minimum: u8,
    },
    /// Not one zstd frame, or larger than a bundle may be.
    #[error(transparent)]
    Decompress(#[from] DecompressFault),
    /// More messages than a bundle may hold.
    #[error("more than {BUNDLE_MESSAGES_MAX} messages")]
    TooManyMessages,
}

/// One message of a bundle is misshapen. Its neighbours are not harmed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSegment {
    /// The body is too short for the segments it declares.
    #[error("message {index} of the bundle: {got} bytes do not hold its segments")]
    Body {
        /// Place in the bundle, from 0.
        index: usize,
        /// Bytes of the body.
        got: usize,
    },
    /// The bundle ends before the message does; what follows, if anything, cannot be found.
    #[error("message {index} of the bundle is cut short: {got} of {declared} bytes")]
    CutShort {
        /// Place in the bundle, from 0.
        index: usize,
        /// Bytes declared.
        declared: usize,
        /// Bytes there.
        got: usize,
    },
}

/// Packing and unpacking of bundles.
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

    /// Unpacks a bundle of at least format `minimum`, checking its limits while it unpacks.
    ///
    /// # Errors
    /// [`UnpackFault`] when the whole is not a bundle; within it, [`BadSegment`] in the place of each
    /// message that is misshapen.
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

/// The first message of `bytes` and what follows it: nothing when the framing itself is broken.
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
