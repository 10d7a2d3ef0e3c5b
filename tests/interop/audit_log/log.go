package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// height is that of a tile: it holds 256 hashes, a bundle as many entries.
const height = 8

// entriesLevel is where the reference has the entries themselves.
const entriesLevel = -1

// folder holds the files of one log.
type folder struct{ fs.FS }

// path is where a tile stands: the reference's path without the height, and "entries" where that has "data".
func path(tile tlog.Tile) string {
	short := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
	return strings.Replace(short, "tile/data/", "tile/entries/", 1)
}

func (f folder) read(tile tlog.Tile) ([]byte, error) {
	return fs.ReadFile(f, path(tile))
}

// Height, ReadTiles and SaveTiles make a folder what the reference's client reads a log from.
func (f folder) Height() int { return height }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	read := make([][]byte, len(tiles))
	for i, tile := range tiles {
		data, err := f.read(tile)
		if err != nil {
			return nil, err
		}
		read[i] = data
	}
	return read, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

// tilesOf are the tiles at a level of a log of so many leaves, as wide as they are.
func tilesOf(level int, leaves int64) []tlog.Tile {
	there := leaves
	if level > 0 {
		there >>= height * level
	}
	var tiles []tlog.Tile
	for first := int64(0); first < there; first += 1 << height {
		width := there - first
		if width > 1<<height {
			width = 1 << height
		}
		tiles = append(tiles, tlog.Tile{H: height, L: level, N: first >> height, W: int(width)})
	}
	return tiles
}

// log is one whose entries make the root that was signed.
type log struct {
	files   folder
	tree    tlog.Tree
	entries [][]byte
	hashes  hashes
}

// hashes are those of a tree in the reference's order.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	read := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(h)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		read[i] = h[index]
	}
	return read, nil
}

// readLog makes the tree anew from the entries alone.
func readLog(files folder, tree tlog.Tree) (*log, error) {
	read := &log{files: files, tree: tree}
	for _, tile := range tilesOf(entriesLevel, tree.N) {
		bundle, err := files.read(tile)
		if err != nil {
			return nil, fmt.Errorf("a log of %d leaves has it: %w", tree.N, err)
		}
		entries, err := split(bundle)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path(tile), err)
		}
		if len(entries) != tile.W {
			return nil, fmt.Errorf("%s: holds %d entries, not %d", path(tile), len(entries), tile.W)
		}
		read.entries = append(read.entries, entries...)
	}
	for i, entry := range read.entries {
		more, err := tlog.StoredHashes(int64(i), entry, read.hashes)
		if err != nil {
			return nil, err
		}
		read.hashes = append(read.hashes, more...)
	}
	root, err := tlog.TreeHash(tree.N, read.hashes)
	if err != nil {
		return nil, err
	}
	if root != tree.Hash {
		return nil, fmt.Errorf("the entries make another root than the one signed: %s, not %s", root, tree.Hash)
	}
	return read, nil
}

// split gives the entries of a bundle: each has its length before it, in two bytes.
func split(bundle []byte) ([][]byte, error) {
	var entries [][]byte
	for len(bundle) > 0 {
		if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
			return nil, fmt.Errorf("ends within its entry %d", len(entries))
		}
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		entries = append(entries, bundle[2:end])
		bundle = bundle[end:]
	}
	return entries, nil
}

// sameFiles compares every file that there is to be, and those of former heads that are still there, with what the
// entries make.
func (l *log) sameFiles() error {
	for level := entriesLevel; level <= 0 || l.tree.N>>(height*level) > 0; level++ {
		for _, tile := range tilesOf(level, l.tree.N) {
			for former := tile; former.W > 0; former.W-- {
				if err := l.sameFile(former); former.W < tile.W && errors.Is(err, fs.ErrNotExist) {
					continue
				} else if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (l *log) sameFile(tile tlog.Tile) error {
	stands, err := l.files.read(tile)
	if err != nil {
		return fmt.Errorf("a log of %d leaves has it: %w", l.tree.N, err)
	}
	made, err := l.made(tile)
	if err != nil {
		return err
	}
	if !bytes.Equal(stands, made) {
		return fmt.Errorf("%s: differs from what the entries make", path(tile))
	}
	return nil
}

// made is what the entries make of a tile or a bundle.
func (l *log) made(tile tlog.Tile) ([]byte, error) {
	if tile.L != entriesLevel {
		return tlog.ReadTileData(tile, l.hashes)
	}
	var bundle []byte
	first := tile.N << height
	for _, entry := range l.entries[first : first+int64(tile.W)] {
		bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(entry)))
		bundle = append(bundle, entry...)
	}
	return bundle, nil
}

// proofs has the reference's client prove some leaves and former heads from the published tiles, and checks them. It comes
// last: the client of Debian 12 does not hold every tile that it reads against the one above.
func (l *log) proofs() error {
	size, root := l.tree.N, l.tree.Hash
	client := tlog.TileHashReader(l.tree, l.files)
	for _, leaf := range []int64{0, size / 3, size / 2, size - 1} {
		inclusion, err := tlog.ProveRecord(size, leaf, client)
		if err != nil {
			return fmt.Errorf("no proof of leaf %d: %w", leaf, err)
		}
		if err := tlog.CheckRecord(inclusion, size, root, leaf, tlog.RecordHash(l.entries[leaf])); err != nil {
			return fmt.Errorf("leaf %d: %w", leaf, err)
		}
		older := leaf + 1
		former, err := tlog.TreeHash(older, l.hashes)
		if err != nil {
			return err
		}
		consistency, err := tlog.ProveTree(size, older, client)
		if err != nil {
			return fmt.Errorf("no proof from %d leaves on: %w", older, err)
		}
		if err := tlog.CheckTree(consistency, size, root, older, former); err != nil {
			return fmt.Errorf("from %d leaves on: %w", older, err)
		}
	}
	return nil
}
