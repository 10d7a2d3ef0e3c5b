//! Proofs, compared with another implementation of RFC 6962 and with one thing altered.

use ct_merkle::{ConsistencyProof, InclusionProof, RootHash, mem_backed_tree::MemoryBackedTree};
use proptest::prelude::*;
use rovuma_tlog::{
    EMPTY_HASH, Edge, Hash, LEAVES_MAX, LoadedTiles, ProofFault, Tile, TileKind, leaf_hash,
    needed_for_consistency, needed_for_inclusion,
};
use sha2::Sha256;

use crate::log::MemoryLog;

type Other = MemoryBackedTree<Sha256, Vec<u8>>;

fn other(log: &MemoryLog) -> Other {
    let mut tree = Other::new();
    log.leaves.iter().for_each(|leaf| tree.push(leaf.clone()));
    tree
}

fn bytes(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|hash| hash.0).collect()
}

fn index(of: u64) -> usize {
    usize::try_from(of).expect("small")
}

/// Sizes around the bounds of tiles, and between them.
fn sizes() -> impl Strategy<Value = u64> {
    prop_oneof![1_u64..20, 250_u64..260, 500_u64..520, 760_u64..1100]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_make_the_same_proofs_and_take_each_others(size in sizes(), leaf in any::<prop::sample::Index>(), old in any::<prop::sample::Index>()) {
        let log = MemoryLog::of(size);
        let (head, tree) = (log.head(), other(&log));
        let root = tree.root();
        prop_assert_eq!(head.root.0.as_slice(), root.as_bytes().as_slice());

        let at = leaf.index(index(size)) as u64;
        let needed = needed_for_inclusion(size, at).expect("a leaf");
        let proof = log.tiles(size, &needed).inclusion(at).expect("every tile is there");
        let theirs = tree.prove_inclusion(index(at));
        prop_assert_eq!(bytes(&proof), theirs.as_bytes());
        let hash = leaf_hash(&log.leaves[index(at)]);
        prop_assert_eq!(head.includes(at, hash, &proof), Ok(()));
        let ours = InclusionProof::<Sha256>::try_from_bytes(bytes(&proof)).expect("hashes");
        let root = RootHash::<Sha256>::new(head.root.0.into(), size);
        prop_assert!(root.verify_inclusion(&log.leaves[index(at)], at, &ours).is_ok());

        let older = MemoryLog::of(1 + old.index(index(size)) as u64).head();
        let needed = needed_for_consistency(older.size, size).expect("not smaller");
        let proof = log.tiles(size, &needed).consistency(older.size).expect("every tile is there");
        prop_assert_eq!(head.continues(&older, &proof), Ok(()));
        if older.size < size {
            let theirs = tree.prove_consistency(index(size - older.size));
            prop_assert_eq!(bytes(&proof), theirs.as_bytes());
            let ours = ConsistencyProof::<Sha256>::try_from_bytes(bytes(&proof)).expect("hashes");
            let old_root = RootHash::<Sha256>::new(older.root.0.into(), older.size);
            prop_assert!(root.verify_consistency(&old_root, &ours).is_ok());
        }
    }

    #[test]
    fn a_proof_with_one_bit_flipped_proves_nothing(size in sizes(), leaf in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>()) {
        let log = MemoryLog::of(size);
        let at = leaf.index(index(size)) as u64;
        let needed = needed_for_inclusion(size, at).expect("a leaf");
        let proof = log.tiles(size, &needed).inclusion(at).expect("every tile is there");
        prop_assume!(!proof.is_empty());
        let bit = bit.index(proof.len() * 256);
        let mut bent = proof;
        bent[bit / 256].0[bit % 256 / 8] ^= 1 << (bit % 8);
        let hash = leaf_hash(&log.leaves[index(at)]);
        prop_assert_eq!(log.head().includes(at, hash, &bent), Err(ProofFault::Wrong));
    }
}

#[test]
fn an_inclusion_proof_is_of_one_leaf_at_one_place_in_one_tree() {
    let log = MemoryLog::of(300);
    let head = log.head();
    let hash = |at: u64| leaf_hash(&log.leaves[index(at)]);
    let needed = needed_for_inclusion(300, 77).expect("a leaf");
    let proof = log.tiles(300, &needed).inclusion(77).expect("every tile is there");
    assert_eq!(head.includes(77, hash(77), &proof), Ok(()));
    assert_eq!(head.includes(77, hash(78), &proof), Err(ProofFault::Wrong), "another leaf");
    assert_eq!(head.includes(78, hash(77), &proof), Err(ProofFault::Wrong), "another place");
    assert_eq!(head.includes(77, hash(77), &proof[1..]), Err(ProofFault::Wrong), "a hash gone");
    let longer = [&proof[..], &[hash(0)]].concat();
    assert_eq!(head.includes(77, hash(77), &longer), Err(ProofFault::Wrong), "a hash more");
    assert_eq!(
        MemoryLog::of(301).head().includes(77, hash(77), &proof),
        Err(ProofFault::Wrong),
        "another tree"
    );
    let no_such = ProofFault::NoSuchLeaf { index: 300, size: 300 };
    assert_eq!(head.includes(300, hash(77), &proof), Err(no_such.clone()));
    assert_eq!(needed_for_inclusion(300, 300), Err(no_such));
}

#[test]
fn a_log_that_forked_shrank_or_changed_does_not_go_on() {
    let log = MemoryLog::of(700);
    let proof = |old: u64| {
        let needed = needed_for_consistency(old, 700).expect("not smaller");
        log.tiles(700, &needed).consistency(old).expect("every tile is there")
    };
    let older = MemoryLog::of(300).head();
    assert_eq!(log.head().continues(&older, &proof(300)), Ok(()));

    let mut forked = MemoryLog::of(299);
    forked.append(b"another".to_vec());
    assert_eq!(log.head().continues(&forked.head(), &proof(300)), Err(ProofFault::Wrong), "forked");
    assert_eq!(older.continues(&log.head(), &proof(300)), Err(ProofFault::Smaller { old: 700, new: 300 }));
    let mut same_size = MemoryLog::of(699);
    same_size.append(b"another".to_vec());
    assert_eq!(same_size.head().continues(&log.head(), &[]), Err(ProofFault::Wrong), "changed");
    assert_eq!(log.head().continues(&log.head(), &[]), Ok(()));
    assert_eq!(log.head().continues(&older, &proof(301)), Err(ProofFault::Wrong), "a proof of another size");
    let mut other = older.clone();
    other.origin = "tz.audit.example/2026".to_owned();
    assert!(matches!(log.head().continues(&other, &proof(300)), Err(ProofFault::OtherLog { .. })));
}

#[test]
fn everything_goes_on_from_nothing_but_nothing_only() {
    let mut empty = MemoryLog::of(0).head();
    assert_eq!(empty.root, EMPTY_HASH);
    assert_eq!(MemoryLog::of(5).head().continues(&empty, &[]), Ok(()));
    assert_eq!(MemoryLog::of(5).head().continues(&empty, &[EMPTY_HASH]), Err(ProofFault::Wrong));
    empty.root = leaf_hash(b"not nothing");
    assert_eq!(MemoryLog::of(5).head().continues(&empty, &[]), Err(ProofFault::Wrong));
    assert_eq!(needed_for_consistency(0, 5), Ok(Vec::new()));
    let nothing = MemoryLog::of(0).head();
    assert_eq!(nothing.continues(&nothing, &[]), Ok(()));
    assert_eq!(empty.continues(&nothing, &[]), Err(ProofFault::Wrong), "nothing has one root only");
}

#[test]
fn a_tile_that_is_missing_or_short_is_named() {
    let log = MemoryLog::of(600);
    let needed = needed_for_inclusion(600, 10).expect("a leaf");
    let paths: Vec<String> = needed.iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2"]);
    for missing in 0..needed.len() {
        let there: Vec<Tile> = needed.iter().copied().filter(|tile| *tile != needed[missing]).collect();
        let fault = ProofFault::NoTile { tile: paths[missing].clone() };
        assert_eq!(log.tiles(600, &there).inclusion(10), Err(fault.clone()));
        let mut short = log.tiles(600, &there);
        let mut bytes = log.tile(&needed[missing]);
        bytes.pop();
        short.add(needed[missing], bytes);
        // A tile that is cut short is missed where its last hash is needed.
        if missing > 0 {
            assert_eq!(short.inclusion(10), Err(fault));
        }
    }
}

#[test]
fn a_full_tile_serves_where_the_partial_one_was_dropped() {
    let (log, grown) = (MemoryLog::of(300), MemoryLog::of(600));
    let needed = needed_for_inclusion(300, 10).expect("a leaf");
    let mut tiles = LoadedTiles::of(300);
    for tile in &needed {
        let there = if tile.kind == (TileKind::Hashes { level: 0 }) { tile.full() } else { *tile };
        tiles.add(there, if there.is_full() { grown.tile(&there) } else { log.tile(&there) });
    }
    let proof = tiles.inclusion(10).expect("every tile is there");
    assert_eq!(log.head().includes(10, leaf_hash(b"leaf 10"), &proof), Ok(()));
}

/// Where tiles of a second and a third level begin.
#[test]
fn proofs_hold_around_65_536_leaves() {
    let log = MemoryLog::of(65_537);
    let head = log.head();
    for size in [65_535, 65_536, 65_537] {
        let older = MemoryLog::of(size).head();
        let needed = needed_for_consistency(size, 65_537).expect("not smaller");
        let proof = log.tiles(65_537, &needed).consistency(size).expect("every tile is there");
        assert_eq!(head.continues(&older, &proof), Ok(()), "{size}");
        let mut bent = proof.clone();
        for bit in 0..proof.len() * 256 {
            bent[bit / 256].0[bit % 256 / 8] ^= 1 << (bit % 8);
            assert_eq!(head.continues(&older, &bent), Err(ProofFault::Wrong), "bit {bit} of {size}");
            bent[bit / 256].0[bit % 256 / 8] ^= 1 << (bit % 8);
        }
    }
    for at in [0, 255, 256, 65_279, 65_535, 65_536] {
        let needed = needed_for_inclusion(65_537, at).expect("a leaf");
        let proof = log.tiles(65_537, &needed).inclusion(at).expect("every tile is there");
        assert_eq!(head.includes(at, leaf_hash(&log.leaves[index(at)]), &proof), Ok(()), "{at}");
    }
    let long = vec![leaf_hash(b""); 65];
    assert_eq!(head.includes(0, leaf_hash(b"leaf 0"), &long), Err(ProofFault::Wrong));
}

#[test]
fn the_edge_is_found_again_in_the_tiles() {
    for size in [0, 1, 2, 255, 256, 257, 511, 700, 1000] {
        let log = MemoryLog::of(size);
        let needed = LoadedTiles::needed_for_edge(size);
        let edge = log.tiles(size, &needed).edge().expect("every tile is there");
        assert_eq!((edge.size(), edge.root()), (size, log.head().root));
    }
    assert_eq!(Edge::places(700).count(), 700_u64.count_ones() as usize);
}

#[test]
fn sizes_that_no_log_has_are_not_reckoned_with() {
    for size in [LEAVES_MAX + 1, u64::MAX] {
        assert!(needed_for_inclusion(size, 0).is_err());
        assert!(needed_for_consistency(1, size).is_err());
        assert!(LoadedTiles::of(size).inclusion(0).is_err());
        let mut head = MemoryLog::of(3).head();
        head.size = size;
        assert!(head.includes(0, leaf_hash(b"leaf 0"), &[]).is_err());
    }
    assert_eq!(needed_for_inclusion(LEAVES_MAX, 0).expect("the largest").len(), 6);
    let tile = |level, index| Tile { kind: TileKind::Hashes { level }, index, width: 1 };
    assert_eq!((tile(0, 0).end(), tile(0, 2).end(), tile(1, 0).end()), (256, 768, 65_536));
    let huge = Tile { kind: TileKind::Hashes { level: 255 }, index: u64::MAX, width: 1 };
    assert_eq!((huge.end(), Tile::width_at(huge.kind, huge.index, LEAVES_MAX)), (u64::MAX, None));
}
