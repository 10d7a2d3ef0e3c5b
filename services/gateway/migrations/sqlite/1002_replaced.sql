-- A message that was issued again, because the key that signed it was compromised, names the one it replaces.
ALTER TABLE sent ADD COLUMN replaces BLOB;
CREATE INDEX sent_by_replaced ON sent (agency, replaces) WHERE replaces IS NOT NULL;
ALTER TABLE received ADD COLUMN replaces BLOB;
CREATE INDEX received_by_replaced ON received (recipient, sender, replaces) WHERE replaces IS NOT NULL;
