//! rovuma-audit
fn main() {}
