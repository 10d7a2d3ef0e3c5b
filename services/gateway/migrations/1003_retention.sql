-- Erasure of content at the end of its retention (decision 26). Rows, digests, ids and places stay.

-- When the content of a message was erased.
ALTER TABLE received ADD COLUMN erased_at BIGINT;
ALTER TABLE sent ADD COLUMN erased_at BIGINT;

-- The case that a conflicting message names, so that its bytes are erased with that case; NULL where it names none.
ALTER TABLE conflict ADD COLUMN case_kind TEXT;
ALTER TABLE conflict ADD COLUMN case_owner TEXT;
ALTER TABLE conflict ADD COLUMN case_id BYTES;
ALTER TABLE conflict ADD COLUMN erased_at BIGINT;
CREATE INDEX conflict_by_case ON conflict (recipient, case_id) WHERE case_id IS NOT NULL;
CREATE INDEX conflict_by_id ON conflict (recipient, id);

-- Finds the kept answers that name a draft or a message.
CREATE INDEX idempotency_by_location ON idempotency (agency, location) WHERE location IS NOT NULL;

-- When the jobs of retention last ran to their end, and whether files still hold bytes that were erased since.
CREATE TABLE retention_run (
    job    TEXT   NOT NULL PRIMARY KEY, -- erase; rewrite: while it is owed
    ran_at BIGINT NOT NULL
);
