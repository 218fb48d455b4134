DROP TABLE logout_notices;
ALTER TABLE clients DROP COLUMN frontchannel_logout;
ALTER TABLE clients DROP COLUMN backchannel_logout;
ALTER TABLE grants DROP COLUMN sid;
