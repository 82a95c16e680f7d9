-- Delivery: decks in the collections of their subscribers (handlers/decks/README.md, "Delivery"). The owner of a row is the deck,
-- as in all tables of this service, so whatever removes a deck or an account removes these rows.

CREATE TABLE decks_deliveries (
  deck_id bigint NOT NULL REFERENCES decks ON DELETE CASCADE,
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  -- keeping, removing: it ends, and its notes stay or go
  state text NOT NULL CHECK (state IN ('on', 'keeping', 'removing')),
  deletes_removed boolean NOT NULL DEFAULT false,   -- notes of removed cards are deleted instead of suspended
  seq bigint NOT NULL DEFAULT 0,                    -- the log up to which the collection has the deck
  -- Changes that devices have made below this usn of this generation have been looked at.
  generation int NOT NULL DEFAULT 0,
  usn int NOT NULL DEFAULT 0,
  homes text NOT NULL DEFAULT '{}',                 -- a JSON object: the id of the deck of each path, whatever its name is by now
  -- The files that the collection has: a hash over their names and contents, and the time of the newest. Null: not begun.
  media_hash bytea CHECK (length(media_hash) = 32),
  media_at timestamptz,
  restores boolean NOT NULL DEFAULT false,          -- notes that the subscriber has deleted come again, until it has all
  problem text NOT NULL DEFAULT '',                 -- why it does not go on; empty: it does
  started_at timestamptz NOT NULL DEFAULT now(),
  delivered_at timestamptz,                         -- when the collection last had all of the deck
  PRIMARY KEY (deck_id, user_id)
);
CREATE INDEX decks_deliveries_user ON decks_deliveries (user_id, deck_id);

-- What a collection has got of each card: the base of the next merge.
CREATE TABLE decks_delivered_notes (
  deck_id bigint NOT NULL REFERENCES decks ON DELETE CASCADE,
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  guid text COLLATE "C" NOT NULL,
  -- there; suspended: its card was removed; deleted: by the subscriber, and never brought back
  state text NOT NULL CHECK (state IN ('there', 'suspended', 'deleted')),
  is_adopted boolean NOT NULL,                      -- the note was there before, and stays when delivery ends
  hash bytea NOT NULL CHECK (length(hash) = 32),    -- of the card as it was delivered
  fields text NOT NULL,                             -- a JSON object of texts, as they were stored
  tags text NOT NULL,                               -- of the card
  older_tags text NOT NULL,                         -- of the card, before those were delivered
  suspended_cards bigint[] NOT NULL DEFAULT '{}',   -- by delivery
  PRIMARY KEY (deck_id, user_id, guid)
);
CREATE INDEX decks_delivered_notes_user ON decks_delivered_notes (user_id, deck_id);
