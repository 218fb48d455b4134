-- Until when the secret before counts, where the one after it is never used: a day, and for those that are there a day from now.
ALTER TABLE registrations ADD COLUMN replaced_until BIGINT;
UPDATE registrations SET replaced_until = CAST(extract(epoch FROM now()) AS BIGINT) * 1000 + 86400000 WHERE replaced_secret IS NOT NULL;

-- The names of people who were removed, as keyed hashes: nobody makes an account of one for themselves.
CREATE TABLE retired_usernames (
    digest BYTEA PRIMARY KEY,
    retired_at BIGINT NOT NULL
);
