-- Keys of apps that had ended, of apps that are gone: a declaration that still names one does not bring it back.
CREATE TABLE ended_keys (
    id INTEGER PRIMARY KEY,
    ended_at INTEGER NOT NULL
) STRICT;
