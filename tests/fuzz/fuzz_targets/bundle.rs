//! `rovuma_fuzz::bundle`, handed libFuzzer's bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rovuma_fuzz::bundle::run(data));
