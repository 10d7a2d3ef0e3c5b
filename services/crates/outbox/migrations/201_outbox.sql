-- What waits to leave, what has left and is not yet answered, and what came of it.

-- The last number given out in each stream. A store that was restored has another name, hence other
-- streams.
CREATE TABLE outbox_stream (
    stream    BYTES  NOT NULL,
    sender    TEXT   NOT NULL,
    recipient TEXT   NOT NULL,
    lane      TEXT   NOT NULL,
    last      BIGINT NOT NULL,
    PRIMARY KEY (stream, sender, recipient, lane)
);

-- The signed bytes, once per message and country.
CREATE TABLE outbox_message (
    id           BYTES  NOT NULL,
    country      TEXT   NOT NULL,
    sender       TEXT   NOT NULL,
    message_type TEXT   NOT NULL,
    compact      BYTES  NOT NULL, -- JWS, compact serialisation
    digest       BYTES  NOT NULL, -- SHA-256 of it
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (id, country)
);

-- One row per recipient. `position` is the order in which copies leave.
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
    bundle       BYTES,           -- the bundle it last left in, and its share of that bundle's bytes
    sent_bytes   BIGINT,
    attempts     BIGINT NOT NULL DEFAULT 0,
    queued_at    BIGINT,          -- first and latest time that the broker confirmed it
    sent_at      BIGINT,
    due_at       BIGINT,          -- when it goes again unless answered
    delivered_at BIGINT,          -- as the receipts say
    read_at      BIGINT,
    rejected_at  BIGINT,
    code         TEXT,            -- why it was rejected, or made void
    settled_at   BIGINT,          -- when the receipt came
    voided_at    BIGINT,
    told_at      BIGINT           -- when the recipient last asked for a voided number, or it was voided
);
CREATE UNIQUE INDEX outbox_copy_identity ON outbox_copy (message, recipient);
CREATE INDEX outbox_copy_waiting ON outbox_copy (recipient, lane, position, enqueued_at)
    WHERE state = 0 AND number IS NOT NULL;
CREATE INDEX outbox_copy_waiting_plain ON outbox_copy (recipient, lane, position, enqueued_at)
    WHERE state = 0 AND number IS NULL;
CREATE INDEX outbox_copy_queued ON outbox_copy (recipient, lane, due_at, bundle, sent_bytes, queued_at)
    WHERE state = 1;
CREATE INDEX outbox_copy_expiring ON outbox_copy (expires_at) WHERE state = 0 AND expires_at IS NOT NULL;
CREATE INDEX outbox_copy_numbered ON outbox_copy (sender, recipient, lane, stream, number) WHERE number IS NOT NULL;
CREATE INDEX outbox_copy_voided ON outbox_copy (sender, recipient, told_at) WHERE state = 4;

-- When each partner's stream.status was last heard: retransmission timers run only until then.
CREATE TABLE outbox_partner (
    agency   TEXT   NOT NULL PRIMARY KEY,
    heard_at BIGINT NOT NULL
);

-- Which relay serves a recipient and lane. The fence rises with each holder.
CREATE TABLE outbox_lease (
    recipient  TEXT   NOT NULL,
    lane       TEXT   NOT NULL,
    holder     BYTES  NOT NULL,
    fence      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (recipient, lane)
);
