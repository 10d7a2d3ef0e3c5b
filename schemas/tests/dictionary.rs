//! The dictionary compresses messages well.

use std::{fs, path::Path};

use rovuma_schemas::dictionary::{V1, V1_ID};
use zstd::bulk::{Compressor, Decompressor};

#[test]
fn it_is_a_zstd_dictionary_of_its_id_and_size() {
    // RFC 8878 section 5: magic 0xEC30A437, then the id, both little-endian.
    assert_eq!(V1[..4], 0xEC30_A437_u32.to_le_bytes());
    assert_eq!(V1[4..8], V1_ID.to_le_bytes());
    assert!(V1.len() <= 32 * 1024, "{} bytes", V1.len());
}

#[test]
fn it_halves_what_zstd_alone_makes_of_an_alert_and_saves_a_third_of_what_follows() {
    let mut plain = Compressor::new(6).expect("a compressor");
    let mut with = Compressor::with_dictionary(6, V1).expect("a compressor");
    let mut back = Decompressor::with_dictionary(V1).expect("a decompressor");
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/valid")).expect("a folder")
    {
        let path = file.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name.starts_with("message-") {
            continue;
        }
        let value: serde_json::Value =
            serde_json::from_slice(&fs::read(&path).expect("a text")).expect("JSON");
        let bytes = serde_json::to_vec(&value).expect("JSON");
        let (alone, small) = (plain.compress(&bytes).expect("zstd"), with.compress(&bytes).expect("zstd"));
        // Version 1 was trained when there were no messages that follow an alert.
        let (of, at_most) = if value["type"] == "alert.issue" { (2, 1) } else { (3, 2) };
        assert!(of * small.len() < at_most * alone.len(), "{name}: {} of {} bytes", small.len(), alone.len());
        assert_eq!(back.decompress(&small, bytes.len()).expect("zstd"), bytes, "{name}");
    }
}
