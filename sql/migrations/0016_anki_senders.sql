-- Networks from which a client of a version before 11 has lately sent a valid key (handlers/anki/sender_store.h). nginx takes large
-- bodies of such clients only from these, because the key is in the body.
CREATE UNLOGGED TABLE anki_senders (
  network bytea PRIMARY KEY,                  -- SHA-256 of it
  seen_at timestamptz NOT NULL
);
