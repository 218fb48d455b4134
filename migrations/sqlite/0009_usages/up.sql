-- What approvals, API tokens and clients were used for, by day. `origin` is the grant or the API token, 0 where a client acts for
-- itself; `client_id` is empty for a person's own token, and refers to nothing: what a removed client did is still told.
CREATE TABLE usages (
    origin INTEGER NOT NULL,
    client_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    scope TEXT NOT NULL,
    audience TEXT NOT NULL,
    network TEXT NOT NULL,
    user_id INTEGER REFERENCES users ON DELETE CASCADE,
    uses INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (origin, client_id, day, scope, audience, network)
) STRICT, WITHOUT ROWID;
CREATE INDEX usages_user_id ON usages (user_id, day);
CREATE INDEX usages_client_id ON usages (client_id, day);
CREATE INDEX usages_day ON usages (day, origin);
