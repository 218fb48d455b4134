-- The secret itself, for clients whose method needs it (client_secret_jwt).
ALTER TABLE client_secrets ADD COLUMN sealed BLOB;
