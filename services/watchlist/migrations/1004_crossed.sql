-- Who crossed in the last hours, by number alone, where the installation has switched that on: an alert that comes later says so.
CREATE TABLE crossed (
    id        BYTES  NOT NULL PRIMARY KEY,
    at        BIGINT NOT NULL,
    place     TEXT   NOT NULL, -- the kind under which the number is compared
    number    TEXT   NOT NULL,
    post      TEXT   NOT NULL,
    direction TEXT   NOT NULL,
    agency    TEXT   NOT NULL,
    seen      TEXT   NOT NULL  -- JSON: the number with issuer and check digit, and how it was scanned, without the holder
);
CREATE INDEX crossed_by_number ON crossed (place, number);
CREATE INDEX crossed_by_time ON crossed (at);

-- What alerts list now and did not list before, until it is known whether it crossed before they came.
CREATE TABLE to_look_back (
    no     BIGINT NOT NULL PRIMARY KEY, -- the entry
    times  BIGINT NOT NULL,             -- how often it changed since
    before TEXT                         -- JSON: what it listed before; NULL: nothing
);
