-- What people shall know of their accounts. It stands there until they dismiss it, or for some months.
CREATE TABLE notices (
    id BIGINT PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users ON DELETE CASCADE,
    at BIGINT NOT NULL,
    news TEXT NOT NULL,
    dismissed_at BIGINT
);
CREATE INDEX notices_user_id ON notices (user_id);

-- Messages that are to be delivered, or were given up: `id` is that of the event or the notice that they tell of.
CREATE TABLE outbox (
    target TEXT COLLATE "C" NOT NULL,
    id BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    queued_at BIGINT NOT NULL,
    due_at BIGINT,
    error TEXT NOT NULL,
    PRIMARY KEY (target, id)
);
CREATE INDEX outbox_due ON outbox (target, due_at);

-- What is known of an API token beside itself: of which expiry its owner was told, and the networks that it was used in.
CREATE TABLE api_token_watches (
    token_id BIGINT PRIMARY KEY REFERENCES api_tokens ON DELETE CASCADE,
    expiry_told BIGINT,
    networks TEXT NOT NULL,
    quiet_until BIGINT NOT NULL,
    revision BIGINT NOT NULL
) WITH (fillfactor = 80);
