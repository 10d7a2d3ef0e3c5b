//! Target `sealed`: a delivery's bytes as the broker hands them over, opened with an agency's keys.

use std::sync::LazyLock;

use rovuma_envelope::{BUNDLE_PACKED_MAX, Bundle, SealingKey, open, seal};

use crate::keys;

static KEYS: LazyLock<[SealingKey; 2]> =
    LazyLock::new(|| [keys::sealing("mz.prm"), keys::sealing("mz.senami")]);

/// A limit that a small input can exceed.
const SMALL: usize = 64;

/// Opened bytes are within the limit, whatever it is, and the limit alone decides.
pub fn run(data: &[u8]) {
    let keys: Vec<&SealingKey> = KEYS.iter().collect();
    let small = open(data, &keys, SMALL);
    match open(data, &keys, BUNDLE_PACKED_MAX) {
        Ok(plain) => {
            assert!(plain.len() <= BUNDLE_PACKED_MAX);
            assert_eq!(small.is_ok(), plain.len() <= SMALL, "the limit does not decide");
            assert!(small.is_err() || small.is_ok_and(|small| small == plain));
            let again = seal(&plain, KEYS[0].recipient()).expect("anything can be sealed");
            assert_eq!(open(&again, &keys, plain.len()).expect("what was sealed opens"), plain);
            let _ = Bundle::unpack(&plain, 1);
        }
        Err(_) => assert!(small.is_err(), "opens under a smaller limit only"),
    }
    let nobody: [&SealingKey; 0] = [];
    assert!(open(data, &nobody, BUNDLE_PACKED_MAX).is_err(), "opens without a key");
}
