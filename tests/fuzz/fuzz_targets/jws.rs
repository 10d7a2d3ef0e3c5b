//! `rovuma_fuzz::jws`, handed libFuzzer's bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rovuma_fuzz::jws::run(data));
