-- Deliveries follow the note types of their decks, too (handlers/decks/README.md, "Delivery").

-- The note types that the collection has: a hash over their names, fields and designs. Null: not begun.
ALTER TABLE decks_deliveries ADD COLUMN design_hash bytea CHECK (length(design_hash) = 32);

-- The modification times of suspended_cards: one that a device has changed since is suspended by the subscriber.
ALTER TABLE decks_delivered_notes ADD COLUMN suspended_mods bigint[] NOT NULL DEFAULT '{}';

-- What a collection has got of each note type: the base of the next merge. Kept when a delivery ends, because the types stay.
CREATE TABLE decks_delivered_types (
  deck_id bigint NOT NULL REFERENCES decks ON DELETE CASCADE,
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  name_key text COLLATE "C" NOT NULL,               -- as in decks_note_types
  step int NOT NULL,                                -- a type with fields or templates more takes the place of the one before
  notetype_id bigint NOT NULL,                      -- in the collection
  fields text[] NOT NULL,                           -- names, in the order of the collection
  templates text[] NOT NULL,
  known text NOT NULL,                              -- a JSON object: by part of the design, hashes of the texts that were delivered
  PRIMARY KEY (deck_id, user_id, name_key, step)
);
CREATE INDEX decks_delivered_types_user ON decks_delivered_types (user_id, deck_id);
