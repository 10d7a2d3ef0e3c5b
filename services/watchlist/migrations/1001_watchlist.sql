-- What is listed. An alert is one entry, whichever of our agencies has it.
CREATE TABLE entry (
    no     BIGINT NOT NULL PRIMARY KEY, -- given by the service, from 1
    list   TEXT   NOT NULL,             -- `alerts`, or the name of an imported list
    record TEXT   NOT NULL,             -- the entry's id in its list: of an alert, owner and id
    body   TEXT   NOT NULL              -- JSON: what screening needs and no narrative
);
CREATE UNIQUE INDEX entry_by_record ON entry (list, record);

-- The lists.
CREATE TABLE list (
    id        TEXT   NOT NULL PRIMARY KEY, -- `alerts.<agency>`, or the name of an imported list
    source    TEXT   NOT NULL,             -- alerts, un, ofac, csv
    version   BIGINT NOT NULL,             -- how often it has changed
    loaded_at BIGINT,                      -- when it was last whole
    heard_at  BIGINT                       -- when its source was last heard
);

-- What was found.
CREATE TABLE hit (
    id            BYTES  NOT NULL PRIMARY KEY,
    encounter     BYTES  NOT NULL, -- what was found with one text
    state         TEXT   NOT NULL, -- queued, forwarded, review, confirmed, rejected, kept, refused
    place         TEXT   NOT NULL, -- what repeats join: list, record, version, kind, number, post and direction
    agency        TEXT   NOT NULL, -- the agency of ours that reports it, or whose officers look at it
    found_at      BIGINT NOT NULL,
    last_at       BIGINT NOT NULL,
    times         BIGINT NOT NULL,
    discreet      BIGINT NOT NULL,
    about         TEXT   NOT NULL, -- list, record and number, wherever it was found
    protected     BIGINT NOT NULL, -- 1: the traveller may need protection
    post          TEXT,
    direction     TEXT,
    body          TEXT   NOT NULL, -- JSON: what was found
    message       BYTES,           -- the notice that the gateway signed
    attempts      BIGINT NOT NULL,
    next_at       BIGINT,          -- when the gateway is asked next, of a queued one
    refusal       TEXT,
    decided_by    TEXT,
    decided_at    BIGINT,
    reason        TEXT
);
CREATE INDEX hit_by_place ON hit (place, found_at);
CREATE INDEX hit_by_about ON hit (about, last_at);
CREATE INDEX hit_waiting ON hit (about) WHERE state = 'queued';
CREATE INDEX hit_open ON hit (agency, id) WHERE state IN ('review', 'queued', 'refused', 'kept') OR discreet = 1;
CREATE INDEX hit_by_age ON hit (last_at);
CREATE INDEX hit_to_forward ON hit (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX hit_of_agency ON hit (agency, state, id);

-- The flow of travellers: counts alone.
CREATE TABLE flow (
    hour    BIGINT NOT NULL, -- its beginning
    post    TEXT   NOT NULL,
    verdict TEXT   NOT NULL,
    scans   BIGINT NOT NULL,
    PRIMARY KEY (hour, post, verdict)
);
