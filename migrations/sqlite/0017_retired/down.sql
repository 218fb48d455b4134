DROP TABLE retired_usernames;
ALTER TABLE registrations DROP COLUMN replaced_until;
