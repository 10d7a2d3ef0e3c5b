-- Requests for assistance: the time of each party runs from the delivery of a message to it.

ALTER TABLE case_message ADD COLUMN delivered_at BIGINT; -- when its recipient stored it, by the recipient's own clock

-- A receipt names a message; alerts have no clock.
CREATE INDEX case_message_by_id ON case_message (agency, id, sender, owner, case_id, kind) WHERE kind <> 'alert';

-- The requests that ask several agencies the same.
ALTER TABLE case_file ADD COLUMN group_id BYTES;
CREATE INDEX case_file_by_group ON case_file (agency, group_id, opened_at, case_id) WHERE group_id IS NOT NULL;
