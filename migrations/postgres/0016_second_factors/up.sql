-- What people prove themselves with beside their password: the key of an authenticator app, sealed, the last step of time whose
-- code was used, and the hashes of the recovery codes that are left, one behind the other. A person has one.
CREATE TABLE second_factors (
    id BIGINT PRIMARY KEY,
    user_id BIGINT NOT NULL UNIQUE REFERENCES users ON DELETE CASCADE,
    sealed BYTEA NOT NULL,
    last_step BIGINT NOT NULL,
    recovery BYTEA NOT NULL CHECK (length(recovery) % 32 = 0),
    created_at BIGINT NOT NULL
);

-- Whether the upstream told when the person had signed in there: else nobody knows how lately they proved who they are.
ALTER TABLE upstream_sessions ADD COLUMN tells_time BIGINT NOT NULL DEFAULT 0;
