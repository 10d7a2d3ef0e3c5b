-- Audit events on their way to the audit service.

-- The last event of each source and epoch: its sequence and the SHA-256 of its bytes.
CREATE TABLE trail_end (
    source   TEXT   NOT NULL,
    epoch    BYTES  NOT NULL,
    sequence BIGINT NOT NULL,
    digest   BYTES  NOT NULL,
    PRIMARY KEY (source, epoch)
);

-- Events that the audit service has not acknowledged yet. `body` holds the exact bytes that are chained.
CREATE TABLE trail_event (
    source   TEXT   NOT NULL,
    epoch    BYTES  NOT NULL,
    sequence BIGINT NOT NULL,
    time_at  BIGINT NOT NULL,
    body     TEXT   NOT NULL,
    PRIMARY KEY (source, epoch, sequence)
)
--@ only sqlite
WITHOUT ROWID
--@ end
;
