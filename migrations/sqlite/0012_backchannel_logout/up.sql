-- The session as the app knows it, which stays the same where the grant moves to another one; 0 where it is the one it hangs on.
ALTER TABLE grants ADD COLUMN sid INTEGER NOT NULL DEFAULT 0;

-- Whether the app is told of ends of sessions, by a message or by a frame.
ALTER TABLE clients ADD COLUMN backchannel_logout INTEGER NOT NULL DEFAULT 0;
ALTER TABLE clients ADD COLUMN frontchannel_logout INTEGER NOT NULL DEFAULT 0;

-- What apps are told of ends of sessions, or were. It refers to nothing: an app is told also of a person who is removed.
CREATE TABLE logout_notices (
    sid INTEGER NOT NULL,
    client_id TEXT NOT NULL,
    user_id INTEGER NOT NULL,
    subject TEXT NOT NULL,
    ended_at INTEGER NOT NULL,
    queued_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER,
    over_at INTEGER,
    outcome TEXT,
    error TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (client_id, sid)
) STRICT, WITHOUT ROWID;
CREATE INDEX logout_notices_due ON logout_notices (client_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX logout_notices_user_id ON logout_notices (user_id, ended_at);
CREATE INDEX logout_notices_ended_at ON logout_notices (ended_at);
