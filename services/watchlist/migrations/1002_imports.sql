-- Imported lists in force. Their entries stand in `entry` under the key `<list>#<import>`; those under another key are not in force.
CREATE TABLE imported (
    list   TEXT  NOT NULL PRIMARY KEY, -- its name, the id in `list`
    import BYTES NOT NULL,             -- the import that is in force
    digest BYTES NOT NULL,             -- SHA-256 of the file
    body   TEXT  NOT NULL              -- JSON: the file
);

-- What an import has read and is not in force: until all of it is here, or until a second person approves it.
CREATE TABLE staged (
    import   BYTES  NOT NULL,
    record   TEXT   NOT NULL, -- the entry's id in its list
    has_main BIGINT NOT NULL, -- 0: so far only lines that add to a record have come, and not the record
    body     TEXT   NOT NULL, -- JSON, as in `entry`
    PRIMARY KEY (import, record)
);

-- What waits for a second person: at most one proposal a list.
CREATE TABLE proposal (
    list        TEXT   NOT NULL PRIMARY KEY,
    import      BYTES  NOT NULL, -- its id, and the import in `staged`
    act         TEXT   NOT NULL, -- import, removal
    proposed_by TEXT   NOT NULL,
    ends        BIGINT NOT NULL,
    body        TEXT   NOT NULL  -- JSON
);
