//! `rovuma_fuzz::screen`, handed libFuzzer's bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rovuma_fuzz::screen;

fuzz_target!(|data: &[u8]| screen::run(data));
