-- Apps behind a proxy that asks about each request.
CREATE TABLE proxied_apps (
    name TEXT PRIMARY KEY NOT NULL,
    definition TEXT NOT NULL
) STRICT;
