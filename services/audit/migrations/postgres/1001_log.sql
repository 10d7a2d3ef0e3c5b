-- The audit log of one country. Epochs are 16-byte blobs, digests 32-byte blobs, times microseconds since
-- the Unix epoch, and there are no booleans: the same queries serve SQLite and PostgreSQL.

-- Each (source, epoch) that has written to the log, and where its chain stands. An epoch is drawn when the
-- source's store is created or restored, so a source with two of them was restored or made anew.
CREATE TABLE lineage (
    lineage_id     BIGINT NOT NULL PRIMARY KEY,
    source         TEXT    NOT NULL,
    epoch          BYTEA  NOT NULL,
    opened_at      BIGINT  NOT NULL,
    last_sequence  BIGINT  NOT NULL, -- 0: seen, and nothing of it stored yet
    last_digest    BYTEA  NOT NULL, -- of the event last_sequence; zeros before the first
    last_stored_at BIGINT,
    UNIQUE (source, epoch)
);

-- The log itself. entry_index counts from 0 without gaps in the order of appending: it is the number of
-- the leaf in a Merkle tree over the log. Nothing here is ever changed or deleted.
CREATE TABLE entry (
    entry_index BIGINT NOT NULL PRIMARY KEY,
    lineage_id  BIGINT  NOT NULL REFERENCES lineage (lineage_id),
    sequence    BIGINT  NOT NULL,
    digest      BYTEA  NOT NULL, -- SHA-256 of event
    event       BYTEA  NOT NULL, -- the event's exact JSON bytes, as its source wrote them
    stored_at   BIGINT  NOT NULL,
    UNIQUE (lineage_id, sequence)
);
CREATE FUNCTION the_log_is_only_appended_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only appended to';
END
$$;
CREATE TRIGGER entry_is_never_changed BEFORE UPDATE OR DELETE ON entry
    FOR EACH ROW EXECUTE FUNCTION the_log_is_only_appended_to();
CREATE TRIGGER entry_is_never_emptied BEFORE TRUNCATE ON entry
    FOR EACH STATEMENT EXECUTE FUNCTION the_log_is_only_appended_to();

-- What auditors search by, read out of the events: it can be made again from them at any time.
CREATE TABLE entry_search (
    entry_index BIGINT NOT NULL PRIMARY KEY REFERENCES entry (entry_index),
    at          BIGINT  NOT NULL, -- the event's own time
    actor       TEXT    NOT NULL,
    agency      TEXT,             -- NULL: of the installation itself
    action      TEXT    NOT NULL,
    object_kind TEXT,
    object_id   TEXT,
    message_id  TEXT,             -- the message that it is about, from the draft on
    outcome     TEXT    NOT NULL
);
CREATE INDEX entry_by_time    ON entry_search (at);
CREATE INDEX entry_by_actor   ON entry_search (actor, entry_index);
CREATE INDEX entry_by_agency  ON entry_search (agency, entry_index);
CREATE INDEX entry_by_action  ON entry_search (action, entry_index);
CREATE INDEX entry_by_object  ON entry_search (object_id, entry_index);
CREATE INDEX entry_by_message ON entry_search (message_id, entry_index);

-- What is wrong with a source, or worth an auditor's look.
CREATE TABLE alarm (
    alarm_id       BIGINT NOT NULL PRIMARY KEY,
    kind           TEXT    NOT NULL, -- missing, conflict, altered, new_epoch
    lineage_id     BIGINT  NOT NULL REFERENCES lineage (lineage_id),
    first_sequence BIGINT  NOT NULL,
    last_sequence  BIGINT  NOT NULL,
    digest         BYTEA,             -- of the event that came instead
    raised_at      BIGINT  NOT NULL,
    last_seen_at   BIGINT  NOT NULL,
    times          BIGINT  NOT NULL,
    closed_at      BIGINT,           -- when what was missing had come
    evidence       BYTEA             -- the signed batch, as a compact JWS
);
CREATE INDEX alarm_by_lineage ON alarm (lineage_id, kind);

-- Deliveries that are nobody's batch: not opened, not signed by a known source, not readable.
CREATE TABLE quarantine (
    digest       BYTEA  NOT NULL, -- SHA-256 of the body as it came
    reason       TEXT   NOT NULL,
    routing_key  TEXT   NOT NULL,
    size_bytes   BIGINT NOT NULL,
    first_at     BIGINT NOT NULL,
    last_at      BIGINT NOT NULL,
    times        BIGINT NOT NULL,
    body         BYTEA,            -- sealed, as it came; NULL once the quarantine is full
    PRIMARY KEY (digest, reason)
);
