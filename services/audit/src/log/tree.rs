//! The Merkle tree of a year as the store holds it: its right edge, its hashes, and its signed head.

use rovuma_envelope::{PublicKey, Signer};
use rovuma_schemas::Timestamp;
use rovuma_store::{Conn, Readers, RowExt};
use rovuma_tlog::{
    Edge, HASH_SIZE, Hash, Head, LoadedTiles, LogPolicy, NoteKey, PolicyVerdict, TILE_WIDTH, Tile, TileKind,
    TreeNode, UnverifiedCheckpoint, leaf_hash, write_entry,
};
use sqlx::{Row, any::AnyRow};

use super::to_db;
use crate::{
    error::DbError,
    failure::{CrashPoint, crash_point},
};

/// The levels of the Merkle tree that one level of tiles spans.
const TILE_HEIGHT: u8 = 8;

/// A log's tree, and the range of entries that are its leaves.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    /// The log's name in its checkpoints, `mz.audit/2026`.
    pub(crate) origin: String,
    /// The entry that is its leaf 0.
    pub(crate) first_index: u64,
    /// The tree's right edge.
    pub(crate) edge: Edge,
    /// The checkpoint of its head that the log last signed.
    pub(crate) checkpoint: Vec<u8>,
    /// Whether it lacks leaves that were published: nothing is appended to it, and nobody is asked to cosign it any more.
    pub(crate) is_abandoned: bool,
    /// The entries that were pruned.
    pub(crate) pruned: PrunedTree,
}

/// The pruning of a tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct PrunedTree {
    /// All entries below this index are to be deleted; 0: none.
    pub(crate) below: u64,
    /// All entries below this index are deleted already.
    pub(crate) done: u64,
    /// The time of the decision, and the written policy.
    pub(crate) by: Option<(Timestamp, String)>,
}

const COLUMNS: &str = "origin, first_index, size, edge, checkpoint, abandoned_at, \
     prune_below, pruned_below, pruned_at, prune_policy";

impl Tree {
    /// The tree that events are appended to; `None` before the first.
    pub(crate) async fn present(tx: &mut Conn) -> Result<Option<Self>, DbError> {
        let text = format!("SELECT {COLUMNS} FROM tree ORDER BY first_index DESC LIMIT 1");
        let row = sqlx::query(sqlx::AssertSqlSafe(text)).fetch_optional(tx).await?;
        row.as_ref().map(Self::of_row).transpose()
    }

    /// The tree of one log.
    pub(crate) async fn find(tx: &mut Conn, origin: &str) -> Result<Option<Self>, DbError> {
        let text = format!("SELECT {COLUMNS} FROM tree WHERE origin = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(origin).fetch_optional(tx).await?;
        row.as_ref().map(Self::of_row).transpose()
    }

    /// All trees, the oldest first.
    pub(crate) async fn all(pool: &Readers) -> Result<Vec<Self>, DbError> {
        let text = format!("SELECT {COLUMNS} FROM tree ORDER BY first_index");
        let rows = sqlx::query(sqlx::AssertSqlSafe(text)).fetch_all(pool).await?;
        rows.iter().map(Self::of_row).collect()
    }

    /// The trees that were not abandoned, the newest first.
    pub(crate) async fn continuing(pool: &Readers) -> Result<Vec<Self>, DbError> {
        let mut trees = Self::all(pool).await?;
        trees.retain(|tree| !tree.is_abandoned);
        trees.reverse();
        Ok(trees)
    }

    /// Abandons the present tree, after a restore: the store is an older copy, and the leaves that it lacks were published.
    pub(crate) async fn abandon_present(tx: &mut Conn, now: Timestamp) -> Result<(), DbError> {
        sqlx::query(
            "UPDATE tree SET abandoned_at = $1 WHERE first_index = (SELECT MAX(first_index) FROM tree)",
        )
        .bind(now.as_micros())
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Begins the tree `origin`, whose leaf 0 will be the entry `first_index`.
    pub(crate) async fn begin(
        tx: &mut Conn,
        origin: String,
        first_index: u64,
        signer: &dyn Signer,
        now: Timestamp,
    ) -> Result<Self, DbError> {
        let (edge, checkpoint) = (Edge::default(), Vec::new());
        let (is_abandoned, pruned) = (false, PrunedTree::default());
        let mut tree = Self { origin, first_index, edge, checkpoint, is_abandoned, pruned };
        tree.sign(signer)?;
        sqlx::query(
            "INSERT INTO tree (origin, first_index, size, edge, checkpoint, begun_at)
             VALUES ($1, $2, 0, $3, $4, $5)",
        )
        .bind(tree.origin.as_str())
        .bind(to_db(first_index))
        .bind(Vec::new())
        .bind(tree.checkpoint.as_slice())
        .bind(now.as_micros())
        .execute(tx)
        .await?;
        Ok(tree)
    }

    /// The year that its origin names.
    pub(crate) fn year(&self) -> i16 {
        year_and_number(&self.origin).0
    }

    /// The origin of the tree after `before`: `mz.audit/2026`; `mz.audit/2026-2` when that year has one already.
    pub(crate) fn next_origin(source: &str, before: Option<&Self>, now: Timestamp) -> String {
        let (year, number) = before.map_or((now.year(), 0), |before| year_and_number(&before.origin));
        if now.year() > year || number == 0 {
            format!("{source}/{}", now.year())
        } else {
            format!("{source}/{year}-{}", number + 1)
        }
    }

    /// The entry index of the next leaf.
    pub(crate) fn next_index(&self) -> u64 {
        self.first_index + self.edge.size()
    }

    /// The signed text of the checkpoint (C2SP tlog-checkpoint), without signatures.
    pub(crate) fn signed_text(&self) -> Vec<u8> {
        let end = self.checkpoint.windows(2).position(|pair| pair == b"\n\n");
        self.checkpoint[..end.map_or(self.checkpoint.len(), |end| end + 1)].to_vec()
    }

    /// The present head.
    pub(crate) fn head(&self) -> Head {
        Head { origin: self.origin.clone(), size: self.edge.size(), root: self.edge.root() }
    }

    /// Appends leaves whose entries are in the store already, and stores the hashes of subtrees that they complete.
    pub(crate) async fn append(&mut self, tx: &mut Conn, leaves: &[Vec<u8>]) -> Result<(), DbError> {
        for leaf in leaves {
            for node in self.edge.append(leaf_hash(leaf)) {
                // A node at a multiple of the tile height is the root of a full tile.
                if node.level > 0 && node.level % TILE_HEIGHT == 0 {
                    self.store_node(tx, node).await?;
                }
            }
        }
        Ok(())
    }

    /// Stores the hash of a full tile in the tile above it, and a full tile of leaf hashes itself.
    async fn store_node(&self, tx: &mut Conn, node: TreeNode) -> Result<(), DbError> {
        if node.level == TILE_HEIGHT {
            let first = self.first_index + (node.index << TILE_HEIGHT);
            let hashes = leaf_hashes(select_leaves(first, TILE_WIDTH).fetch_all(&mut *tx).await?)?;
            self.store_tile(tx, 0, node.index, hashes).await?;
            crash_point(CrashPoint::Tile);
        }
        let (level, index) = (node.level / TILE_HEIGHT, node.index >> TILE_HEIGHT);
        let mut hashes = select_hashes(&self.origin, level, index)
            .fetch_optional(&mut *tx)
            .await?
            .map_or_else(|| Ok(Vec::new()), |row| row.try_get::<Vec<u8>, _>("hashes"))?;
        hashes.extend_from_slice(&node.hash.0);
        self.store_tile(tx, level, index, hashes).await
    }

    /// Stores the last, partial tile of leaf hashes.
    pub(super) async fn store_leaf_hashes(
        &self,
        tx: &mut Conn,
        index: u64,
        width: u32,
    ) -> Result<(), DbError> {
        let first = self.first_index + index * u64::from(TILE_WIDTH);
        let hashes = leaf_hashes(select_leaves(first, width).fetch_all(&mut *tx).await?)?;
        self.store_tile(tx, 0, index, hashes).await
    }

    async fn store_tile(&self, tx: &mut Conn, level: u8, index: u64, hashes: Vec<u8>) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO tile (origin, level, tile_index, hashes) VALUES ($1, $2, $3, $4)
             ON CONFLICT (origin, level, tile_index) DO UPDATE SET hashes = excluded.hashes",
        )
        .bind(self.origin.as_str())
        .bind(i64::from(level))
        .bind(to_db(index))
        .bind(hashes)
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Signs the head and saves it with the edge.
    pub(crate) async fn save(&mut self, tx: &mut Conn, signer: &dyn Signer) -> Result<(), DbError> {
        self.sign(signer)?;
        let edge: Vec<u8> = self.edge.subtrees().iter().flat_map(|hash| hash.0).collect();
        sqlx::query("UPDATE tree SET size = $1, edge = $2, checkpoint = $3 WHERE origin = $4")
            .bind(to_db(self.edge.size()))
            .bind(edge)
            .bind(self.checkpoint.as_slice())
            .bind(self.origin.as_str())
            .execute(tx)
            .await?;
        Ok(())
    }

    fn sign(&mut self, signer: &dyn Signer) -> Result<(), DbError> {
        self.checkpoint = rovuma_tlog::sign(&self.head(), signer)?;
        Ok(())
    }

    fn of_row(row: &AnyRow) -> Result<Self, DbError> {
        let edge: Vec<u8> = row.try_get("edge")?;
        let subtrees = edge.chunks(HASH_SIZE).map(|hash| hash.try_into().map(Hash));
        let subtrees = subtrees.collect::<Result<_, _>>().map_err(|fault| DbError::damaged("edge", fault))?;
        Ok(Self {
            origin: row.try_get("origin")?,
            first_index: row.count("first_index")?,
            edge: Edge::from_parts(row.count("size")?, subtrees)
                .map_err(|fault| DbError::damaged("edge", fault))?,
            checkpoint: row.try_get("checkpoint")?,
            is_abandoned: row.opt_instant("abandoned_at")?.is_some(),
            pruned: PrunedTree {
                below: row.count("prune_below")?,
                done: row.count("pruned_below")?,
                by: row.opt_instant("pruned_at")?.zip(row.try_get("prune_policy")?),
            },
        })
    }

    /// Reads one of the tree's tiles, or a bundle of its entries, without checking them. Entries and hashes that the store does
    /// not have are missing in the result.
    pub(crate) async fn read(&self, pool: &Readers, tile: Tile) -> Result<Vec<u8>, DbError> {
        let first = self.first_index + tile.index * u64::from(TILE_WIDTH);
        match tile.kind {
            TileKind::Entries => {
                let mut bundle = Vec::new();
                for row in select_leaves(first, tile.width).fetch_all(pool).await? {
                    let leaf: Vec<u8> = row.try_get("leaf")?;
                    write_entry(&mut bundle, &leaf).map_err(|fault| DbError::damaged("leaf", fault))?;
                }
                Ok(bundle)
            }
            // The store has no partial tile of leaf hashes, except in a pruned tree, whose leaves are gone.
            TileKind::Hashes { level: 0 } if !tile.is_full() && self.pruned.below == 0 => {
                leaf_hashes(select_leaves(first, tile.width).fetch_all(pool).await?)
            }
            TileKind::Hashes { level } => {
                let row = select_hashes(&self.origin, level, tile.index).fetch_optional(pool).await?;
                let mut hashes: Vec<u8> = row.map_or_else(|| Ok(Vec::new()), |row| row.try_get("hashes"))?;
                hashes.truncate(tile.width as usize * HASH_SIZE);
                Ok(hashes)
            }
        }
    }

    /// Reads `tiles`, as they are in a tree of `size` leaves.
    pub(crate) async fn load_tiles(
        &self,
        pool: &Readers,
        size: u64,
        tiles: Vec<Tile>,
    ) -> Result<LoadedTiles, DbError> {
        let mut loaded = LoadedTiles::of(size);
        for tile in tiles {
            loaded.add(tile, self.read(pool, tile).await?);
        }
        Ok(loaded)
    }
}

/// The year in an origin, and the tree's number within the year, from 1.
fn year_and_number(origin: &str) -> (i16, u32) {
    let named = origin.rsplit('/').next().unwrap_or_default();
    let (year, number) = named.split_once('-').unwrap_or((named, "1"));
    (year.parse().unwrap_or(i16::MAX), number.parse().unwrap_or(u32::MAX))
}

/// Selects the leaves of `count` entries from `first` on.
fn select_leaves(first: u64, count: u32) -> sqlx::query::Query<'static, sqlx::Any, sqlx::any::AnyArguments> {
    let text = "SELECT leaf FROM entry WHERE entry_index >= $1 AND entry_index < $2 ORDER BY entry_index";
    sqlx::query(text).bind(to_db(first)).bind(to_db(first + u64::from(count)))
}

fn select_hashes(
    origin: &str,
    level: u8,
    index: u64,
) -> sqlx::query::Query<'_, sqlx::Any, sqlx::any::AnyArguments> {
    let text = "SELECT hashes FROM tile WHERE origin = $1 AND level = $2 AND tile_index = $3";
    sqlx::query(text).bind(origin).bind(i64::from(level)).bind(to_db(index))
}

fn leaf_hashes(rows: Vec<AnyRow>) -> Result<Vec<u8>, DbError> {
    let mut hashes = Vec::with_capacity(rows.len() * HASH_SIZE);
    for row in rows {
        hashes.extend_from_slice(&leaf_hash(&row.try_get::<Vec<u8>, _>("leaf")?).0);
    }
    Ok(hashes)
}

/// The head in a checkpoint, if the log's own key signed it.
pub(crate) fn signed_head(note: &[u8], origin: &str, log_key: &PublicKey) -> Option<Head> {
    let key = NoteKey::of_log(origin, log_key).ok()?;
    let policy: LogPolicy = format!("log {key}\nquorum none\n").parse().ok()?;
    match policy.judge(UnverifiedCheckpoint::read(note).ok()?) {
        PolicyVerdict::Good(checkpoint) => Some(checkpoint.head().clone()),
        _ => None,
    }
}
