-- The gateway's own tables. Identifiers are 16-byte blobs, digests 32-byte blobs, times microseconds
-- since the Unix epoch, and there are no booleans: the same queries serve SQLite and PostgreSQL.
-- The outbox (2xx) and the audit trail (1xx) bring their own tables.

-- Drafts, with the state of their release. A draft's id becomes the message's id.
CREATE TABLE draft (
    id            BYTES  NOT NULL PRIMARY KEY,
    agency        TEXT   NOT NULL,
    author        TEXT   NOT NULL,
    state         TEXT   NOT NULL, -- draft, pending_release, returned, released, discarded
    version       BIGINT NOT NULL, -- counts changes; a change must name the version that it is based on
    message_type  TEXT   NOT NULL, -- of the message that it becomes
    facet         TEXT,            -- the code by which its family is listed: the category of an alert
    status        TEXT,            -- actual, exercise, test; NULL while the draft does not say
    reference     TEXT,            -- the sender's own file number
    second_person TEXT,            -- why a second person must release it; NULL when its author may
    faults        BIGINT NOT NULL, -- how many faults it had when it was last changed; 0 when it was valid
    content       BYTES  NOT NULL, -- the draft as posted, with what is certain put right; empty once it is discarded
    created_at    BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL,
    submitted_at  BIGINT,
    decided_by    TEXT,
    decided_at    BIGINT,
    return_reason TEXT
);
CREATE INDEX draft_by_agency ON draft (agency, state, id);
-- The drafts in work, the newest last: nearly all others are over.
CREATE INDEX draft_open ON draft (agency, id) WHERE state IN ('draft', 'pending_release', 'returned');
CREATE INDEX draft_by_author ON draft (agency, author) -- counts an author's drafts in work
    WHERE state IN ('draft', 'pending_release', 'returned');

-- Who has read which version of a submitted draft, of others than its author: a second person releases only what they have
-- read. The rows of a version go when the draft has another; the audit log keeps every read.
CREATE TABLE draft_read (
    draft   BYTES  NOT NULL,
    version BIGINT NOT NULL,
    reader  TEXT   NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (draft, version, reader)
);

-- Sent messages, one row a country. The exact signed bytes are the evidence.
CREATE TABLE sent (
    id           BYTES  NOT NULL,
    country      TEXT   NOT NULL,
    agency       TEXT   NOT NULL,
    message_type TEXT   NOT NULL,
    facet        TEXT,
    status       TEXT   NOT NULL,
    lane         TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    released_by  TEXT   NOT NULL,
    digest       BYTES  NOT NULL,
    jws          BYTES  NOT NULL,
    replaces     BYTES,           -- the message that this one reissues, because a compromised key had signed that
    original     BYTES  NOT NULL, -- the first message of that chain; its own id when it reissues none
    case_kind    TEXT,            -- the case that it belongs to: kind, owner and id
    case_owner   TEXT,
    case_id      BYTES,
    turn         BIGINT,          -- the sender's own count in that case
    seen         TEXT,            -- for each other party the turn up to which the sender had everything, as JSON
    first_created BIGINT,         -- when the content was first signed, of a message that was issued again
    in_reply_to  BYTES,
    PRIMARY KEY (id, country)
);
CREATE INDEX sent_by_id ON sent (id, agency);
CREATE INDEX sent_by_agency ON sent (agency, created_at, id);
CREATE INDEX sent_by_case ON sent (agency, case_id, turn) WHERE case_id IS NOT NULL;
CREATE INDEX sent_by_reply ON sent (agency, in_reply_to) WHERE in_reply_to IS NOT NULL;
CREATE INDEX sent_by_replaced ON sent (agency, replaces, created_at) WHERE replaces IS NOT NULL;
CREATE INDEX sent_by_original ON sent (agency, original);

-- Messages accepted from others, one row a recipient agency. Rows stay for ever, so that a duplicate is recognised however
-- late it comes.
CREATE TABLE received (
    seq              SERIAL_KEY,
    recipient        TEXT   NOT NULL,
    sender           TEXT   NOT NULL,
    id               BYTES  NOT NULL,
    digest           BYTES  NOT NULL,
    jws              BYTES,           -- NULL when it was rejected and too large to be kept; its header is kept then
    header           BYTES,           -- the signed header as JSON, when jws is NULL
    key_id           TEXT   NOT NULL,
    message_type     TEXT   NOT NULL,
    facet            TEXT,
    status           TEXT   NOT NULL,
    lane             TEXT   NOT NULL,
    stream           BYTES,
    number           BIGINT,
    created_at       BIGINT NOT NULL,
    expires_at       BIGINT,
    received_at      BIGINT NOT NULL,
    answered_at      BIGINT,          -- when a duplicate was last answered; NULL when none was
    disposition      TEXT   NOT NULL, -- operative, inoperative (expired on the way), rejected
    rejection_code   TEXT,
    rejection_detail TEXT,
    audit_epoch      BYTES  NOT NULL,
    audit_sequence   BIGINT NOT NULL,
    read_at          BIGINT,
    read_by          TEXT,
    compromised_at   BIGINT,          -- when the key that signed it was found to be compromised
    replaces         BYTES,           -- the message that this one reissues
    original         BYTES  NOT NULL, -- the first message of that chain that is known; its own id when it reissues none
    case_kind        TEXT,            -- the case that it belongs to: kind, owner and id
    case_owner       TEXT,
    case_id          BYTES,
    turn             BIGINT,          -- the sender's own count in that case
    seen             TEXT,            -- for each other party the turn up to which the sender had everything, as JSON
    first_created    BIGINT,          -- when the content was first signed, of a message that was issued again
    in_reply_to      BYTES
);
CREATE INDEX received_by_case ON received (recipient, case_id, sender, turn) WHERE case_id IS NOT NULL;
CREATE INDEX received_by_reply ON received (recipient, in_reply_to) WHERE in_reply_to IS NOT NULL;
CREATE UNIQUE INDEX received_identity ON received (recipient, sender, id);
CREATE INDEX received_by_stream ON received (sender, stream, recipient, lane, number);
CREATE INDEX received_by_key ON received (sender, key_id) WHERE compromised_at IS NULL;
CREATE INDEX received_by_arrival ON received (recipient, seq);
CREATE INDEX received_unread ON received (recipient, seq) WHERE read_at IS NULL;
CREATE INDEX received_by_id ON received (id, recipient);
CREATE INDEX received_by_original ON received (recipient, original, sender);
CREATE INDEX received_by_replaced ON received (recipient, sender, replaces) WHERE replaces IS NOT NULL;

-- Streams to our agencies, as their gateway sees them: a bounded number of each sender and lane.
CREATE TABLE stream_in (
    recipient    TEXT   NOT NULL,
    sender       TEXT   NOT NULL,
    lane         TEXT   NOT NULL,
    stream       BYTES  NOT NULL,
    next         BIGINT NOT NULL, -- every number below it has come or is void
    last         BIGINT NOT NULL, -- the highest number that has come or was announced, as far as it is noted
    ranges       BIGINT NOT NULL, -- how many rows of stream_ahead it has
    changed_at   BIGINT NOT NULL, -- when a number of it last came, or the sender's status last named it
    announced_at BIGINT,          -- when the sender's status last named this stream
    gap_since    BIGINT,          -- since when a number below `last` has been missing
    requested_at BIGINT,          -- when the missing numbers were last requested, and the highest of those numbers
    requested_to BIGINT,
    requests     BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (recipient, sender, lane, stream)
);

-- Numbers that have come or are void, beyond one that is still missing: ranges, of which none touches another.
CREATE TABLE stream_ahead (
    recipient TEXT   NOT NULL,
    sender    TEXT   NOT NULL,
    lane      TEXT   NOT NULL,
    stream    BYTES  NOT NULL,
    first     BIGINT NOT NULL,
    last      BIGINT NOT NULL,
    PRIMARY KEY (recipient, sender, lane, stream, first)
);

-- The signed statuses that made numbers void which had neither come nor been void before, and those numbers. Rows stay for
-- ever: they are the proof of what the sender said.
CREATE TABLE void_status (
    digest      BYTES  NOT NULL PRIMARY KEY, -- SHA-256 of jws
    recipient   TEXT   NOT NULL,
    sender      TEXT   NOT NULL,
    jws         BYTES  NOT NULL,
    size_bytes  BIGINT NOT NULL,
    numbers     BIGINT NOT NULL, -- how many numbers it made void
    received_at BIGINT NOT NULL
);
CREATE INDEX void_status_by_pair ON void_status (recipient, sender, received_at);
CREATE TABLE stream_void (
    recipient TEXT   NOT NULL,
    sender    TEXT   NOT NULL,
    lane      TEXT   NOT NULL,
    stream    BYTES  NOT NULL,
    first     BIGINT NOT NULL,
    last      BIGINT NOT NULL,
    reason    TEXT   NOT NULL,
    status    BYTES  NOT NULL, -- the digest of the status
    PRIMARY KEY (recipient, sender, lane, stream, first)
);

-- The latest unnumbered message of each type from each partner: an older one, replayed by somebody on the way, is ignored.
CREATE TABLE stream_word (
    own        TEXT   NOT NULL,
    partner    TEXT   NOT NULL,
    kind       TEXT   NOT NULL, -- stream.status, stream.request, link.fault, audit.checkpoint, audit.cosignature
    created_at BIGINT NOT NULL,
    message    BYTES  NOT NULL, -- its id, which orders two of the same time
    acted_at   BIGINT,          -- when a stream.request was last acted on, by our clock
    PRIMARY KEY (own, partner, kind)
);

-- Receipts that others signed for messages that we sent: the exact bytes, and the statement about each message. Other bytes
-- under an id that their signer has used before are kept as proof against the signer, and settle nothing.
CREATE TABLE receipt_jws (
    digest         BYTES  NOT NULL PRIMARY KEY, -- SHA-256 of the compact JWS
    id             BYTES  NOT NULL,
    signer         TEXT   NOT NULL,
    jws            BYTES  NOT NULL,
    conflicts_with BYTES, -- the digest of the receipt that came first under this id; NULL for that one
    received_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX receipt_jws_first ON receipt_jws (id, signer) WHERE conflicts_with IS NULL;
CREATE INDEX receipt_jws_by_id ON receipt_jws (id, signer);
CREATE TABLE receipt (
    message_id     BYTES  NOT NULL,
    sender         TEXT   NOT NULL,
    recipient      TEXT   NOT NULL,
    kind           TEXT   NOT NULL, -- delivered, read, rejected
    said_at        BIGINT NOT NULL, -- by the recipient's clock
    code           TEXT,
    detail         TEXT,
    audit_source   TEXT,
    audit_epoch    BYTES,
    audit_sequence BIGINT,
    receipt_digest BYTES  NOT NULL REFERENCES receipt_jws (digest),
    received_at    BIGINT NOT NULL,
    PRIMARY KEY (message_id, recipient, kind)
);
CREATE INDEX receipt_by_jws ON receipt (receipt_digest);

-- Receipts that were acted on: the same bytes again, from somebody on the way, are dropped.
CREATE TABLE receipt_seen (
    recipient TEXT   NOT NULL,
    digest    BYTES  NOT NULL,
    seen_at   BIGINT NOT NULL,
    PRIMARY KEY (recipient, digest)
);

-- Messages that conflict with an earlier one under their id or number: the signed bytes are the evidence.
CREATE TABLE conflict (
    recipient      TEXT   NOT NULL,
    digest         BYTES  NOT NULL,
    sender         TEXT   NOT NULL,
    id             BYTES  NOT NULL,
    kind           TEXT   NOT NULL, -- conflict (the same id), number_reused
    jws            BYTES  NOT NULL,
    audit_epoch    BYTES  NOT NULL,
    audit_sequence BIGINT NOT NULL,
    first_at       BIGINT NOT NULL,
    answered_at    BIGINT NOT NULL,
    PRIMARY KEY (recipient, digest)
);

-- What was refused of each sender in the present hour.
CREATE TABLE refusals (
    sender     TEXT   NOT NULL PRIMARY KEY,
    since      BIGINT NOT NULL,
    times      BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL
);

-- Held messages: they wait for a trust list with their signer's key, and are not shown as received.
CREATE TABLE held (
    seq               SERIAL_KEY,
    recipient         TEXT   NOT NULL,
    exchange          TEXT   NOT NULL,
    queue             TEXT   NOT NULL,
    lane              TEXT   NOT NULL,
    unverified_sender TEXT   NOT NULL,
    digest            BYTES  NOT NULL,
    size_bytes        BIGINT NOT NULL,
    reason            TEXT   NOT NULL,
    held_at           BIGINT NOT NULL,
    tried_at          BIGINT NOT NULL,
    jws               BYTES  NOT NULL
);
CREATE INDEX held_by_arrival ON held (recipient, seq);
CREATE INDEX held_by_sender ON held (recipient, exchange, unverified_sender, size_bytes);
CREATE INDEX held_age ON held (held_at);
CREATE UNIQUE INDEX held_identity ON held (recipient, digest);

-- The size of what is held for each agency over each exchange, so that no query has to add up the messages.
CREATE TABLE held_total (
    recipient  TEXT   NOT NULL,
    exchange   TEXT   NOT NULL,
    kept_bytes BIGINT NOT NULL,
    PRIMARY KEY (recipient, exchange)
);

-- Deliveries that came again and are being read: a row that stays shows that the gateway ended while it read the delivery.
CREATE TABLE delivery_attempt (
    queue    TEXT   NOT NULL,
    digest   BYTES  NOT NULL,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (queue, digest)
);

-- The quarantine: deliveries that could not be verified or read, one row a content and reason, still sealed.
CREATE TABLE quarantine (
    seq            SERIAL_KEY,
    digest         BYTES  NOT NULL,
    agency         TEXT,             -- whose key opened it; NULL when none did
    queue          TEXT   NOT NULL,
    exchange       TEXT   NOT NULL,
    routing_key    TEXT   NOT NULL,
    reason         TEXT   NOT NULL,
    detail         TEXT   NOT NULL,
    body           BYTES,            -- NULL when the quarantine was full: only the digest is kept
    size_bytes     BIGINT NOT NULL,
    times          BIGINT NOT NULL,
    first_at       BIGINT NOT NULL,
    last_at        BIGINT NOT NULL
);
CREATE UNIQUE INDEX quarantine_identity ON quarantine (digest, reason);

-- The size of the quarantine, in one row, so that no query has to count.
CREATE TABLE quarantine_total (
    one        BIGINT NOT NULL PRIMARY KEY,
    kept_rows  BIGINT NOT NULL,
    kept_bytes BIGINT NOT NULL,
    beyond     BIGINT NOT NULL -- deliveries that were only counted
);
INSERT INTO quarantine_total (one, kept_rows, kept_bytes, beyond) VALUES (1, 0, 0, 0);

-- Domain events, in order: `GET /v1/events?after=`.
CREATE TABLE domain_event (
    seq        SERIAL_KEY,
    agency     TEXT   NOT NULL,
    event      TEXT   NOT NULL,
    object_id  BYTES,
    version    BIGINT NOT NULL,
    at         BIGINT NOT NULL
);
CREATE INDEX domain_event_by_agency ON domain_event (agency, seq);

-- Alarms: facts that an operator must look at.
CREATE TABLE alarm (
    seq                 SERIAL_KEY,
    agency              TEXT   NOT NULL,
    kind                TEXT   NOT NULL,
    subject             TEXT   NOT NULL,
    partner             TEXT,            -- the agency that caused it, if one did
    place               BIGINT NOT NULL, -- in lists: 1 critical, 2 serious, 3 notice; 10 more once acknowledged
    detail              TEXT   NOT NULL,
    times               BIGINT NOT NULL,
    first_at            BIGINT NOT NULL,
    last_at             BIGINT NOT NULL,
    acknowledged_at     BIGINT,
    acknowledged_by     TEXT,
    acknowledged_reason TEXT
);
CREATE UNIQUE INDEX alarm_identity ON alarm (agency, kind, subject);
CREATE INDEX alarm_by_place ON alarm (agency, place, last_at DESC, seq DESC);
CREATE INDEX alarm_by_partner ON alarm (agency, kind, partner, first_at);

-- The highest serial of each country's trust lists that was ever accepted: an older list is refused, after a restart too.
CREATE TABLE trust_seen (
    country TEXT   NOT NULL PRIMARY KEY,
    serial  BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);

-- Answers to requests with an Idempotency-Key, for requests that are sent again.
CREATE TABLE idempotency (
    agency         TEXT   NOT NULL,
    subject        TEXT   NOT NULL,
    key            TEXT   NOT NULL,
    request_digest BYTES  NOT NULL,
    status         BIGINT NOT NULL,
    body           BYTES  NOT NULL,
    etag           TEXT,
    location       TEXT,
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (agency, subject, key)
);
CREATE INDEX idempotency_by_time ON idempotency (created_at);
