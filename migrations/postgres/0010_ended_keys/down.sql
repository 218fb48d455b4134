DROP TABLE ended_keys;
