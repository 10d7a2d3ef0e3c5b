//! rovuma-rovumactl
fn main() {}
