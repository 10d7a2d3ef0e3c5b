//! `rovuma_fuzz::list`, handed libFuzzer's bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rovuma_fuzz::list;

fuzz_target!(|data: &[u8]| list::run(data));
