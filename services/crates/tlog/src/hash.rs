//! Hashing (RFC 6962, section 2.1).

use ring::digest::{Context, Digest, SHA256};
use tlog_tiles::{HASH_SIZE, Hash};

/// The byte hashed before a leaf, so that a leaf can never pass for a node.
const LEAF: u8 = 0;

/// The byte hashed before a node.
const NODE: u8 = 1;

/// The hash of a leaf with these bytes.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    hashed(LEAF, entry, &[])
}

/// The hash of the node above these two.
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    hashed(NODE, &left.0, &right.0)
}

/// Hashes with *ring*, the only crypto library of the product. The crate that brings tree arithmetic gives the same
/// hashes, much more slowly.
fn hashed(kind: u8, first: &[u8], second: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&[kind]);
    context.update(first);
    context.update(second);
    to_hash(&context.finish())
}

fn to_hash(digest: &Digest) -> Hash {
    let mut hash = [0; HASH_SIZE];
    hash.copy_from_slice(digest.as_ref());
    Hash(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_and_nodes_hash_as_others_hash_them() {
        let (one, other) = (leaf_hash(b"one"), leaf_hash(b""));
        assert_eq!((one, other), (tlog_tiles::record_hash(b"one"), tlog_tiles::record_hash(b"")));
        assert_eq!(node_hash(one, other), tlog_tiles::node_hash(one, other));
        assert_ne!(node_hash(one, other), leaf_hash(&[one.0, other.0].concat()));
    }
}
