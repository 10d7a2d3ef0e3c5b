-- What the store knows of itself. One row: the random name drawn when the store was created or
-- restored from a backup. Streams (outbox) and audit epochs (trail) are named after it.
CREATE TABLE store (
    one      BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    identity BYTEA  NOT NULL
);
