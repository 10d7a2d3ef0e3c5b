//! `rovuma_fuzz::http_audit`, handed libFuzzer's bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rovuma_fuzz::http_audit::run(data));
