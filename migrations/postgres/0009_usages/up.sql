-- What approvals, API tokens and clients were used for, by day. `origin` is the grant or the API token, 0 where a client acts for
-- itself; `client_id` is empty for a person's own token, and refers to nothing: what a removed client did is still told.
CREATE TABLE usages (
    origin BIGINT NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    day BIGINT NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    audience TEXT COLLATE "C" NOT NULL,
    network TEXT COLLATE "C" NOT NULL,
    user_id BIGINT REFERENCES users ON DELETE CASCADE,
    uses BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (origin, client_id, day, scope, audience, network)
) WITH (fillfactor = 80);
CREATE INDEX usages_user_id ON usages (user_id, day);
CREATE INDEX usages_client_id ON usages (client_id, day);
CREATE INDEX usages_day ON usages (day, origin);
