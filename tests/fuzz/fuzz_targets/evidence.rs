//! `rovuma_fuzz::evidence`, handed libFuzzer's bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rovuma_fuzz::evidence::run(data));
