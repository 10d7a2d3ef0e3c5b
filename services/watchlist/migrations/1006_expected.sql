-- What left the other country towards a post of ours and that an alert of one of our agencies is about, as the hit there says it.
CREATE TABLE expected (
    agency  TEXT   NOT NULL, -- which of our agencies issued the alert
    owner   TEXT   NOT NULL, -- the agency that found it, and the id of its hit
    case_id BYTES  NOT NULL,
    post    TEXT   NOT NULL,
    until   BIGINT NOT NULL, -- then it has come, or is not coming
    body    TEXT   NOT NULL, -- JSON: the hit
    PRIMARY KEY (agency, owner, case_id)
);
CREATE INDEX expected_at_post ON expected (post, until);
CREATE INDEX expected_by_reporter ON expected (agency, owner, until, case_id);
CREATE INDEX expected_by_age ON expected (until);
