-- What people and services keep for scripts and tools: a person's is a personal access token, a client's an API key.
CREATE TABLE api_tokens (
    id BIGINT PRIMARY KEY,
    user_id BIGINT REFERENCES users ON DELETE CASCADE,
    client_id TEXT COLLATE "C" REFERENCES clients ON DELETE CASCADE,
    name TEXT NOT NULL,
    secret BYTEA NOT NULL,
    replaced_secret BYTEA,
    replaced_until BIGINT,
    scope TEXT NOT NULL,
    resource TEXT,
    networks TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    ended_reason TEXT,
    last_used_at BIGINT,
    last_used_from TEXT,
    CHECK ((user_id IS NULL) <> (client_id IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX api_tokens_user_id ON api_tokens (user_id);
CREATE INDEX api_tokens_client_id ON api_tokens (client_id);
CREATE INDEX api_tokens_expires_at ON api_tokens (expires_at);
CREATE INDEX api_tokens_ended_at ON api_tokens (ended_at) WHERE ended_at IS NOT NULL;
