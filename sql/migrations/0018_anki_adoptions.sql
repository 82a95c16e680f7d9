-- Accounts taken over from the folder of an official sync server of Anki (handlers/anki/moving).

-- A key that another server has issued: it does not name its account, so it is looked up among all of them.
ALTER TABLE devices ADD COLUMN is_foreign boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX devices_foreign_key ON devices (key_hash) WHERE is_foreign;

-- One row for each account taken over, from before its first step: what is unfinished goes on where it was.
CREATE TABLE anki_adoptions (
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  is_new_account boolean NOT NULL,            -- made for this, so it gets the old password
  began_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  PRIMARY KEY (user_id)
);
