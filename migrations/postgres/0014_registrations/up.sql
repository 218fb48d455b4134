-- The revision of the directory with which a client came to be as it is, so that not all have to be read again for one.
ALTER TABLE clients ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
UPDATE clients SET revision = (SELECT revision FROM directory_revision);
CREATE INDEX clients_revision ON clients (revision);

-- What a client may be registered with: so many times, until a moment. `uses_left` never falls below none.
CREATE TABLE initial_access_tokens (
    id BIGINT PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    secret BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    uses BIGINT NOT NULL,
    uses_left BIGINT NOT NULL CHECK (uses_left >= 0),
    ended_at BIGINT
);

-- Clients that registered themselves, and the token that each manages itself with. The initial access token may be gone before
-- the client: no reference.
CREATE TABLE registrations (
    id BIGINT PRIMARY KEY,
    client_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES clients ON DELETE CASCADE,
    secret BYTEA NOT NULL,
    replaced_secret BYTEA,
    address TEXT COLLATE "C" NOT NULL,
    initial_access_token_id BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX registrations_address ON registrations (address);
