-- What messages mention: whoever hands on what another agency sent under H2 or H3 needs that agency's leave, and what our own agency has
-- said before is its own. Values are kept as in case_identifier, and erased with the case.
CREATE TABLE mentioned_identifier (
    agency       TEXT  NOT NULL, -- ours
    what         TEXT  NOT NULL, -- document, plate, vin …
    value_digest BYTES NOT NULL,
    owner        TEXT  NOT NULL,
    case_id      BYTES NOT NULL,
    kind         TEXT  NOT NULL,
    message      BYTES NOT NULL,
    qualifier    TEXT  NOT NULL, -- issuer, state or birth date; empty where the message does not say
    sender       TEXT  NOT NULL, -- ours, or the agency whose leave is needed
    known_at     BIGINT NOT NULL, -- when the message was stored: what we say only later is not known from us
    PRIMARY KEY (agency, what, value_digest, owner, case_id, kind, sender, message, qualifier) -- a sender chooses its ids
);
-- Erasing a case.
CREATE INDEX mentioned_identifier_by_case ON mentioned_identifier (agency, owner, case_id, kind);
