-- Cases: what several signed messages add up to (decision 24).

-- The messages of a case as the fold reads them, one row for each message that an agency of ours has sent or received in it.
CREATE TABLE case_message (
    agency        TEXT   NOT NULL, -- ours, whose view of the case it is part of
    owner         TEXT   NOT NULL,
    case_id       BYTES  NOT NULL,
    kind          TEXT   NOT NULL,
    sender        TEXT   NOT NULL,
    turn          BIGINT NOT NULL,
    id            BYTES  NOT NULL,
    replaces      BYTES,
    seen          TEXT,            -- for each other party the turn up to which the sender had everything, as JSON
    created_at    BIGINT NOT NULL,
    first_created BIGINT,
    content       BYTES  NOT NULL, -- digest of what stays the same when the message is issued again
    in_reply_to   BYTES,
    message_type  TEXT   NOT NULL,
    fact          TEXT,            -- what it says, in its family's terms, as JSON; NULL of a type that is not known here
    PRIMARY KEY (agency, owner, case_id, kind, sender, turn, id)
);

-- The state of each case, one row for each agency of ours. A projection: it is folded again from case_message in the transaction that
-- stores a message. A state that changes with time alone has up to three phases, so that no job must remember to set it.
CREATE TABLE case_file (
    agency          TEXT   NOT NULL,
    owner           TEXT   NOT NULL,
    case_id         BYTES  NOT NULL,
    kind            TEXT   NOT NULL,
    status          TEXT   NOT NULL,
    facet           TEXT,
    reference       TEXT   NOT NULL, -- the owner's file number in lower case; empty where there is none
    short_reference TEXT   NOT NULL, -- empty until the opener is here
    state           TEXT   NOT NULL, -- until until_at
    ball            TEXT   NOT NULL, -- ours, theirs, nobody
    until_at        BIGINT NOT NULL, -- the largest number where nothing changes by time
    state_2         TEXT   NOT NULL, -- from until_at to until_2
    ball_2          TEXT   NOT NULL,
    until_2         BIGINT NOT NULL,
    state_3         TEXT   NOT NULL,
    ball_3          TEXT   NOT NULL,
    due_at          BIGINT NOT NULL, -- when the ball's holder must have acted; the largest number where there is no limit
    handling        TEXT,
    version         BIGINT NOT NULL, -- of the content in force; 0 where there is none
    messages        BIGINT NOT NULL,
    missing         BIGINT NOT NULL, -- turns on the way
    warnings        BIGINT NOT NULL,
    retain_until    BIGINT NOT NULL, -- the end of the last day on which its data may be kept; the largest number where nobody has said
    erase_at        BIGINT NOT NULL, -- when its data are to be erased; the largest number while it is in force without an end
    erased_at       BIGINT,
    opened_at       BIGINT NOT NULL, -- when its first message was stored here
    changed_at      BIGINT NOT NULL,
    PRIMARY KEY (agency, owner, case_id, kind)
);
-- Whether another of our agencies has a case.
CREATE INDEX case_file_by_id ON case_file (case_id, owner, kind);
CREATE INDEX case_file_by_opening ON case_file (agency, opened_at, case_id);
CREATE INDEX case_file_by_state ON case_file (agency, state, opened_at, case_id);
CREATE INDEX case_file_by_ball ON case_file (agency, ball, opened_at, case_id) WHERE ball <> 'nobody';
CREATE INDEX case_file_by_facet ON case_file (agency, facet, opened_at, case_id);
CREATE INDEX case_file_by_reference ON case_file (agency, reference, opened_at, case_id);
CREATE INDEX case_file_by_short_reference ON case_file (agency, short_reference);
CREATE INDEX case_file_by_due ON case_file (agency, due_at);
-- The cases whose state has changed by time since it was stored: few, because the upkeep moves their phases on.
CREATE INDEX case_file_by_until ON case_file (agency, until_at);
CREATE INDEX case_file_to_erase ON case_file (erase_at) WHERE erased_at IS NULL;

-- The other parties of each case.
CREATE TABLE case_party (
    agency    TEXT   NOT NULL,
    partner   TEXT   NOT NULL,
    opened_at BIGINT NOT NULL, -- as in case_file
    owner     TEXT   NOT NULL,
    case_id   BYTES  NOT NULL,
    kind      TEXT   NOT NULL,
    PRIMARY KEY (agency, owner, case_id, kind, partner)
);
CREATE INDEX case_party_by_partner ON case_party (agency, partner, opened_at, case_id);

-- Cases that nobody erases for now, because a law or a court wants their data kept.
CREATE TABLE case_hold (
    agency    TEXT   NOT NULL,
    owner     TEXT   NOT NULL,
    case_id   BYTES  NOT NULL,
    kind      TEXT   NOT NULL,
    ground    TEXT   NOT NULL,
    reason    TEXT   NOT NULL,
    until_at  BIGINT NOT NULL,
    set_by    TEXT   NOT NULL,
    set_at    BIGINT NOT NULL,
    PRIMARY KEY (agency, owner, case_id, kind)
);
