DROP INDEX users_email;
ALTER TABLE users DROP COLUMN email;
DROP TABLE upstream_sessions;
DROP TABLE upstream_links;
DROP TABLE upstreams;
