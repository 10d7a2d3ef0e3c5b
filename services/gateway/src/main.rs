//! rovuma-gateway
fn main() {}
