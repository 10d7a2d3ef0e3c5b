//! rovuma-identity
fn main() {}
