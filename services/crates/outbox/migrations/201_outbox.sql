-- Messages that wait to leave, messages that have left, and the answers to them.

-- The last number given out in each stream. A store that was restored has another identity, and so other streams.
CREATE TABLE outbox_stream (
    stream    BYTES  NOT NULL,
    sender    TEXT   NOT NULL,
    recipient TEXT   NOT NULL,
    lane      TEXT   NOT NULL,
    last      BIGINT NOT NULL,
    PRIMARY KEY (stream, sender, recipient, lane)
);

-- The signed messages, one row a message and country.
CREATE TABLE outbox_message (
    id           BYTES  NOT NULL,
    country      TEXT   NOT NULL,
    sender       TEXT   NOT NULL,
    message_type TEXT   NOT NULL,
    compact      BYTES  NOT NULL, -- JWS, compact serialisation
    digest       BYTES  NOT NULL, -- SHA-256 of compact
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (id, country)
);

-- The copies, one row a message and recipient. They leave in the order of `position`.
CREATE TABLE outbox_copy (
    position     SERIAL_KEY,
    message      BYTES  NOT NULL,
    country      TEXT   NOT NULL,
    sender       TEXT   NOT NULL,
    recipient    TEXT   NOT NULL,
    lane         TEXT   NOT NULL,
    stream       BYTES,           -- stream and number: NULL where messages of the type have none
    number       BIGINT,
    size_bytes   BIGINT NOT NULL,
    state        BIGINT NOT NULL, -- 0 waiting, 1 queued, 2 delivered, 3 rejected, 4 void
    enqueued_at  BIGINT NOT NULL,
    expires_at   BIGINT,
    bundle       BYTES,           -- the bundle in which it last left, and its share of that bundle's bytes
    sent_bytes   BIGINT,
    attempts     BIGINT NOT NULL DEFAULT 0,
    queued_at    BIGINT,          -- the first and the latest time when the broker confirmed it
    sent_at      BIGINT,
    due_at       BIGINT,          -- when it leaves again unless answered
    again_at     BIGINT,          -- when its recipient requested it though it is settled; NULL once it has left again
    delivered_at BIGINT,          -- as the receipts say, by the recipient's clock
    read_at      BIGINT,
    rejected_at  BIGINT,
    code         TEXT,            -- the reason why it was rejected, or made void
    settled_at   BIGINT,          -- when the receipt came, by our clock
    voided_at    BIGINT,
    named_from   BIGINT           -- statuses name a void number from then on: when it was voided, or last requested
);
CREATE UNIQUE INDEX outbox_copy_identity ON outbox_copy (message, recipient);
CREATE INDEX outbox_copy_waiting ON outbox_copy (recipient, lane, position, enqueued_at)
    WHERE state = 0 AND number IS NOT NULL;
CREATE INDEX outbox_copy_waiting_plain ON outbox_copy (recipient, lane, position, enqueued_at)
    WHERE state = 0 AND number IS NULL;
CREATE INDEX outbox_copy_queued ON outbox_copy (recipient, lane, due_at, bundle, sent_bytes, queued_at)
    WHERE state = 1;
CREATE INDEX outbox_copy_again ON outbox_copy (recipient, lane, position) WHERE again_at IS NOT NULL;
CREATE INDEX outbox_copy_expiring ON outbox_copy (expires_at) WHERE state = 0 AND expires_at IS NOT NULL;
CREATE INDEX outbox_copy_numbered ON outbox_copy (sender, recipient, lane, stream, number) WHERE number IS NOT NULL;
CREATE INDEX outbox_copy_voided ON outbox_copy (sender, recipient, named_from) WHERE state = 4;
CREATE INDEX outbox_copy_void_number ON outbox_copy (sender, recipient, lane, stream, number) WHERE state = 4;

-- When each partner's last stream.status came. Retransmission timers run only while a partner is not silent.
CREATE TABLE outbox_partner (
    agency   TEXT   NOT NULL PRIMARY KEY,
    heard_at BIGINT NOT NULL
);

-- The relay that serves a recipient and lane. The fence rises with each new holder.
CREATE TABLE outbox_lease (
    recipient  TEXT   NOT NULL,
    lane       TEXT   NOT NULL,
    holder     BYTES  NOT NULL,
    fence      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (recipient, lane)
);
