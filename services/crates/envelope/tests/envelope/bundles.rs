//! Bundles: unpacking gives back what was packed, and a bad message does not harm the others.

use rovuma_envelope::{
    BUNDLE_BYTES_MAX, BUNDLE_FORMAT, BadSegment, Bundle, Jws, PackFault, Signature, SigningKey, Typ,
    UnpackFault,
};
use rovuma_schemas::dictionary;

use crate::fixture::key;

pub(crate) fn jws(key: &SigningKey, payload: &[u8]) -> Jws {
    Jws::sign(Typ::MESSAGE, payload.to_vec(), key).expect("signs")
}

/// `content` as a bundle, made with zstd directly, as another implementation or a forger makes it.
pub(crate) fn compressed(content: &[u8]) -> Vec<u8> {
    let mut compressor = zstd::bulk::Compressor::with_dictionary(3, dictionary::V1).expect("a dictionary");
    [&[BUNDLE_FORMAT], compressor.compress(content).expect("compresses").as_slice()].concat()
}

/// A message in the documented layout, encoded here independently.
pub(crate) fn framed(jws: &Jws) -> Vec<u8> {
    let body = [
        &u16::try_from(jws.protected().len()).expect("short").to_be_bytes(),
        jws.protected(),
        jws.unverified_payload(),
        jws.signature().as_bytes(),
    ]
    .concat();
    prefixed(&body)
}

fn prefixed(body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len()).expect("short").to_be_bytes(), body].concat()
}

fn unpacked(bundle: &[u8]) -> Vec<Result<Jws, BadSegment>> {
    Bundle::unpack(bundle, BUNDLE_FORMAT).expect("a bundle")
}

#[test]
fn what_is_packed_comes_out_in_order_byte_for_byte() {
    let key = key();
    for count in [1, 2, 64] {
        let messages: Vec<Jws> = (0..count).map(|n| jws(&key, format!("payload {n}").as_bytes())).collect();
        let out: Vec<Jws> = unpacked(&Bundle::pack(&messages).expect("packs"))
            .into_iter()
            .map(|m| m.expect("whole"))
            .collect();
        assert_eq!(out, messages);
    }
}

#[test]
fn the_layout_is_as_documented() {
    let (first, second) = (jws(&key(), b"one"), jws(&key(), b""));
    let content = [framed(&first), framed(&second)].concat();
    assert_eq!(unpacked(&compressed(&content)), [Ok(first.clone()), Ok(second.clone())]);
    let packed = Bundle::pack(&[first.clone(), second.clone()]).expect("packs");
    let (version, frame) = packed.split_first().expect("not empty");
    assert_eq!(*version, 1);
    let mut decompressor = zstd::bulk::Decompressor::with_dictionary(dictionary::V1).expect("a dictionary");
    assert_eq!(decompressor.decompress(frame, 10_000).expect("a frame"), content);
    assert_eq!(Bundle::packed_len(&first) + Bundle::packed_len(&second), content.len());
}

#[test]
fn a_misshapen_message_does_not_harm_its_neighbours() {
    let (first, last) = (jws(&key(), b"first"), jws(&key(), b"last"));
    let misshapen: [&[u8]; 6] = [b"", b"\0", &[0; 65], &[0xff; 80], &[0, 15].repeat(40)[..80], &[0; 66]];
    for body in &misshapen[..5] {
        let content = [framed(&first), prefixed(body), framed(&last)].concat();
        let out = unpacked(&compressed(&content));
        assert_eq!(out[0], Ok(first.clone()));
        assert_eq!(out[1], Err(BadSegment::Body { index: 1, got: body.len() }));
        assert_eq!(out[2], Ok(last.clone()));
    }
    // 66 zero bytes are a message of two empty segments: well framed, and refused by verification.
    let content = [framed(&first), prefixed(misshapen[5]), framed(&last)].concat();
    let empty = Jws::from_segments(vec![], vec![], Signature::from_bytes([0; 64]));
    assert_eq!(unpacked(&compressed(&content)), [Ok(first), Ok(empty), Ok(last)]);
}

#[test]
fn a_bundle_cut_short_gives_what_came_before() {
    let (first, second) = (jws(&key(), b"first"), jws(&key(), b"second"));
    let whole = [framed(&first), framed(&second)].concat();
    for cut in [framed(&first).len() + 1, framed(&first).len() + 10, whole.len() - 1] {
        let out = unpacked(&compressed(&whole[..cut]));
        assert_eq!(out.len(), 2);
        assert_eq!(out[0], Ok(first.clone()));
        assert!(matches!(out[1], Err(BadSegment::CutShort { index: 1, .. })));
    }
    let endless = [framed(&first), u32::MAX.to_be_bytes().to_vec(), vec![0; 100]].concat();
    let declared = usize::try_from(u32::MAX).expect("fits");
    assert_eq!(
        unpacked(&compressed(&endless))[1],
        Err(BadSegment::CutShort { index: 1, declared, got: 100 })
    );
}

#[test]
fn the_limits_hold_when_packing() {
    let key = key();
    let small = jws(&key, b"x");
    assert!(matches!(Bundle::pack(&[]), Err(PackFault::Count { got: 0 })));
    assert!(matches!(Bundle::pack(&vec![small.clone(); 65]), Err(PackFault::Count { got: 65 })));
    let room = BUNDLE_BYTES_MAX - Bundle::packed_len(&jws(&key, b""));
    assert!(Bundle::pack(&[jws(&key, &vec![b'x'; room])]).is_ok());
    assert!(matches!(Bundle::pack(&[jws(&key, &vec![b'x'; room + 1])]), Err(PackFault::Size { .. })));
    let long_header = Jws::from_segments(vec![b' '; 70_000], vec![], *small.signature());
    assert!(matches!(Bundle::pack(&[long_header]), Err(PackFault::Size { .. })));
}

#[test]
fn incompressible_messages_fit_too() {
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    })
    .take(BUNDLE_BYTES_MAX - 400)
    .collect();
    let packed = Bundle::pack(&[jws(&key(), &noise)]).expect("packs");
    assert!(packed.len() <= rovuma_envelope::BUNDLE_PACKED_MAX);
    assert!(unpacked(&packed)[0].is_ok());
}

#[test]
fn the_limits_hold_when_unpacking() {
    let one = framed(&jws(&key(), b"x"));
    assert_eq!(unpacked(&compressed(&one.repeat(64))).len(), 64);
    let fault = Bundle::unpack(&compressed(&one.repeat(65)), BUNDLE_FORMAT).expect_err("65 messages");
    assert!(matches!(fault, UnpackFault::TooManyMessages));
    let empty_frames = prefixed(b"").repeat(10_000);
    assert!(Bundle::unpack(&compressed(&empty_frames), BUNDLE_FORMAT).is_err());
    assert!(matches!(Bundle::unpack(&compressed(b""), BUNDLE_FORMAT), Err(UnpackFault::Empty)));
    assert!(matches!(Bundle::unpack(b"", BUNDLE_FORMAT), Err(UnpackFault::Empty)));
}

#[test]
fn another_format_is_refused() {
    let packed = Bundle::pack(&[jws(&key(), b"x")]).expect("packs");
    for version in [0, 2, 0x28, 0xff] {
        let other = [&[version], &packed[1..]].concat();
        let fault = Bundle::unpack(&other, 0).expect_err("another format");
        assert!(matches!(fault, UnpackFault::Format { got, .. } if got == version));
    }
    // No downgrade: a format below the configured minimum is refused even though this build reads it.
    assert!(matches!(Bundle::unpack(&packed, 2), Err(UnpackFault::Format { got: 1, minimum: 2 })));
}
