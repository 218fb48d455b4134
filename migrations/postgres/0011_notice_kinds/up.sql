-- What a notice is about, so that those of one kind do not hide the others.
ALTER TABLE notices ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE notices SET kind = news::json ->> 'kind';
DROP INDEX notices_user_id;
CREATE INDEX notices_user_kind ON notices (user_id, kind, id);

-- What is given up is found without looking at all that waits.
CREATE INDEX outbox_queued_at ON outbox (queued_at);
