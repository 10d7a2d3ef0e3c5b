//! Bundles that unpack to more than they may, or are not exactly one zstd frame.

use std::io::Write;

use rovuma_envelope::{BUNDLE_BYTES_MAX, BUNDLE_FORMAT, Bundle, DecompressFault, UnpackFault};
use rovuma_schemas::dictionary;

use crate::{
    bundles::{compressed, framed, jws},
    fixture::key,
};

fn refused(bundle: &[u8]) -> UnpackFault {
    Bundle::unpack(bundle, BUNDLE_FORMAT).expect_err("refused")
}

/// A frame that does not declare its size, as streaming compressors write it.
fn streamed(content: &[u8]) -> Vec<u8> {
    let mut encoder =
        zstd::stream::Encoder::with_dictionary(vec![BUNDLE_FORMAT], 3, dictionary::V1).expect("a dictionary");
    encoder.write_all(content).expect("compresses");
    encoder.finish().expect("compresses")
}

#[test]
fn a_gigabyte_of_zeros_is_refused_by_what_it_declares() {
    let mut encoder = zstd::stream::Encoder::new(vec![BUNDLE_FORMAT], 1).expect("an encoder");
    encoder.set_pledged_src_size(Some(1 << 30)).expect("before the first byte");
    let zeros = vec![0; 1 << 20];
    (0..1 << 10).try_for_each(|_| encoder.write_all(&zeros)).expect("compresses");
    let bomb = encoder.finish().expect("compresses");
    assert!(bomb.len() < 200_000, "{} bytes", bomb.len());
    assert!(matches!(refused(&bomb), UnpackFault::Decompress(DecompressFault::TooLarge { .. })));
}

#[test]
fn an_undeclared_size_is_stopped_at_the_limit() {
    assert!(matches!(refused(&streamed(&vec![0; 64 << 20])), UnpackFault::Decompress(_)));
    assert!(matches!(refused(&streamed(&vec![0; BUNDLE_BYTES_MAX + 1])), UnpackFault::Decompress(_)));
    let honest = framed(&jws(&key(), b"streamed"));
    assert!(Bundle::unpack(&streamed(&honest), BUNDLE_FORMAT).expect("a bundle")[0].is_ok());
}

#[test]
fn a_lie_about_the_size_is_refused() {
    let honest = compressed(&framed(&jws(&key(), &[b'x'; 300])));
    // Version byte, magic number (4), descriptor (1), dictionary id (2): then the size, two bytes.
    let size = &honest[8..10];
    let declared = usize::from(u16::from_le_bytes([size[0], size[1]])) + 256;
    assert_eq!(declared, framed(&jws(&key(), &[b'x'; 300])).len(), "the size is where it is thought to be");
    for lie in [0, 1, 100, 0xffff] {
        let mut lying = honest.clone();
        lying[8..10].copy_from_slice(&u16::to_le_bytes(lie));
        assert!(matches!(refused(&lying), UnpackFault::Decompress(DecompressFault::Frame(_))), "{lie}");
    }
}

#[test]
fn exactly_one_frame_is_taken() {
    let honest = compressed(&framed(&jws(&key(), b"x")));
    let frame = &honest[1..];
    // RFC 8878, section 3.1.2: a skippable frame holds anything.
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4];
    for bad in [
        [&honest, frame].concat(),
        [&honest[..], &skippable].concat(),
        [&[BUNDLE_FORMAT][..], &skippable, frame].concat(),
        [&[BUNDLE_FORMAT][..], &skippable].concat(),
        [&honest[..], b"\0"].concat(),
        honest[..honest.len() - 1].to_vec(),
        honest[..5].to_vec(),
        vec![BUNDLE_FORMAT],
        [&[BUNDLE_FORMAT], b"{\"header\":{}}".as_slice()].concat(),
    ] {
        assert!(Bundle::unpack(&bad, BUNDLE_FORMAT).is_err(), "{} bytes were taken", bad.len());
    }
}

#[test]
fn another_dictionary_is_refused() {
    let content = framed(&jws(&key(), b"a message that another dictionary helped to compress"));
    let mut other = dictionary::V1.to_vec();
    // The dictionary's id (RFC 8878, section 5).
    other[4] ^= 1;
    let mut compressor = zstd::bulk::Compressor::with_dictionary(3, &other).expect("a dictionary");
    let bundle = [&[BUNDLE_FORMAT], compressor.compress(&content).expect("compresses").as_slice()].concat();
    assert!(matches!(refused(&bundle), UnpackFault::Decompress(DecompressFault::Frame(_))));
}

/// A process may unpack hundreds of bombs in a row without harm to the reader's contexts.
#[test]
fn an_honest_bundle_opens_after_bombs() {
    let honest = compressed(&framed(&jws(&key(), b"x")));
    for _ in 0..50 {
        refused(&streamed(&vec![0; 2 << 20]));
        refused(&honest[..honest.len() - 2]);
        assert!(Bundle::unpack(&honest, BUNDLE_FORMAT).expect("a bundle")[0].is_ok());
    }
}
