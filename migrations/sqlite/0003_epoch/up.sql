-- When everything that had been issued was ended, as after a restore; NULL where that never was.
ALTER TABLE root_secret ADD COLUMN epoch_at INTEGER;
