//! The lists of entries whose events orders of erasure erased. The leaf of an order commits to its list, so that an order
//! explains the entries that it names and no others.

use std::collections::{BTreeMap, btree_map::Entry};

use rovuma_api::answers::audit::ErasureProof;
use rovuma_schemas::Digest;
use rovuma_store::{Conn, Readers};
use rovuma_tlog::{HASH_SIZE, Hash, HashList, leaf_hash};
use sqlx::Row;

use super::to_db;
use crate::error::DbError;

/// Stores the list of an order, in the order of the entries, and returns its root.
pub(crate) async fn store(tx: &mut Conn, order_index: u64, leaves: &[Hash]) -> Result<Digest, DbError> {
    let hashes: Vec<u8> = leaves.iter().flat_map(|leaf| leaf.0).collect();
    sqlx::query("INSERT INTO erasure (entry_index, leaf_hashes) VALUES ($1, $2)")
        .bind(to_db(order_index))
        .bind(hashes)
        .execute(tx)
        .await?;
    Ok(Digest::from_bytes(HashList::of(leaves).root().0))
}

/// The lists of orders, each loaded when it is first needed.
#[derive(Default)]
pub(crate) struct ErasureLists {
    lists: BTreeMap<u64, LoadedList>,
}

struct LoadedList {
    list: HashList,
    /// The position of each leaf in the list.
    positions: BTreeMap<[u8; HASH_SIZE], u64>,
}

impl ErasureLists {
    /// The proof that the order with this index names the entry with this leaf.
    ///
    /// # Errors
    /// [`DbError::Damaged`] when the order has no list, or its list lacks the entry.
    pub(crate) async fn prove(
        &mut self,
        pool: &Readers,
        order_index: u64,
        leaf: &[u8],
    ) -> Result<ErasureProof, DbError> {
        let damaged = |what: &dyn std::fmt::Display| {
            DbError::damaged("erasure", format!("the list of the order {order_index}: {what}"))
        };
        let loaded = match self.lists.entry(order_index) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(LoadedList::load(pool, order_index).await?),
        };
        let position = loaded.positions.get(&leaf_hash(leaf).0);
        let index = *position.ok_or_else(|| damaged(&"it lacks an entry that it erased"))?;
        let hashes = loaded.list.inclusion(index).map_err(|fault| damaged(&fault))?;
        let hashes = hashes.into_iter().map(|hash| Digest::from_bytes(hash.0)).collect();
        Ok(ErasureProof { index, size: loaded.positions.len() as u64, hashes })
    }
}

impl LoadedList {
    async fn load(pool: &Readers, order_index: u64) -> Result<Self, DbError> {
        let row = sqlx::query("SELECT leaf_hashes FROM erasure WHERE entry_index = $1")
            .bind(to_db(order_index))
            .fetch_optional(pool)
            .await?;
        let row = row.ok_or_else(|| DbError::damaged("erasure", format!("{order_index} has no list")))?;
        let hashes: Vec<u8> = row.try_get("leaf_hashes")?;
        let leaves: Vec<Hash> = hashes.as_chunks::<HASH_SIZE>().0.iter().map(|hash| Hash(*hash)).collect();
        let positions = leaves.iter().map(|leaf| leaf.0).zip(0..).collect();
        Ok(Self { list: HashList::of(&leaves), positions })
    }
}
