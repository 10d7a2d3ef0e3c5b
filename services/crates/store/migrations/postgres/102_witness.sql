-- Whether this store is the one that was last left. `witness`: which server, which of its histories, which
-- database and table it was. `restored_from`: the name before the present one, until somebody has told of the
-- restore.
ALTER TABLE store ADD COLUMN witness TEXT;
ALTER TABLE store ADD COLUMN restored_from BYTEA;
