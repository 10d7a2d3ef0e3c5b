//! Packing and unpacking bundles.

use std::io::Write as _;

use zip::{ZipWriter, write::SimpleFileOptions};

use super::case::Case;
use crate::{EvidenceBundle, EvidencePackFault, check};

#[test]
fn what_holds_is_packed_and_unpacked_and_still_holds() {
    let case = Case::new();
    let counts = case.contents.manifest.counts;
    assert_eq!((counts.items, counts.orders, counts.disclosed, counts.erased), (3, 1, 3, 1));
    let mut bundle = case.bundle();
    let bytes = bundle.pack().expect("packed");
    assert!(EvidenceBundle::looks_like_bundle(&bytes));
    assert_eq!(bundle.pack().expect("packed"), bytes, "the same contents give the same bytes");
    let again = EvidenceBundle::unpack(&bytes).expect("unpacked");
    assert_eq!(again, bundle);
    check(&again.contents, &case.log.policy()).expect("it holds");
}

/// A ZIP file with these files.
fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, bytes) in files {
        zip.start_file(*path, SimpleFileOptions::default()).expect("begun");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("finished").into_inner()
}

#[test]
fn files_that_are_not_the_manifests_are_found() {
    let mut bundle = Case::new().bundle();
    let bytes = bundle.pack().expect("packed");
    let fault = |bytes: &[u8]| EvidenceBundle::unpack(bytes).expect_err("refused").to_string();
    let mut more = bytes.clone();
    more.extend_from_slice(b"and more");
    for (what, bytes) in
        [("nothing", &[][..]), ("cut", &bytes[..bytes.len() / 2]), ("no ZIP", b"PK\x03\x04nothing")]
    {
        assert!(matches!(EvidenceBundle::unpack(bytes), Err(EvidencePackFault::Zip(_))), "{what}");
    }
    assert!(fault(&zipped(&[("report.html", b"x")])).contains("manifest.json is missing"));

    // Some tools read the names before the files, others those in the directory at the end.
    let mut renamed = bytes.clone();
    let policy = renamed.windows(6).position(|window| window == b"policy").expect("a name");
    renamed[policy..policy + 6].copy_from_slice(b"pilocy");
    assert!(EvidenceBundle::unpack(&renamed).is_err(), "{policy}");

    // Some tools show bytes before the first file, others skip them.
    let before = [b"PK\x03\x04 hidden".as_slice(), &bytes].concat();
    assert!(EvidenceBundle::unpack(&before).is_err());
    assert!(fault(&more).contains("more than its files"));

    let manifest = serde_json::to_vec(&bundle.contents.manifest).expect("serialises");
    assert!(fault(&zipped(&[("manifest.json", &manifest)])).contains("missing"));
    let mut changed = bundle.clone();
    changed.report.push(' ');
    let repacked = changed.pack().expect("packed");
    // The manifest of one bundle with the files of the other.
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(&repacked)).expect("a ZIP");
    for place in 0..zip.len() {
        let mut file = zip.by_index(place).expect("a file");
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut content).expect("reads");
        files.push((file.name().expect("a name").into_owned(), content));
    }
    files[0].1 = manifest;
    let borrowed: Vec<(&str, &[u8])> =
        files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    assert!(fault(&zipped(&borrowed)).contains("report.html is not as the manifest has it"));
    let with_more = [borrowed.as_slice(), &[("entries/more.json", b"{}".as_slice())]].concat();
    assert!(fault(&zipped(&with_more)).contains("entries/more.json is not one of the manifest's files"));
    let outside = [borrowed.as_slice(), &[("../outside", b"x".as_slice())]].concat();
    assert!(fault(&zipped(&outside)).contains("../outside"));
}
