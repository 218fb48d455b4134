ALTER TABLE users DROP COLUMN self_made;
