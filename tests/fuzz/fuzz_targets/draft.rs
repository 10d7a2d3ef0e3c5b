//! `rovuma_fuzz::draft`, handed libFuzzer's bytes.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use rovuma_fuzz::{draft, mutate};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::json_or_bytes(mutate::WHOLE, data, size, max_size, seed, fuzzer_mutate)
});

fuzz_target!(|data: &[u8]| draft::run(data));
