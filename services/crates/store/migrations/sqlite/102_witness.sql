-- Whether this store is the one that was last left. `witness`: what must be found again outside the database at
-- the next opening. `restored_from`: the name before the present one, until somebody has told of the restore.
ALTER TABLE store ADD COLUMN witness TEXT;
ALTER TABLE store ADD COLUMN restored_from BLOB;
