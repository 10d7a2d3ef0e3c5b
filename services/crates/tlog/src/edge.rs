//! The right edge of a tree, which is enough to append to it.

use tlog_tiles::{EMPTY_HASH, Hash};

use crate::{LEAVES_MAX, node_hash};

/// The complete subtrees of a tree, one for each bit of its size, largest first. They suffice to append a leaf and to
/// compute the root, however large the tree is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edge {
    size: u64,
    subtrees: Vec<Hash>,
}

/// A node that an appended leaf completed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TreeNode {
    /// Its height: 0 is a leaf.
    pub level: u8,
    /// Its index in its level, from 0.
    pub index: u64,
    /// Its hash (RFC 6962, section 2.1).
    pub hash: Hash,
}

/// The hashes are not the right edge of a tree of that size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the right edge of a tree of {size} leaves has {expected} hashes, not {got}")]
pub struct EdgeFault {
    size: u64,
    expected: u32,
    got: usize,
}

impl Edge {
    /// Makes the edge of a tree of `size` leaves from the hashes of its complete subtrees, largest first.
    ///
    /// # Errors
    /// [`EdgeFault`] when the number of hashes does not match the size, or the size exceeds [`LEAVES_MAX`].
    pub fn from_parts(size: u64, subtrees: Vec<Hash>) -> Result<Self, EdgeFault> {
        let expected = size.count_ones();
        if usize::try_from(expected) != Ok(subtrees.len()) || size > LEAVES_MAX {
            return Err(EdgeFault { size, expected, got: subtrees.len() });
        }
        Ok(Self { size, subtrees })
    }

    /// The positions (level, index) of the hashes of [`Edge::from_parts`] in a tree of `size` leaves, largest subtree
    /// first.
    pub fn places(size: u64) -> impl Iterator<Item = (u8, u64)> {
        (0..u64::BITS).rev().filter(move |level| size >> level & 1 == 1).map(move |level| {
            // A level is at most 63. All leaves before this subtree are in larger ones, so shifting gives its index.
            (u8::try_from(level).unwrap_or(u8::MAX), (size >> level) - 1)
        })
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of the complete subtrees, largest first.
    pub fn subtrees(&self) -> &[Hash] {
        &self.subtrees
    }

    /// Appends a leaf and returns the nodes that it completes, from the leaf upwards.
    pub fn append(&mut self, leaf: Hash) -> Vec<TreeNode> {
        let mut node = TreeNode { level: 0, index: self.size, hash: leaf };
        let mut completed = vec![node];
        // Each low bit that is set is a subtree as high as the one in hand: together they make one twice as large.
        while self.size >> node.level & 1 == 1 {
            let Some(left) = self.subtrees.pop() else { break };
            node =
                TreeNode { level: node.level + 1, index: node.index >> 1, hash: node_hash(left, node.hash) };
            completed.push(node);
        }
        self.subtrees.push(node.hash);
        self.size += 1;
        completed
    }

    /// The tree's root hash (RFC 6962, section 2.1).
    pub fn root(&self) -> Hash {
        let from_the_smallest = self.subtrees.iter().rev().copied();
        from_the_smallest.reduce(|right, left| node_hash(left, right)).unwrap_or(EMPTY_HASH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf_hash;

    #[test]
    fn an_edge_that_was_kept_goes_on_as_it_would_have() {
        let mut edge = Edge::default();
        assert_eq!(edge.root(), EMPTY_HASH);
        for leaf in 0..300_u64 {
            let kept = Edge::from_parts(edge.size(), edge.subtrees().to_vec()).expect("an edge");
            assert_eq!(kept, edge);
            assert_eq!(Edge::places(leaf).count(), edge.subtrees().len());
            let completed = edge.append(leaf_hash(&leaf.to_be_bytes()));
            let highest = completed.last().expect("the leaf at least");
            assert_eq!(Some(&highest.hash), edge.subtrees().last());
            assert_eq!(Edge::places(leaf + 1).last(), Some((highest.level, highest.index)));
        }
    }

    #[test]
    fn hashes_of_another_size_are_no_edge() {
        let hash = leaf_hash(b"a leaf");
        assert!(Edge::from_parts(3, vec![hash]).is_err());
        assert!(Edge::from_parts(0, vec![hash]).is_err());
        assert!(Edge::from_parts(LEAVES_MAX + 1, vec![hash; 2]).is_err());
    }
}
