-- Hits hang on an alert: whether their reporter may act, or must release, depends on it.
ALTER TABLE case_file ADD COLUMN about_owner TEXT;
ALTER TABLE case_file ADD COLUMN about_id BYTES;
CREATE INDEX case_file_by_about ON case_file (agency, about_owner, about_id, opened_at) WHERE about_id IS NOT NULL;
