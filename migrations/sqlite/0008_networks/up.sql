-- From where people may sign in and be served: each by themselves, and by the groups that they are in.
ALTER TABLE users ADD COLUMN networks TEXT NOT NULL DEFAULT '[]';
CREATE TABLE groups (
    name TEXT PRIMARY KEY NOT NULL,
    definition TEXT NOT NULL
) STRICT;
