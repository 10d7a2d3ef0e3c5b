-- The audit log of one country. Epochs are 16-byte blobs, digests 32-byte blobs, times microseconds since
-- the Unix epoch, and there are no booleans: the same queries serve SQLite and PostgreSQL.

-- Each (source, epoch) that has written to the log, and where its chain stands. An epoch is drawn when the
-- source's store is created or restored, so a source with two of them was restored or made anew.
CREATE TABLE lineage (
    lineage_id     INTEGER_KEY,
    source         TEXT    NOT NULL,
    epoch          BYTES   NOT NULL,
    opened_at      BIGINT  NOT NULL,
    last_sequence  BIGINT  NOT NULL, -- 0: seen, and nothing of it stored yet
    last_digest    BYTES   NOT NULL, -- of the event last_sequence; zeros before the first
    last_stored_at BIGINT,
    pruned_through BIGINT NOT NULL DEFAULT 0, -- the last event whose entry was pruned
    UNIQUE (source, epoch)
);

-- One Merkle tree a year (RFC 6962), and what is needed to append to it. Its leaves are the entries from first_index on.
CREATE TABLE tree (
    origin      TEXT    NOT NULL PRIMARY KEY, -- the log's name in its checkpoints, mz.audit/2026
    first_index BIGINT  NOT NULL UNIQUE,
    size        BIGINT  NOT NULL,
    edge        BYTES   NOT NULL, -- the complete subtrees, the largest first, 32 bytes each
    checkpoint  BYTES   NOT NULL, -- size and root as the log signed them, with every change of them
    begun_at    BIGINT  NOT NULL,
    abandoned_at BIGINT,          -- when the store turned out to lack leaves that were published: nothing is appended any more
    prune_below  BIGINT  NOT NULL DEFAULT 0, -- the minimum index that was decided: entries below it are to go, hashes stay
    pruned_below BIGINT  NOT NULL DEFAULT 0, -- the minimum index as far as it was carried out
    pruned_at    BIGINT,
    prune_policy TEXT             -- the written policy that says so
);

-- The hashes of a tree, 256 a row as C2SP tlog-tiles has them: of leaves only full rows, above them the last row too.
CREATE TABLE tile (
    origin     TEXT   NOT NULL REFERENCES tree (origin),
    level      BIGINT NOT NULL,
    tile_index BIGINT NOT NULL,
    hashes     BYTES  NOT NULL,
    PRIMARY KEY (origin, level, tile_index)
);

-- The log itself. entry_index counts from 0 without gaps in the order of appending. Nothing here is ever changed, nothing is
-- deleted but what a tree says is pruned, and nothing here is personal.
CREATE TABLE entry (
    entry_index INTEGER_KEY,
    lineage_id  BIGINT  NOT NULL REFERENCES lineage (lineage_id),
    sequence    BIGINT  NOT NULL,
    digest      BYTES   NOT NULL, -- SHA-256 of the event's exact JSON bytes
    leaf        BYTES   NOT NULL, -- what the tree hashes
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

-- What an event is about, and the key under which everything about it is sealed: erased together.
CREATE TABLE payload_scope (
    scope_id    INTEGER_KEY,
    scope       TEXT    NOT NULL UNIQUE, -- message/019a…, user/u-5f2c
    key_salt    BYTES,          -- of the key; NULL once it is destroyed
    erased_at   BIGINT,
    legal_basis TEXT
);

-- The events themselves, sealed, each with the salt of its leaf's commitment. Erasing takes that away, and leaves by which
-- order.
CREATE TABLE payload (
    entry_index INTEGER_KEY REFERENCES entry (entry_index),
    scope_id    BIGINT  NOT NULL REFERENCES payload_scope (scope_id),
    sealed      BYTES,            -- NULL once it is erased
    erased_by   BIGINT            -- the entry of the order that erased it
);
CREATE INDEX payload_by_scope ON payload (scope_id);

-- What auditors search by: pseudonymous identifiers and codes, nearly all of which stand in the leaves too. They stay.
CREATE TABLE entry_search (
    entry_index INTEGER_KEY REFERENCES entry (entry_index),
    at          BIGINT  NOT NULL, -- the event's own time
    actor       TEXT    NOT NULL,
    agency      TEXT,             -- NULL: of the installation itself
    action      TEXT    NOT NULL,
    object_kind TEXT,
    object_id   TEXT,
    message_id  TEXT,             -- the message that it is about, from the draft on
    outcome     TEXT    NOT NULL,
    case_key    BYTES             -- of the case reference: who has not the payloads' key cannot tell which
);
CREATE INDEX entry_by_time    ON entry_search (at);
CREATE INDEX entry_by_actor   ON entry_search (actor, entry_index);
CREATE INDEX entry_by_agency  ON entry_search (agency, entry_index);
CREATE INDEX entry_by_action  ON entry_search (action, entry_index);
CREATE INDEX entry_by_object  ON entry_search (object_id, entry_index);
CREATE INDEX entry_by_message ON entry_search (message_id, entry_index);
CREATE INDEX entry_by_case    ON entry_search (case_key, entry_index) WHERE case_key IS NOT NULL;

-- Searches that auditors keep under a name, each for its owner, sealed: they name people and cases.
CREATE TABLE saved_query (
    owner    TEXT   NOT NULL, -- a subject
    name_key BYTES  NOT NULL, -- of its name, as case_key is of a case
    key_salt BYTES  NOT NULL,
    sealed   BYTES  NOT NULL,
    saved_at BIGINT NOT NULL,
    PRIMARY KEY (owner, name_key)
);

-- What is wrong with a source, or worth an auditor's look.
CREATE TABLE alarm (
    alarm_id       INTEGER_KEY,
    kind           TEXT    NOT NULL, -- missing, conflict, altered, new_epoch
    lineage_id     BIGINT  NOT NULL REFERENCES lineage (lineage_id),
    first_sequence BIGINT  NOT NULL,
    last_sequence  BIGINT  NOT NULL,
    digest         BYTES,            -- of the event that came instead
    raised_at      BIGINT  NOT NULL,
    last_seen_at   BIGINT  NOT NULL,
    times          BIGINT  NOT NULL,
    closed_at      BIGINT,           -- when what was missing had come
    evidence       BYTES             -- the signed batch, as a compact JWS
);
CREATE INDEX alarm_by_lineage ON alarm (lineage_id, kind);

-- Deliveries that are nobody's batch: not opened, not signed by a known source, not readable.
CREATE TABLE quarantine (
    digest       BYTES  NOT NULL, -- SHA-256 of the body as it came
    reason       TEXT   NOT NULL,
    routing_key  TEXT   NOT NULL,
    size_bytes   BIGINT NOT NULL,
    first_at     BIGINT NOT NULL,
    last_at      BIGINT NOT NULL,
    times        BIGINT NOT NULL,
    body         BYTES,           -- sealed, as it came; NULL once the quarantine is full
    PRIMARY KEY (digest, reason)
);

-- Heads of our logs that were made known: the last that is good by the policy, and those that wait for cosignatures.
CREATE TABLE checkpoint (
    origin     TEXT   NOT NULL REFERENCES tree (origin),
    size       BIGINT NOT NULL,
    note       BYTES  NOT NULL, -- a signed note, with the cosignatures that have come
    made_at    BIGINT NOT NULL,
    settled_at BIGINT,           -- when it became good by the policy
    PRIMARY KEY (origin, size)
);

-- What each partner has cosigned of our logs, as far as we know: proofs to it begin there.
CREATE TABLE partner_head (
    partner TEXT   NOT NULL,
    origin  TEXT   NOT NULL,
    size    BIGINT NOT NULL,
    PRIMARY KEY (partner, origin)
);

-- Heads of partners' logs that we have cosigned: written down before the cosignature is made.
CREATE TABLE witnessed (
    origin TEXT   NOT NULL,
    size   BIGINT NOT NULL,
    note   BYTES  NOT NULL, -- as the log signed it
    at     BIGINT NOT NULL,
    PRIMARY KEY (origin, size)
);

-- What is wrong with a log, ours or a partner's.
CREATE TABLE log_alarm (
    alarm_id     INTEGER_KEY,
    kind         TEXT   NOT NULL, -- unwitnessed, fork, shrunken, unproven, unknown_log
    origin       TEXT   NOT NULL,
    head         BYTES  NOT NULL, -- SHA-256 of the head that it is about; empty when it is about the log
    raised_at    BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    times        BIGINT NOT NULL,
    closed_at    BIGINT,
    evidence     TEXT              -- the two heads that cannot both be, as their log signed them
);
CREATE INDEX log_alarm_by_log ON log_alarm (origin, kind);
