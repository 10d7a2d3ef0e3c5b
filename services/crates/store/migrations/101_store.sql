-- The store itself, in one row. `identity`: the random name drawn when the store was created or restored
-- from a backup; streams (outbox) and audit epochs (trail) are named after it. `restore_mark`: for a file, the token that the
-- file beside it must name at the next opening; for a database of a server, which server, which of its histories, which
-- database and table it was. `restored_from`: the identity before the present one, until the restore has been reported.
CREATE TABLE store (
    one           BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    identity      BYTES  NOT NULL,
    restore_mark  TEXT,
    restored_from BYTES
);
