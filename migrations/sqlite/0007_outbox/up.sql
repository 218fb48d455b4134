-- What people shall know of their accounts. It stands there until they dismiss it, or for some months.
CREATE TABLE notices (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    at INTEGER NOT NULL,
    news TEXT NOT NULL,
    dismissed_at INTEGER
) STRICT;
CREATE INDEX notices_user_id ON notices (user_id);

-- Messages that are to be delivered, or were given up: `id` is that of the event or the notice that they tell of.
CREATE TABLE outbox (
    target TEXT NOT NULL,
    id INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    queued_at INTEGER NOT NULL,
    due_at INTEGER,
    error TEXT NOT NULL,
    PRIMARY KEY (target, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (target, due_at);

-- What is known of an API token beside itself: of which expiry its owner was told, and the networks that it was used in.
CREATE TABLE api_token_watches (
    token_id INTEGER PRIMARY KEY REFERENCES api_tokens ON DELETE CASCADE,
    expiry_told INTEGER,
    networks TEXT NOT NULL,
    quiet_until INTEGER NOT NULL,
    revision INTEGER NOT NULL
) STRICT;
