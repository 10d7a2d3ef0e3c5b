//! Trains the zstd dictionary of bundles on generated messages of every type.
//!
//! `cargo run --release -p rovuma-schemas --example train-dictionary -- <file>`
//!
//! A dictionary in use never changes: a better one is `v2.dict`, with an id of its own. So the tool never overwrites a file.

mod corpus;
mod random;
mod samples;

use std::{env, error::Error, fs::OpenOptions, io::Write};

use rovuma_schemas::dictionary::V1_ID;

use crate::{random::Random, samples::Samples};

/// Maximum bytes of a dictionary: beyond it the gain was under 2 %, and both ends hold it in memory.
const DICTIONARY_MAX_BYTES: usize = 32 * 1024;
/// The compression level of the relay.
const LEVEL: i32 = 6;
const TRAINING_SAMPLES: usize = 6_000;
const CHECKED_SAMPLES: usize = 400;

fn main() -> Result<(), Box<dyn Error>> {
    let target = env::args().nth(1).ok_or("usage: train-dictionary <file to write>")?;
    let samples = Samples::load()?;
    let mut random = Random::new(0x5eed);
    let training: Vec<Vec<u8>> =
        (0..TRAINING_SAMPLES).map(|_| samples.bundle_of_one(&mut random)).collect::<Result<_, _>>()?;
    let mut dictionary = zstd::dict::from_samples(&training, DICTIONARY_MAX_BYTES)?;
    // RFC 8878 section 5: four bytes of magic, then the id, little-endian.
    dictionary[4..8].copy_from_slice(&V1_ID.to_le_bytes());
    report(&dictionary, &samples)?;
    OpenOptions::new().write(true).create_new(true).open(&target)?.write_all(&dictionary)?;
    println!("wrote {target}: {} bytes", dictionary.len());
    Ok(())
}

/// Prints the gain on messages, each alone, whose texts the dictionary was not trained on.
fn report(dictionary: &[u8], samples: &Samples) -> Result<(), Box<dyn Error>> {
    let mut random = Random::new(0xc0ffee);
    let mut plain = zstd::bulk::Compressor::new(LEVEL)?;
    let mut with = zstd::bulk::Compressor::with_dictionary(LEVEL, dictionary)?;
    for name in samples.names() {
        let (mut raw, mut without, mut within) = (0, 0, 0);
        for _ in 0..CHECKED_SAMPLES {
            let bytes = samples.bundle_of(name, &mut random)?;
            raw += bytes.len();
            without += plain.compress(&bytes)?.len();
            within += with.compress(&bytes)?.len();
        }
        let mean = |sum: usize| sum / CHECKED_SAMPLES;
        println!(
            "{name:32} {:6} B, zstd {:6} B, with dictionary {:6} B",
            mean(raw),
            mean(without),
            mean(within)
        );
    }
    Ok(())
}
