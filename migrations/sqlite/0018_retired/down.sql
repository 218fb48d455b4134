ALTER TABLE registrations DROP COLUMN replaced_until;
