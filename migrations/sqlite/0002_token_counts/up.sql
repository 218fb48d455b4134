-- Tokens issued, counted by day, app and grant type: routine issues are no events of their own.
CREATE TABLE token_counts (
    day INTEGER NOT NULL,
    client_id TEXT NOT NULL,
    grant_type TEXT NOT NULL,
    issued INTEGER NOT NULL,
    PRIMARY KEY (client_id, day, grant_type)
) STRICT, WITHOUT ROWID;
