DROP INDEX outbox_queued_at;
DROP INDEX notices_user_kind;
CREATE INDEX notices_user_id ON notices (user_id);
ALTER TABLE notices DROP COLUMN kind;
