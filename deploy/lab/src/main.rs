//! rovuma-lab
fn main() {}
