-- Tokens issued, counted by day, app and grant type: routine issues are no events of their own.
CREATE TABLE token_counts (
    day BIGINT NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    grant_type TEXT COLLATE "C" NOT NULL,
    issued BIGINT NOT NULL,
    PRIMARY KEY (client_id, day, grant_type)
) WITH (fillfactor = 50);
