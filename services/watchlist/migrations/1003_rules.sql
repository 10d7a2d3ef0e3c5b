-- The rules in versions. The one in force is the last that a second person approved.
CREATE TABLE rule_version (
    code        TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    forwards    BIGINT NOT NULL, -- 1: what it finds is forwarded without a person
    reason      TEXT   NOT NULL, -- a code or file reference
    proposed_by TEXT   NOT NULL,
    proposed_at BIGINT NOT NULL,
    approved_by TEXT,
    approved_at BIGINT,
    PRIMARY KEY (code, version)
);

-- Travellers who are known not to be the listed person, by document and full birth date, never by name.
CREATE TABLE innocent (
    id          BYTES  NOT NULL PRIMARY KEY, -- the candidate from which it comes
    agency      TEXT   NOT NULL,
    list        TEXT   NOT NULL,
    record      TEXT   NOT NULL, -- the entry that the traveller is not
    version     BIGINT NOT NULL, -- and its version: a new one voids this
    number      TEXT   NOT NULL, -- the traveller's own document, as it is compared
    state       TEXT   NOT NULL,
    birth       TEXT   NOT NULL, -- as a zone has it: YYMMDD
    reason      TEXT   NOT NULL,
    proposed_by TEXT   NOT NULL,
    proposed_at BIGINT NOT NULL,
    approved_by TEXT,
    approved_at BIGINT,
    expires     BIGINT NOT NULL
);
CREATE INDEX innocent_by_number ON innocent (number, birth);
CREATE INDEX innocent_of_agency ON innocent (agency, id);
CREATE INDEX innocent_by_end ON innocent (expires);
