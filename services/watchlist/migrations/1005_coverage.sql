-- What the issuers of alerts are told, and were told: on which word of theirs this installation's posts act.
CREATE TABLE coverage (
    agency  TEXT   NOT NULL, -- which of our agencies says it
    owner   TEXT   NOT NULL,
    case_id BYTES  NOT NULL,
    version BIGINT NOT NULL, -- 0: it was withdrawn
    since   BIGINT NOT NULL,
    due     BIGINT NOT NULL, -- 1: the gateway has not signed it yet
    PRIMARY KEY (agency, owner, case_id)
);
CREATE INDEX coverage_due ON coverage (agency, since) WHERE due = 1;
CREATE INDEX coverage_by_age ON coverage (since) WHERE due = 0;
