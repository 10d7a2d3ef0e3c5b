//! `rovuma_fuzz::trust_list`, handed libFuzzer's bytes.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use rovuma_fuzz::{mutate, trust_list};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::json_or_bytes(mutate::AFTER_FIRST_BYTE, data, size, max_size, seed, fuzzer_mutate)
});

fuzz_target!(|data: &[u8]| trust_list::run(data));
