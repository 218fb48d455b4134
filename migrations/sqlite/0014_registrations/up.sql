-- The revision of the directory with which a client came to be as it is, so that not all have to be read again for one.
ALTER TABLE clients ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
UPDATE clients SET revision = (SELECT revision FROM directory_revision);
CREATE INDEX clients_revision ON clients (revision);

-- What a client may be registered with: so many times, until a moment. `uses_left` never falls below none.
CREATE TABLE initial_access_tokens (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    uses_left INTEGER NOT NULL CHECK (uses_left >= 0),
    ended_at INTEGER
) STRICT;

-- Clients that registered themselves, and the token that each manages itself with. The initial access token may be gone before
-- the client: no reference.
CREATE TABLE registrations (
    id INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL UNIQUE REFERENCES clients ON DELETE CASCADE,
    secret BLOB NOT NULL,
    replaced_secret BLOB,
    address TEXT NOT NULL,
    initial_access_token_id INTEGER,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX registrations_address ON registrations (address);
