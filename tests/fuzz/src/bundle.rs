//! Target `bundle`: the content of an opened delivery. The first byte chooses the form of the rest.

use std::io::Write as _;

use rovuma_envelope::{
    BUNDLE_BYTES_MAX, BUNDLE_FORMAT, BUNDLE_MESSAGES_MAX, Bundle, DecompressFault, Jws, UnpackFault,
};
use rovuma_schemas::dictionary;

/// The rest is a bundle: version byte and zstd frame.
pub const RAW: u8 = 0;

/// The rest is the content of the frame: framed messages.
pub const CONTENT: u8 = 1;

/// The rest is repeated until it exceeds the limit, in a frame that does not declare its size.
pub const BOMB: u8 = 2;

/// Unpacked messages are within the limits, and the framing has one form only.
pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    match mode % 3 {
        RAW => raw(rest),
        CONTENT => content(rest),
        _ => bomb(rest),
    }
}

fn raw(bundle: &[u8]) {
    assert!(Bundle::unpack(bundle, BUNDLE_FORMAT + 1).is_err(), "below the minimum");
    if let Ok(messages) = Bundle::unpack(bundle, BUNDLE_FORMAT) {
        check(&messages.into_iter().collect::<Vec<_>>());
    }
}

fn content(framed: &[u8]) {
    match Bundle::unpack(&frame(framed, true), BUNDLE_FORMAT) {
        Ok(messages) => {
            check(&messages);
            if let Some(whole) = all(&messages) {
                assert_eq!(written(&whole), framed, "two framings of the same messages");
            }
        }
        Err(UnpackFault::Empty) => assert!(framed.is_empty()),
        Err(UnpackFault::TooManyMessages) => assert!(framed.len() > 4 * BUNDLE_MESSAGES_MAX),
        Err(UnpackFault::Decompress(DecompressFault::TooLarge { .. })) => {
            assert!(framed.len() > BUNDLE_BYTES_MAX);
        }
        Err(other) => panic!("a good frame was refused: {other}"),
    }
}

fn bomb(piece: &[u8]) {
    if piece.is_empty() {
        return;
    }
    let large = piece.repeat(BUNDLE_BYTES_MAX / piece.len() + 1);
    assert!(large.len() > BUNDLE_BYTES_MAX);
    for declares_size in [true, false] {
        assert!(Bundle::unpack(&frame(&large, declares_size), BUNDLE_FORMAT).is_err(), "beyond the limit");
    }
}

fn check(messages: &[Result<Jws, rovuma_envelope::BadSegment>]) {
    assert!(!messages.is_empty() && messages.len() <= BUNDLE_MESSAGES_MAX);
    let size: usize = messages.iter().flatten().map(Bundle::packed_len).sum();
    assert!(size <= BUNDLE_BYTES_MAX, "{size} bytes were unpacked");
    let Some(whole) = all(messages) else { return };
    let packed = Bundle::pack(&whole).expect("what was unpacked can be packed");
    let again = Bundle::unpack(&packed, BUNDLE_FORMAT).expect("what was packed can be unpacked");
    assert!(again.iter().eq(messages), "packed and unpacked it is another");
}

fn all(messages: &[Result<Jws, rovuma_envelope::BadSegment>]) -> Option<Vec<Jws>> {
    messages.iter().map(|message| message.as_ref().ok().cloned()).collect()
}

/// Encodes the messages in format 1, independently of the product's code.
fn written(messages: &[Jws]) -> Vec<u8> {
    let mut out = Vec::new();
    for jws in messages {
        let body = Bundle::packed_len(jws) - 4;
        out.extend(u32::try_from(body).expect("small").to_be_bytes());
        out.extend(u16::try_from(jws.protected().len()).expect("small").to_be_bytes());
        out.extend(jws.protected());
        out.extend(jws.unverified_payload());
        out.extend(jws.signature().as_bytes());
    }
    out
}

/// Version byte and one frame with the dictionary of the format.
pub(crate) fn frame(content: &[u8], declares_size: bool) -> Vec<u8> {
    let mut out = vec![BUNDLE_FORMAT];
    let mut encoder =
        zstd::stream::Encoder::with_dictionary(&mut out, 1, dictionary::V1).expect("an encoder");
    encoder.include_contentsize(declares_size).expect("a setting");
    if declares_size {
        encoder.set_pledged_src_size(Some(content.len() as u64)).expect("a setting");
    }
    encoder.write_all(content).expect("into memory");
    encoder.finish().expect("a frame");
    out
}
