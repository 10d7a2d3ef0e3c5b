-- What the issuers of alerts were told, and are to be told: on which word of theirs this installation's posts act.
CREATE TABLE coverage (
    agency  TEXT   NOT NULL, -- which of our agencies says it
    owner   TEXT   NOT NULL,
    case_id BYTES  NOT NULL,
    version BIGINT NOT NULL, -- 0: it was withdrawn, and stays so; -1: nothing is said of it at present
    since   BIGINT NOT NULL,
    due     BIGINT NOT NULL, -- 1: the gateway has not signed it yet
    PRIMARY KEY (agency, owner, case_id)
);
CREATE INDEX coverage_due ON coverage (agency, since) WHERE due = 1;
CREATE INDEX coverage_by_age ON coverage (since) WHERE due = 0;
CREATE INDEX coverage_by_case ON coverage (owner, case_id, version);
CREATE INDEX coverage_in_force ON coverage (agency, owner, case_id) WHERE version > 0;

-- The border posts of which that was said: a post that is added says so of every alert.
CREATE TABLE covered_post (
    post TEXT NOT NULL PRIMARY KEY
);
