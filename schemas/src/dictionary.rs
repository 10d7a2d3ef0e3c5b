//! The zstd dictionaries with which bundles are compressed (RFC 8878 section 5).
//!
//! A dictionary is part of the bundle format: once a version is in use its bytes never change. A
//! better one is a new version.

/// The id inside [`V1`], which zstd writes into each frame: from the range for private use, and
/// small enough to take two bytes there.
pub const V1_ID: u32 = 32_769;

/// Version 1, trained on generated messages of every type.
pub const V1: &[u8] = include_bytes!("../dictionary/v1.dict");
