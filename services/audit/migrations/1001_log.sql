-- The audit log of one country. Epochs are 16-byte blobs, digests 32-byte blobs, times microseconds since
-- the Unix epoch, and there are no booleans: the same queries serve SQLite and PostgreSQL.

-- Each (source, epoch) with events in the log, and the end of its chain. An epoch is drawn when the source's store is
-- created or restored, so a source with two epochs was restored or created again.
CREATE TABLE lineage (
    lineage_id     INTEGER_KEY,
    source         TEXT    NOT NULL,
    epoch          BYTES   NOT NULL,
    opened_at      BIGINT  NOT NULL,
    last_sequence  BIGINT  NOT NULL, -- 0: known, and no event of it is stored yet
    last_digest    BYTES   NOT NULL, -- of the event last_sequence; zeros before the first
    last_stored_at BIGINT,
    pruned_through BIGINT NOT NULL DEFAULT 0, -- the last event whose entry was pruned
    UNIQUE (source, epoch)
);

-- One Merkle tree a year (RFC 6962), with the state for appending to it. Its leaves are the entries from first_index on.
CREATE TABLE tree (
    origin      TEXT    NOT NULL PRIMARY KEY, -- the log's name in its checkpoints, mz.audit/2026
    first_index BIGINT  NOT NULL UNIQUE,
    size        BIGINT  NOT NULL,
    edge        BYTES   NOT NULL, -- the complete subtrees, the largest first, 32 bytes each
    checkpoint  BYTES   NOT NULL, -- size and root as the log signed them, with every change of them
    begun_at    BIGINT  NOT NULL,
    abandoned_at BIGINT,          -- when the store was found to lack published leaves: nothing is appended any more
    prune_below  BIGINT  NOT NULL DEFAULT 0, -- the minimum index that was decided: entries below it are to be removed, their hashes stay
    pruned_below BIGINT  NOT NULL DEFAULT 0, -- the minimum index that was carried out: entries below it are removed
    pruned_at    BIGINT,
    prune_policy TEXT             -- the written policy that demands it
);

-- The hashes of a tree, 256 a row as in C2SP tlog-tiles. On the level of leaves only full rows; above it the last row too.
CREATE TABLE tile (
    origin     TEXT   NOT NULL REFERENCES tree (origin),
    level      BIGINT NOT NULL,
    tile_index BIGINT NOT NULL,
    hashes     BYTES  NOT NULL,
    PRIMARY KEY (origin, level, tile_index)
);

-- The entries of the log. entry_index counts from 0 without gaps in the order of appending. Entries are never changed; they are
-- deleted only when their tree has them pruned; they hold no personal data.
CREATE TABLE entry (
    entry_index INTEGER_KEY,
    lineage_id  BIGINT  NOT NULL REFERENCES lineage (lineage_id),
    sequence    BIGINT  NOT NULL,
    digest      BYTES   NOT NULL, -- SHA-256 of the event's exact JSON bytes
    leaf        BYTES   NOT NULL, -- the leaf's data, which the tree hashes
    stored_at   BIGINT  NOT NULL,
    UNIQUE (lineage_id, sequence)
);
--@ only sqlite
CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON entry
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only appended to');
END;
CREATE TRIGGER entry_is_never_deleted BEFORE DELETE ON entry
WHEN NOT EXISTS (SELECT 1 FROM tree WHERE first_index <= OLD.entry_index AND OLD.entry_index < first_index + pruned_below)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only appended to');
END;
--@ end
--@ only postgres
CREATE FUNCTION the_log_is_only_appended_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS
        (SELECT 1 FROM tree WHERE first_index <= OLD.entry_index AND OLD.entry_index < first_index + pruned_below)
    THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit log is only appended to';
END
$$;
CREATE TRIGGER entry_is_never_changed BEFORE UPDATE OR DELETE ON entry
    FOR EACH ROW EXECUTE FUNCTION the_log_is_only_appended_to();
CREATE TRIGGER entry_is_never_emptied BEFORE TRUNCATE ON entry
    FOR EACH STATEMENT EXECUTE FUNCTION the_log_is_only_appended_to();
--@ end

-- The subject of events, with the salt of the key under which all events about it are sealed: erasing it erases them all.
CREATE TABLE payload_scope (
    scope_id    INTEGER_KEY,
    scope       TEXT    NOT NULL UNIQUE, -- message/019a…, user/u-5f2c
    key_salt    BYTES,          -- of the key; NULL once the key is destroyed
    erased_at   BIGINT,
    legal_basis TEXT
);

-- The sealed events, each with the salt of its leaf's commitment. Erasing removes the sealed event and notes the order.
CREATE TABLE payload (
    entry_index INTEGER_KEY REFERENCES entry (entry_index),
    scope_id    BIGINT  NOT NULL REFERENCES payload_scope (scope_id),
    sealed      BYTES,            -- NULL once it is erased
    erased_by   BIGINT            -- the entry of the order to erase it
);
CREATE INDEX payload_by_scope ON payload (scope_id);

-- The entries whose events an order erased: the hashes of their leaves, 32 bytes each, in the order of the entries. The leaf of
-- the order commits to the list.
CREATE TABLE erasure (
    entry_index INTEGER_KEY, -- the order's own entry
    leaf_hashes BYTES NOT NULL
);

-- The columns by which auditors search: pseudonymous identifiers and codes, nearly all of which are in the leaves too. They are
-- not erased.
CREATE TABLE entry_search (
    entry_index INTEGER_KEY REFERENCES entry (entry_index),
    at          BIGINT  NOT NULL, -- the event's own time
    actor       TEXT    NOT NULL,
    agency      TEXT,             -- NULL: the installation itself
    action      TEXT    NOT NULL,
    object_kind TEXT,
    object_id   TEXT,
    message_id  TEXT,             -- the message of the event, from the draft on
    outcome     TEXT    NOT NULL,
    reference_key BYTES           -- a keyed digest of the reference: only the payloads' key tells which
);
CREATE INDEX entry_by_time    ON entry_search (at);
CREATE INDEX entry_by_actor   ON entry_search (actor, entry_index);
CREATE INDEX entry_by_agency  ON entry_search (agency, entry_index);
CREATE INDEX entry_by_action  ON entry_search (action, entry_index);
CREATE INDEX entry_by_object  ON entry_search (object_id, entry_index);
CREATE INDEX entry_by_message ON entry_search (message_id, entry_index);
CREATE INDEX entry_by_reference ON entry_search (reference_key, entry_index) WHERE reference_key IS NOT NULL;

-- Searches that auditors have saved, each for its owner alone, sealed since they name people and references.
CREATE TABLE saved_query (
    owner    TEXT   NOT NULL, -- a subject
    name_key BYTES  NOT NULL, -- a keyed digest of its name
    key_salt BYTES  NOT NULL,
    sealed   BYTES  NOT NULL,
    saved_at BIGINT NOT NULL,
    PRIMARY KEY (owner, name_key)
);

-- Alarms about sources.
CREATE TABLE alarm (
    alarm_id       INTEGER_KEY,
    kind           TEXT    NOT NULL, -- missing, conflict, altered, new_epoch
    lineage_id     BIGINT  NOT NULL REFERENCES lineage (lineage_id),
    first_sequence BIGINT  NOT NULL,
    last_sequence  BIGINT  NOT NULL,
    digest         BYTES,            -- of the other event that came
    raised_at      BIGINT  NOT NULL,
    last_seen_at   BIGINT  NOT NULL,
    times          BIGINT  NOT NULL,
    closed_at      BIGINT,           -- when the missing events had come
    evidence       BYTES             -- the signed batch, as a compact JWS
);
CREATE INDEX alarm_by_lineage ON alarm (lineage_id, kind);

-- The quarantine: deliveries that could not be opened or read, or that no known source signed.
CREATE TABLE quarantine (
    digest       BYTES  NOT NULL, -- SHA-256 of the body as it came
    reason       TEXT   NOT NULL,
    routing_key  TEXT   NOT NULL,
    size_bytes   BIGINT NOT NULL,
    first_at     BIGINT NOT NULL,
    last_at      BIGINT NOT NULL,
    times        BIGINT NOT NULL,
    body         BYTES,           -- unchanged, still sealed; NULL when the quarantine was full
    PRIMARY KEY (digest, reason)
);

-- Heads of our logs that were sent to witnesses: the last one that the policy accepts, and those that wait for cosignatures.
CREATE TABLE checkpoint (
    origin     TEXT   NOT NULL REFERENCES tree (origin),
    size       BIGINT NOT NULL,
    note       BYTES  NOT NULL, -- the signed note, with the cosignatures so far
    made_at    BIGINT NOT NULL,
    settled_at BIGINT,           -- when the policy accepted it
    PRIMARY KEY (origin, size)
);

-- The largest head of each log of ours that each partner is known to have cosigned. Proofs to the partner begin there.
CREATE TABLE partner_head (
    partner TEXT   NOT NULL,
    origin  TEXT   NOT NULL,
    size    BIGINT NOT NULL,
    PRIMARY KEY (partner, origin)
);

-- Heads of partners' logs that we have cosigned. A head is stored before its cosignature is made.
CREATE TABLE witnessed (
    origin TEXT   NOT NULL,
    size   BIGINT NOT NULL,
    note   BYTES  NOT NULL, -- as the log signed it
    at     BIGINT NOT NULL,
    PRIMARY KEY (origin, size)
);

-- Alarms about logs, ours and partners'.
CREATE TABLE log_alarm (
    alarm_id     INTEGER_KEY,
    kind         TEXT   NOT NULL, -- unwitnessed, fork, shrunken, unproven, unknown_log
    origin       TEXT   NOT NULL,
    head         BYTES  NOT NULL, -- SHA-256 of the head at fault; empty for an alarm about the log
    raised_at    BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    times        BIGINT NOT NULL,
    closed_at    BIGINT,
    evidence     TEXT              -- the two contradictory heads, as their log signed them
);
CREATE INDEX log_alarm_by_log ON log_alarm (origin, kind);
