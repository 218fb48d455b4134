ALTER TABLE upstream_sessions DROP COLUMN tells_time;
DROP TABLE second_factors;
