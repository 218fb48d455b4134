-- Apps behind a proxy that asks about each request.
CREATE TABLE proxied_apps (
    name TEXT COLLATE "C" PRIMARY KEY,
    definition TEXT NOT NULL
);
