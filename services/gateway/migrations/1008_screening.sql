-- A watchlist reads the alerts in force, page by page, however many others there are. Time alone leads out of these states and
-- never into them, so the stored state is one of them whenever the present one is.
CREATE INDEX case_file_screened ON case_file (agency, opened_at, case_id, owner)
    WHERE kind = 'alert' AND state IN ('active', 'suspended');
