-- What cases and open drafts are about, in a form that is compared: an author is shown what is live about the same person or thing.
-- A value is kept as its SHA-256. Whoever can read the table can guess plates and names by trying them, so its rows are personal data and
-- are erased with the message or draft that they come from.

-- Of the messages of a case that bring its content, one row for each identifier and version.
CREATE TABLE case_identifier (
    agency       TEXT   NOT NULL, -- ours, whose view of the case it is part of
    what         TEXT   NOT NULL, -- document, plate, vin …
    value_digest BYTES  NOT NULL,
    owner        TEXT   NOT NULL,
    case_id      BYTES  NOT NULL,
    kind         TEXT   NOT NULL,
    version      BIGINT NOT NULL, -- of the content: only the version in force counts
    qualifier    TEXT   NOT NULL, -- issuer, state or birth date; empty where the message does not say
    subject      TEXT   NOT NULL, -- its key; empty where it has none
    PRIMARY KEY (agency, what, value_digest, owner, case_id, kind, version, qualifier)
);
-- Erasing a case.
CREATE INDEX case_identifier_by_case ON case_identifier (agency, owner, case_id, kind);

-- Of drafts that are neither released nor discarded.
CREATE TABLE draft_identifier (
    agency       TEXT  NOT NULL,
    what         TEXT  NOT NULL,
    value_digest BYTES NOT NULL,
    draft_id     BYTES NOT NULL,
    qualifier    TEXT  NOT NULL,
    subject      TEXT  NOT NULL,
    PRIMARY KEY (agency, what, value_digest, draft_id, qualifier)
);
CREATE INDEX draft_identifier_by_draft ON draft_identifier (draft_id);
