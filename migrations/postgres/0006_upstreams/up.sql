-- Other providers that people sign in through, and whom accounts here are linked with there.
CREATE TABLE upstreams (
    id BIGINT PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    definition TEXT NOT NULL,
    sealed BYTEA
);

CREATE TABLE upstream_links (
    id BIGINT PRIMARY KEY,
    upstream_id BIGINT NOT NULL REFERENCES upstreams ON DELETE CASCADE,
    authority TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users ON DELETE CASCADE,
    label TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    UNIQUE (upstream_id, authority, subject)
) WITH (fillfactor = 80);
CREATE INDEX upstream_links_user_id ON upstream_links (user_id);

-- Sessions that began at an upstream, so that they end when it says so.
CREATE TABLE upstream_sessions (
    session_id BIGINT PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    upstream_id BIGINT NOT NULL REFERENCES upstreams ON DELETE CASCADE,
    subject TEXT COLLATE "C" NOT NULL,
    sid TEXT COLLATE "C"
);
CREATE INDEX upstream_sessions_subject ON upstream_sessions (upstream_id, subject);
CREATE INDEX upstream_sessions_sid ON upstream_sessions (upstream_id, sid) WHERE sid IS NOT NULL;

-- The address of an account, in lower case, so that it can be found by it.
ALTER TABLE users ADD COLUMN email TEXT COLLATE "C";
UPDATE users SET email = lower((claims::json ->> 'email') COLLATE "C") WHERE json_typeof(claims::json -> 'email') = 'string';
CREATE INDEX users_email ON users (email) WHERE email IS NOT NULL;
