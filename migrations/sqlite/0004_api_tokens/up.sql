-- What people and services keep for scripts and tools: a person's is a personal access token, a client's an API key.
CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY,
    user_id INTEGER REFERENCES users ON DELETE CASCADE,
    client_id TEXT REFERENCES clients ON DELETE CASCADE,
    name TEXT NOT NULL,
    secret BLOB NOT NULL,
    replaced_secret BLOB,
    replaced_until INTEGER,
    scope TEXT NOT NULL,
    resource TEXT,
    networks TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    rotated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_reason TEXT,
    last_used_at INTEGER,
    last_used_from TEXT,
    CHECK ((user_id IS NULL) <> (client_id IS NULL))
) STRICT;
CREATE INDEX api_tokens_user_id ON api_tokens (user_id);
CREATE INDEX api_tokens_client_id ON api_tokens (client_id);
CREATE INDEX api_tokens_expires_at ON api_tokens (expires_at);
CREATE INDEX api_tokens_ended_at ON api_tokens (ended_at) WHERE ended_at IS NOT NULL;
