-- Other providers that people sign in through, and whom accounts here are linked with there.
CREATE TABLE upstreams (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    definition TEXT NOT NULL,
    sealed BLOB
) STRICT;

CREATE TABLE upstream_links (
    id INTEGER PRIMARY KEY,
    upstream_id INTEGER NOT NULL REFERENCES upstreams ON DELETE CASCADE,
    authority TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    label TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    UNIQUE (upstream_id, authority, subject)
) STRICT;
CREATE INDEX upstream_links_user_id ON upstream_links (user_id);

-- Sessions that began at an upstream, so that they end when it says so.
CREATE TABLE upstream_sessions (
    session_id INTEGER PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    upstream_id INTEGER NOT NULL REFERENCES upstreams ON DELETE CASCADE,
    subject TEXT NOT NULL,
    sid TEXT
) STRICT;
CREATE INDEX upstream_sessions_subject ON upstream_sessions (upstream_id, subject);
CREATE INDEX upstream_sessions_sid ON upstream_sessions (upstream_id, sid) WHERE sid IS NOT NULL;

-- The address of an account, in lower case, so that it can be found by it.
ALTER TABLE users ADD COLUMN email TEXT;
UPDATE users SET email = lower(json_extract(claims, '$.email')) WHERE json_type(claims, '$.email') = 'text';
CREATE INDEX users_email ON users (email) WHERE email IS NOT NULL;
