-- Persons. The id is the pseudonymous subject of tokens and audit events; it is never used for another person.
CREATE TABLE account (
    id               BYTES  NOT NULL PRIMARY KEY,
    agency           TEXT   NOT NULL,
    login            TEXT   NOT NULL UNIQUE,
    name             TEXT   NOT NULL,
    roles            TEXT   NOT NULL, -- separated by spaces
    password         TEXT   NOT NULL, -- PHC string: algorithm, parameters, salt, hash
    password_changed BIGINT NOT NULL,
    must_change      BIGINT NOT NULL, -- 1: another person set the password
    disabled         BIGINT,          -- since when it has been disabled
    created          BIGINT NOT NULL
);
CREATE INDEX account_of_agency ON account (agency, id);

-- Machine clients, which log in by client credentials.
CREATE TABLE machine (
    id       TEXT   NOT NULL PRIMARY KEY,
    agency   TEXT   NOT NULL,
    name     TEXT   NOT NULL,
    roles    TEXT   NOT NULL,
    secret   BYTES,           -- SHA-256 of 256 random bits
    jwks     TEXT,            -- public keys for private_key_jwt
    disabled BIGINT,
    created  BIGINT NOT NULL
);
CREATE INDEX machine_of_agency ON machine (agency, id);

-- Authorization codes, by the SHA-256 of the code.
CREATE TABLE code (
    digest        BYTES  NOT NULL PRIMARY KEY,
    client        TEXT   NOT NULL,
    redirect_uri  TEXT   NOT NULL,
    account       BYTES  NOT NULL REFERENCES account (id),
    session       TEXT   NOT NULL,
    scope         TEXT   NOT NULL,
    nonce         TEXT,
    challenge     TEXT   NOT NULL,
    authenticated BIGINT NOT NULL,
    expires       BIGINT NOT NULL,
    used          BIGINT
);
CREATE INDEX code_by_expiry ON code (expires);
CREATE INDEX code_by_account ON code (account);

-- The log-ins of persons, from the redemption of the code until the last token has expired.
CREATE TABLE login_session (
    id            TEXT   NOT NULL PRIMARY KEY, -- `sid` of its tokens
    account       BYTES  NOT NULL REFERENCES account (id),
    client        TEXT   NOT NULL,
    scope         TEXT   NOT NULL,
    authenticated BIGINT NOT NULL,
    ends          BIGINT NOT NULL, -- no token is renewed from then on
    ended         BIGINT           -- ended earlier: this service accepts none of its tokens any more
);
CREATE INDEX login_session_of_account ON login_session (account);
CREATE INDEX login_session_by_end ON login_session (ends);

-- Refresh tokens, by the SHA-256 of the token. Used ones stay, so that a second use is noticed.
CREATE TABLE refresh_token (
    digest  BYTES  NOT NULL PRIMARY KEY,
    session TEXT   NOT NULL REFERENCES login_session (id),
    expires BIGINT NOT NULL,
    used    BIGINT
);
CREATE INDEX refresh_token_of_session ON refresh_token (session);

-- Client assertions that were used already, by the SHA-256 of their ids.
CREATE TABLE assertion (
    digest  BYTES  NOT NULL PRIMARY KEY,
    expires BIGINT NOT NULL
);
CREATE INDEX assertion_by_expiry ON assertion (expires);

-- Failed attempts, by the SHA-256 of the login or address: rows of known and unknown logins look the same.
CREATE TABLE throttle (
    key           BYTES  NOT NULL PRIMARY KEY,
    failures      BIGINT NOT NULL,
    failed        BIGINT NOT NULL,
    blocked_until BIGINT,
    refused       BIGINT NOT NULL -- attempts refused since the last one that was counted
);
CREATE INDEX throttle_by_time ON throttle (failed);

-- The public keys of the keys that sign tokens. The private keys are files.
CREATE TABLE token_key (
    kid     TEXT   NOT NULL PRIMARY KEY,
    jwk     TEXT   NOT NULL,
    created BIGINT NOT NULL,
    active  BIGINT NOT NULL  -- the time from which it signs, until the next key does
);
