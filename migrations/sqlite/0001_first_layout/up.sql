-- Times are milliseconds since 1970, identifiers sort by time, hashes are SHA-256, lists and maps are JSON.
-- Nothing here is secret in the clear: tokens are hashes, keys are sealed.

-- One row. Grows with each change to clients, scopes, resources or keys, so that other processes notice it.
CREATE TABLE directory_revision (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL
) STRICT;
INSERT INTO directory_revision (id, revision) VALUES (1, 1);

-- One row. The sealed secret that the provider's symmetric keys are derived from.
CREATE TABLE root_secret (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE signing_keys (
    id INTEGER PRIMARY KEY,
    algorithm TEXT NOT NULL,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    active_from INTEGER NOT NULL,
    retired_at INTEGER,
    remove_at INTEGER
) STRICT;

CREATE TABLE scopes (
    name TEXT PRIMARY KEY NOT NULL,
    definition TEXT NOT NULL
) STRICT;

CREATE TABLE resources (
    identifier TEXT PRIMARY KEY NOT NULL,
    definition TEXT NOT NULL
) STRICT;

CREATE TABLE clients (
    client_id TEXT PRIMARY KEY NOT NULL,
    metadata TEXT NOT NULL,
    trust TEXT NOT NULL,
    disabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE client_secrets (
    client_id TEXT NOT NULL REFERENCES clients ON DELETE CASCADE,
    place INTEGER NOT NULL,
    hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (client_id, place)
) STRICT;

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    subject TEXT NOT NULL UNIQUE,
    username TEXT NOT NULL UNIQUE,
    password TEXT,
    claims TEXT NOT NULL,
    groups TEXT NOT NULL,
    disabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    secret BLOB NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    auth_time INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    acr TEXT NOT NULL,
    amr TEXT NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    ended_at INTEGER
) STRICT;
CREATE INDEX sessions_user_id ON sessions (user_id);

CREATE TABLE consents (
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    client_id TEXT NOT NULL REFERENCES clients ON DELETE CASCADE,
    granted TEXT NOT NULL,
    declined TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, client_id)
) STRICT;
CREATE INDEX consents_client_id ON consents (client_id);

-- The session may be gone before the code or the grant: no reference.
CREATE TABLE authorization_codes (
    id INTEGER PRIMARY KEY,
    secret BLOB NOT NULL,
    client_id TEXT NOT NULL REFERENCES clients ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    session_id INTEGER NOT NULL,
    redirect_uri TEXT NOT NULL,
    redirect_uri_sent INTEGER NOT NULL,
    code_challenge TEXT,
    scope TEXT NOT NULL,
    context TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    spent_at INTEGER
) STRICT;

CREATE TABLE grants (
    id INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    session_id INTEGER NOT NULL,
    scope TEXT NOT NULL,
    offline INTEGER NOT NULL,
    context TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_reason TEXT
) STRICT;
CREATE INDEX grants_user_id ON grants (user_id);
CREATE INDEX grants_session_id ON grants (session_id);
CREATE INDEX grants_client_id ON grants (client_id);

-- One row a family: rotation changes it.
CREATE TABLE refresh_tokens (
    grant_id INTEGER PRIMARY KEY REFERENCES grants ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    secret BLOB NOT NULL,
    rotated_at INTEGER NOT NULL,
    idle_expires_at INTEGER NOT NULL,
    absolute_expires_at INTEGER NOT NULL
) STRICT;

-- Opaque ones only.
CREATE TABLE access_tokens (
    id INTEGER PRIMARY KEY,
    secret BLOB NOT NULL,
    grant_id INTEGER REFERENCES grants ON DELETE CASCADE,
    client_id TEXT NOT NULL REFERENCES clients ON DELETE CASCADE,
    scope TEXT NOT NULL,
    audience TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX access_tokens_grant_id ON access_tokens (grant_id);
CREATE INDEX access_tokens_expires_at ON access_tokens (expires_at);

-- Access tokens of any form that ended before their time.
CREATE TABLE revoked_access_tokens (
    id INTEGER PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX revoked_access_tokens_expires_at ON revoked_access_tokens (expires_at);

-- Client assertions that were used.
CREATE TABLE spent_assertions (
    digest BLOB PRIMARY KEY NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_assertions_expires_at ON spent_assertions (expires_at);

-- Failed sign-ins, counted in a fixed number of slots.
CREATE TABLE attempts (
    slot INTEGER PRIMARY KEY,
    failures INTEGER NOT NULL,
    window_started INTEGER NOT NULL
) STRICT;

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT,
    client_id TEXT,
    user_id INTEGER,
    address TEXT,
    detail TEXT
) STRICT;

-- The newest refusals, in a ring.
CREATE TABLE refusals (
    slot INTEGER PRIMARY KEY,
    id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT,
    client_id TEXT,
    user_id INTEGER,
    address TEXT,
    detail TEXT
) STRICT;
CREATE INDEX refusals_id ON refusals (id);
