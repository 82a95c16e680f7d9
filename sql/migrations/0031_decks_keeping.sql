-- Decks: their texts count against the quota of the owner; note types and files that were replaced can be brought back; nobody is
-- made a maintainer unasked; notes that get new guids are recognised.

-- About what a card, or one of its versions, takes with its row, its index entry and its texts.
CREATE FUNCTION decks_row_bytes(fields text, tags text) RETURNS bigint
  LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 250 + octet_length(fields) + octet_length(tags);

-- Of cards, their versions, the log, and note types with their versions. Kept by whoever holds the lock of the deck.
ALTER TABLE decks ADD COLUMN text_bytes bigint NOT NULL DEFAULT 0;
UPDATE decks d SET text_bytes =
  coalesce((SELECT sum(decks_row_bytes(c.fields, c.tags)) FROM decks_cards c WHERE c.deck_id = d.deck_id), 0)
  + coalesce((SELECT sum(decks_row_bytes(v.fields, v.tags)) FROM decks_card_versions v WHERE v.deck_id = d.deck_id), 0)
  + coalesce((SELECT sum(200 + octet_length(l.old_value)) FROM decks_changes l WHERE l.deck_id = d.deck_id), 0)
  + coalesce((SELECT sum(250 + octet_length(coalesce(t.definition, ''))) FROM decks_note_types t WHERE t.deck_id = d.deck_id), 0);

CREATE OR REPLACE VIEW account_bytes AS
  SELECT user_id, service, bytes FROM usage
   UNION ALL
  SELECT c.user_id, 'anki'::text,
         anki_row_bytes(c.cards, c.notes, c.revlog)
         + coalesce(c.content_bytes, 0)
         + coalesce((SELECT octet_length(f.config) FROM anki_config f
                      WHERE f.user_id = c.user_id AND f.generation = c.generation), 0)
    FROM anki_collections c
   UNION ALL
  SELECT m.user_id, 'anki_media'::text, m.row_bytes FROM anki_media m
   UNION ALL
  SELECT d.user_id, 'decks'::text, d.text_bytes FROM decks d WHERE d.deleted_at IS NULL;

-- Of its note type and its first field, by which Anki tells notes apart whose guids differ. Null: not known.
ALTER TABLE decks_cards ADD COLUMN first_key bigint;

-- A note type as it was at the end of each version that changed it. Version 0: since before they were kept.
CREATE TABLE decks_note_type_versions (
  deck_id bigint NOT NULL REFERENCES decks ON DELETE CASCADE,
  name_key text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  fields text[] NOT NULL,
  definition text,
  PRIMARY KEY (deck_id, name_key, version)
);
INSERT INTO decks_note_type_versions (deck_id, name_key, version, fields, definition)
SELECT deck_id, name_key, 0, fields, definition FROM decks_note_types;

-- What a file of a deck was until it was replaced, and the version that the deck had then. Each row holds a reference of its blob.
CREATE TABLE decks_replaced_media (
  deck_id bigint NOT NULL REFERENCES decks ON DELETE CASCADE,
  name text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  sha256 bytea NOT NULL CHECK (length(sha256) = 32),
  blob_id bigint NOT NULL,
  size_bytes bigint NOT NULL,
  replaced_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (deck_id, name, version, sha256)
);
CREATE INDEX decks_replaced_media_content ON decks_replaced_media (deck_id, sha256);

-- Who was asked to become a maintainer. Whoever has declined is not asked again for a while.
CREATE TABLE decks_invitations (
  deck_id bigint NOT NULL REFERENCES decks ON DELETE CASCADE,
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  invited_at timestamptz NOT NULL DEFAULT now(),
  declined_at timestamptz,
  PRIMARY KEY (deck_id, user_id)
);
CREATE INDEX decks_invitations_user ON decks_invitations (user_id, deck_id);

-- For those that are taken back.
CREATE INDEX decks_notices_invited ON decks_notices (user_id, deck_public_id) WHERE type = 'maintainer_invited';

-- For what is forgotten after a while.
CREATE INDEX decks_notices_read ON decks_notices (read_at) WHERE read_at IS NOT NULL;
