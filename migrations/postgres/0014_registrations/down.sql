DROP TABLE registrations;
DROP TABLE initial_access_tokens;
DROP INDEX clients_revision;
ALTER TABLE clients DROP COLUMN revision;
