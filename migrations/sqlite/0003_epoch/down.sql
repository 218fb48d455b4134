ALTER TABLE root_secret DROP COLUMN epoch_at;
