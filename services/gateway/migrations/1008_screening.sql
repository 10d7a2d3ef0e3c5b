-- A watchlist reads the alerts in force, page by page, however many others there are. Time alone leads out of these states and
-- never into them, so the stored state is one of them whenever the present one is.
CREATE INDEX case_file_screened ON case_file (agency, opened_at, case_id, owner)
    WHERE kind = 'alert' AND state IN ('active', 'suspended');

-- The border posts, a code each, that have said to the sender that they act on the message. What they say to us is in the table receipt, as
-- the kind `listed <post>`.
ALTER TABLE received ADD COLUMN listed_posts TEXT;

-- A watchlist reads the hits of the last hours on the agency's own alerts.
CREATE INDEX case_file_hits ON case_file (agency, opened_at, case_id, owner) WHERE kind = 'hit';
