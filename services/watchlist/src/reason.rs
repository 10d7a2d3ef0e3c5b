//! Reasons that people state: codes or file references, because the audit log records them and they must name nobody.

use axum::http::StatusCode;
use rovuma_runtime::Problem;

/// Maximum characters of a reason or file reference.
const MAX: usize = 64;

/// Refuses what is no code or file reference; `pointer` says where it stands.
pub(crate) fn check(pointer: &str, unverified_reason: &str) -> Result<(), Box<Problem>> {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/');
    if (1..=MAX).contains(&unverified_reason.len()) && unverified_reason.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(Box::new(faulty(
        pointer,
        &format!("is a code or file reference of 1 to {MAX} letters, digits and . _ - /"),
    )))
}

/// The refusal of a body whose member at `pointer` is not what it should be.
pub(crate) fn faulty(pointer: &str, what: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "body_faulty").detail(format!("{pointer} {what}."))
}
