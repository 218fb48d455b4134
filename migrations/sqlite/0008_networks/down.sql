DROP TABLE groups;
ALTER TABLE users DROP COLUMN networks;
