-- Times are milliseconds since 1970, identifiers sort by time, hashes are SHA-256, lists and maps are JSON.
-- Nothing here is secret in the clear: tokens are hashes, keys are sealed.
-- Texts sort by their bytes (COLLATE "C"), as in the embedded database. Rows that change keep room on their page.

-- One row. Grows with each change to clients, scopes, resources or keys; the other nodes are told.
CREATE TABLE directory_revision (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    revision BIGINT NOT NULL
);
INSERT INTO directory_revision (id, revision) VALUES (1, 1);

CREATE FUNCTION grantor_directory_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('grantor_directory', NEW.revision::text);
    RETURN NULL;
END $$;
CREATE TRIGGER directory_changed AFTER UPDATE ON directory_revision
    FOR EACH ROW EXECUTE FUNCTION grantor_directory_changed();

-- One row. The sealed secret that the provider's symmetric keys are derived from.
CREATE TABLE root_secret (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE signing_keys (
    id BIGINT PRIMARY KEY,
    algorithm TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    active_from BIGINT NOT NULL,
    retired_at BIGINT,
    remove_at BIGINT
);

CREATE TABLE scopes (
    name TEXT COLLATE "C" PRIMARY KEY,
    definition TEXT NOT NULL
);

CREATE TABLE resources (
    identifier TEXT COLLATE "C" PRIMARY KEY,
    definition TEXT NOT NULL
);

CREATE TABLE clients (
    client_id TEXT COLLATE "C" PRIMARY KEY,
    metadata TEXT NOT NULL,
    trust TEXT NOT NULL,
    disabled BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE client_secrets (
    client_id TEXT COLLATE "C" NOT NULL REFERENCES clients ON DELETE CASCADE,
    place BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (client_id, place)
);

CREATE TABLE users (
    id BIGINT PRIMARY KEY,
    subject TEXT COLLATE "C" NOT NULL UNIQUE,
    username TEXT COLLATE "C" NOT NULL UNIQUE,
    password TEXT,
    claims TEXT NOT NULL,
    groups TEXT NOT NULL,
    disabled BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    id BIGINT PRIMARY KEY,
    secret BYTEA NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users ON DELETE CASCADE,
    auth_time BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    acr TEXT NOT NULL,
    amr TEXT NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    ended_at BIGINT
) WITH (fillfactor = 80);
CREATE INDEX sessions_user_id ON sessions (user_id);

CREATE TABLE consents (
    user_id BIGINT NOT NULL REFERENCES users ON DELETE CASCADE,
    client_id TEXT COLLATE "C" NOT NULL REFERENCES clients ON DELETE CASCADE,
    granted TEXT NOT NULL,
    declined TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, client_id)
) WITH (fillfactor = 80);
CREATE INDEX consents_client_id ON consents (client_id);

-- The session may be gone before the code or the grant: no reference.
CREATE TABLE authorization_codes (
    id BIGINT PRIMARY KEY,
    secret BYTEA NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL REFERENCES clients ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES users ON DELETE CASCADE,
    session_id BIGINT NOT NULL,
    redirect_uri TEXT NOT NULL,
    redirect_uri_sent BIGINT NOT NULL,
    code_challenge TEXT,
    scope TEXT NOT NULL,
    context TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at BIGINT
) WITH (fillfactor = 60);

CREATE TABLE grants (
    id BIGINT PRIMARY KEY,
    client_id TEXT COLLATE "C" NOT NULL REFERENCES clients ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES users ON DELETE CASCADE,
    session_id BIGINT NOT NULL,
    scope TEXT NOT NULL,
    offline BIGINT NOT NULL,
    context TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    ended_reason TEXT
);
CREATE INDEX grants_user_id ON grants (user_id);
CREATE INDEX grants_session_id ON grants (session_id);
CREATE INDEX grants_client_id ON grants (client_id);

-- One row a family: rotation changes it.
CREATE TABLE refresh_tokens (
    grant_id BIGINT PRIMARY KEY REFERENCES grants ON DELETE CASCADE,
    generation BIGINT NOT NULL,
    secret BYTEA NOT NULL,
    rotated_at BIGINT NOT NULL,
    idle_expires_at BIGINT NOT NULL,
    absolute_expires_at BIGINT NOT NULL
) WITH (fillfactor = 50);

-- Opaque ones only.
CREATE TABLE access_tokens (
    id BIGINT PRIMARY KEY,
    secret BYTEA NOT NULL,
    grant_id BIGINT REFERENCES grants ON DELETE CASCADE,
    client_id TEXT COLLATE "C" NOT NULL REFERENCES clients ON DELETE CASCADE,
    scope TEXT NOT NULL,
    audience TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX access_tokens_grant_id ON access_tokens (grant_id);
CREATE INDEX access_tokens_expires_at ON access_tokens (expires_at);

-- Access tokens of any form that ended before their time.
CREATE TABLE revoked_access_tokens (
    id BIGINT PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX revoked_access_tokens_expires_at ON revoked_access_tokens (expires_at);

-- Client assertions that were used.
CREATE TABLE spent_assertions (
    digest BYTEA PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX spent_assertions_expires_at ON spent_assertions (expires_at);

-- Failed sign-ins, counted in a fixed number of slots.
CREATE TABLE attempts (
    slot BIGINT PRIMARY KEY,
    failures BIGINT NOT NULL,
    window_started BIGINT NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE events (
    id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT,
    client_id TEXT,
    user_id BIGINT,
    address TEXT,
    detail TEXT
);

-- The newest refusals, in two rings of 10,000 slots: all nodes take the next place of the same ring.
CREATE TABLE refusals (
    slot BIGINT PRIMARY KEY,
    id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT,
    client_id TEXT,
    user_id BIGINT,
    address TEXT,
    detail TEXT
);
CREATE INDEX refusals_id ON refusals (id);

CREATE SEQUENCE refusals_next CYCLE MINVALUE 0 START 0;
CREATE SEQUENCE refused_sign_ins_next CYCLE MINVALUE 0 START 0;

CREATE FUNCTION grantor_next_refusal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.slot < 10000 THEN
        NEW.slot := nextval('refusals_next') % 10000;
    ELSE
        NEW.slot := 10000 + nextval('refused_sign_ins_next') % 10000;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER next_refusal BEFORE INSERT ON refusals FOR EACH ROW EXECUTE FUNCTION grantor_next_refusal();
