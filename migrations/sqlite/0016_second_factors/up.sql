-- What people prove themselves with beside their password: the key of an authenticator app, sealed, the last step of time whose
-- code was used, and the hashes of the recovery codes that are left, one behind the other. A person has one.
CREATE TABLE second_factors (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL UNIQUE REFERENCES users ON DELETE CASCADE,
    sealed BLOB NOT NULL,
    last_step INTEGER NOT NULL,
    recovery BLOB NOT NULL CHECK (length(recovery) % 32 = 0),
    created_at INTEGER NOT NULL
) STRICT;

-- Whether the upstream told when the person had signed in there: else nobody knows how lately they proved who they are.
ALTER TABLE upstream_sessions ADD COLUMN tells_time INTEGER NOT NULL DEFAULT 0;
