-- The Anki collection.
--
-- A collection has generations: a full upload or a restore begins a new one beside the old one, so that no upload waits
-- for rows to be deleted and a replaced collection can be kept. Every row table begins with (user_id, generation).
-- A generation begins with a base file (what was uploaded, or an empty collection); rows with usn >= base_usn are newer
-- than the file. Cards, notes and reviews of the file become rows afterwards, in a job.

CREATE TABLE anki_collections (
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  generation int NOT NULL,
  created_s bigint NOT NULL,                  -- crt
  mod_ms bigint NOT NULL,
  schema_ms bigint NOT NULL,                  -- scm
  usn int NOT NULL CHECK (usn >= 0),          -- the one that objects of the next sync get
  -- How many rows there are, kept by every finish: the sanity check counts nothing. While the file is being imported
  -- they include its rows.
  cards bigint NOT NULL CHECK (cards >= 0),
  notes bigint NOT NULL CHECK (notes >= 0),
  revlog bigint NOT NULL CHECK (revlog >= 0),
  notetypes bigint NOT NULL CHECK (notetypes >= 0),
  decks bigint NOT NULL CHECK (decks >= 0),
  deck_configs bigint NOT NULL CHECK (deck_configs >= 0),
  -- The usn of the newest row of a kind: what a client has already seen is not even looked for.
  cards_usn int NOT NULL,
  notes_usn int NOT NULL,
  revlog_usn int NOT NULL,
  graves_usn int NOT NULL,
  objects_usn int NOT NULL,
  tags_usn int NOT NULL,
  base_blob bigint NOT NULL,                  -- one zstd frame
  base_bytes bigint NOT NULL,                 -- of the file inside
  base_usn int NOT NULL,
  base_mod_ms bigint NOT NULL,
  base_schema_ms bigint NOT NULL,
  unburied_since_base boolean NOT NULL DEFAULT false,  -- the only change of rows that does not touch their usn
  import_step smallint NOT NULL CHECK (import_step BETWEEN 0 AND 3),  -- 0 cards, 1 notes, 2 revlog, 3 done
  import_after bigint NOT NULL DEFAULT 0,     -- ids up to here have been imported in this step
  PRIMARY KEY (user_id)
);

-- Collections that were replaced, kept for the retention time. Same columns; see anki_collections.
CREATE TABLE anki_history (
  LIKE anki_collections INCLUDING CONSTRAINTS,
  replaced_at timestamptz NOT NULL DEFAULT now(),
  is_archived boolean NOT NULL DEFAULT false, -- its state is in base_blob, its rows are gone
  PRIMARY KEY (user_id, generation),
  FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE
);

CREATE TABLE anki_config (
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  generation int NOT NULL,
  config text NOT NULL,                       -- one JSON object as received: a sync replaces all of it
  PRIMARY KEY (user_id, generation)
);

-- Notetypes (kind 0), decks (1), deck configs (2): JSON as received, as text: jsonb would reorder and refuse \u0000.
CREATE TABLE anki_objects (
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  generation int NOT NULL,
  kind smallint NOT NULL CHECK (kind BETWEEN 0 AND 2),
  id bigint NOT NULL,
  mod bigint NOT NULL,
  usn int NOT NULL CHECK (usn >= 0),
  field_count int NOT NULL,                   -- of a notetype
  template_count int NOT NULL,
  name text NOT NULL,
  name_key text NOT NULL,                     -- case-folded: clients hold names unique by it
  json text NOT NULL,
  PRIMARY KEY (user_id, generation, kind, id)
);

CREATE TABLE anki_tags (
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  generation int NOT NULL,
  name_key text NOT NULL,
  name text NOT NULL,
  usn int NOT NULL CHECK (usn >= 0),
  PRIMARY KEY (user_id, generation, name_key)
);

CREATE TABLE anki_cards (
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  id bigint NOT NULL,
  note_id bigint NOT NULL,                    -- no foreign key: a client may send a card before or without its note
  deck_id bigint NOT NULL,
  mod bigint NOT NULL,
  interval bigint NOT NULL,
  reps bigint NOT NULL,
  lapses bigint NOT NULL,
  remaining bigint NOT NULL,                  -- "left" in Anki
  original_deck_id bigint NOT NULL,
  generation int NOT NULL,
  ord int NOT NULL,
  usn int NOT NULL CHECK (usn >= 0),
  due int NOT NULL,
  original_due int NOT NULL,
  factor int NOT NULL,
  type smallint NOT NULL,
  queue smallint NOT NULL,
  flags smallint NOT NULL,
  data text NOT NULL,
  PRIMARY KEY (user_id, generation, id)
) WITH (fillfactor = 90);
CREATE INDEX anki_cards_usn ON anki_cards (user_id, generation, usn, id);
CREATE INDEX anki_cards_buried ON anki_cards (user_id, generation) WHERE queue IN (-2, -3);

CREATE TABLE anki_notes (
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  id bigint NOT NULL,
  notetype_id bigint NOT NULL,
  mod bigint NOT NULL,
  generation int NOT NULL,
  usn int NOT NULL CHECK (usn >= 0),
  guid text NOT NULL,                         -- not unique: real collections have duplicates
  tags text NOT NULL,
  fields text NOT NULL,                       -- joined by U+001F; sfld and csum are computed where a file is written
  PRIMARY KEY (user_id, generation, id)
);
CREATE INDEX anki_notes_usn ON anki_notes (user_id, generation, usn, id);

CREATE TABLE anki_revlog (
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  id bigint NOT NULL,
  card_id bigint NOT NULL,
  factor bigint NOT NULL,
  taken_ms bigint NOT NULL,
  generation int NOT NULL,
  usn int NOT NULL CHECK (usn >= 0),
  interval int NOT NULL,
  last_interval int NOT NULL,
  ease smallint NOT NULL,
  type smallint NOT NULL,
  PRIMARY KEY (user_id, generation, id)
);
CREATE INDEX anki_revlog_usn ON anki_revlog (user_id, generation, usn, id);

-- What was deleted: kind 0 card, 1 note, 2 deck, as in Anki.
CREATE TABLE anki_graves (
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  generation int NOT NULL,
  kind smallint NOT NULL CHECK (kind BETWEEN 0 AND 2),
  id bigint NOT NULL,
  usn int NOT NULL CHECK (usn >= 0),
  PRIMARY KEY (user_id, generation, kind, id)
);
CREATE INDEX anki_graves_usn ON anki_graves (user_id, generation, usn);

-- A sync that is under way, and what its client has sent: invisible to everybody until finish applies it. Unlogged:
-- after a crash of PostgreSQL they are gone, which is "cleanly absent", and writing them waits for no disk.
CREATE UNLOGGED TABLE anki_sessions (
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  session_key text NOT NULL,
  fence bigint GENERATED ALWAYS AS IDENTITY,  -- new for every start: rows staged by an older session are never applied
  generation int NOT NULL,
  server_usn int NOT NULL,
  client_usn int NOT NULL,
  client_is_newer boolean NOT NULL,
  unbury_day int,                             -- null: nothing to unbury
  to_send int NOT NULL,                       -- bits: kinds with rows the client has not seen (see session_store.h)
  staged int NOT NULL DEFAULT 0,              -- bits: kinds the client has sent
  sent_usn int NOT NULL DEFAULT -1,           -- (usn, id) of the last row sent of the kind being sent
  sent_id bigint NOT NULL DEFAULT 0,
  new_notetypes int NOT NULL DEFAULT 0,
  new_decks int NOT NULL DEFAULT 0,
  new_deck_configs int NOT NULL DEFAULT 0,
  has_changes boolean NOT NULL DEFAULT false, -- applyChanges was here and brought something
  config text,
  created_s bigint,
  counts bigint[],                            -- the collection's counters after applying; null: not computed yet
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (user_id)
) WITH (fillfactor = 50);

-- One row per message; the columns of the objects are arrays of equal length.
CREATE UNLOGGED TABLE anki_staged_cards (
  user_id bigint NOT NULL,
  fence bigint NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  ids bigint[] NOT NULL, note_ids bigint[] NOT NULL, deck_ids bigint[] NOT NULL, ords int[] NOT NULL, mods bigint[] NOT NULL,
  types smallint[] NOT NULL, queues smallint[] NOT NULL, dues int[] NOT NULL, intervals bigint[] NOT NULL,
  factors int[] NOT NULL, reps bigint[] NOT NULL, lapses bigint[] NOT NULL, remainings bigint[] NOT NULL,
  original_dues int[] NOT NULL, original_deck_ids bigint[] NOT NULL, flags smallint[] NOT NULL, datas text[] NOT NULL,
  PRIMARY KEY (user_id, fence, seq)
);
CREATE UNLOGGED TABLE anki_staged_notes (
  user_id bigint NOT NULL,
  fence bigint NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  ids bigint[] NOT NULL, guids text[] NOT NULL, notetype_ids bigint[] NOT NULL, mods bigint[] NOT NULL,
  tags text[] NOT NULL, fields text[] NOT NULL,
  PRIMARY KEY (user_id, fence, seq)
);
CREATE UNLOGGED TABLE anki_staged_revlog (
  user_id bigint NOT NULL,
  fence bigint NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  ids bigint[] NOT NULL, card_ids bigint[] NOT NULL, eases smallint[] NOT NULL, intervals int[] NOT NULL,
  last_intervals int[] NOT NULL, factors bigint[] NOT NULL, taken_mss bigint[] NOT NULL, types smallint[] NOT NULL,
  PRIMARY KEY (user_id, fence, seq)
);
-- Staged for seconds: compressing the arrays would cost more than it saves.
ALTER TABLE anki_staged_cards
  ALTER COLUMN ids SET STORAGE EXTERNAL,
  ALTER COLUMN note_ids SET STORAGE EXTERNAL,
  ALTER COLUMN deck_ids SET STORAGE EXTERNAL,
  ALTER COLUMN ords SET STORAGE EXTERNAL,
  ALTER COLUMN mods SET STORAGE EXTERNAL,
  ALTER COLUMN types SET STORAGE EXTERNAL,
  ALTER COLUMN queues SET STORAGE EXTERNAL,
  ALTER COLUMN dues SET STORAGE EXTERNAL,
  ALTER COLUMN intervals SET STORAGE EXTERNAL,
  ALTER COLUMN factors SET STORAGE EXTERNAL,
  ALTER COLUMN reps SET STORAGE EXTERNAL,
  ALTER COLUMN lapses SET STORAGE EXTERNAL,
  ALTER COLUMN remainings SET STORAGE EXTERNAL,
  ALTER COLUMN original_dues SET STORAGE EXTERNAL,
  ALTER COLUMN original_deck_ids SET STORAGE EXTERNAL,
  ALTER COLUMN flags SET STORAGE EXTERNAL,
  ALTER COLUMN datas SET STORAGE EXTERNAL;
ALTER TABLE anki_staged_notes
  ALTER COLUMN ids SET STORAGE EXTERNAL,
  ALTER COLUMN guids SET STORAGE EXTERNAL,
  ALTER COLUMN notetype_ids SET STORAGE EXTERNAL,
  ALTER COLUMN mods SET STORAGE EXTERNAL,
  ALTER COLUMN tags SET STORAGE EXTERNAL,
  ALTER COLUMN fields SET STORAGE EXTERNAL;
ALTER TABLE anki_staged_revlog
  ALTER COLUMN ids SET STORAGE EXTERNAL,
  ALTER COLUMN card_ids SET STORAGE EXTERNAL,
  ALTER COLUMN eases SET STORAGE EXTERNAL,
  ALTER COLUMN intervals SET STORAGE EXTERNAL,
  ALTER COLUMN last_intervals SET STORAGE EXTERNAL,
  ALTER COLUMN factors SET STORAGE EXTERNAL,
  ALTER COLUMN taken_mss SET STORAGE EXTERNAL,
  ALTER COLUMN types SET STORAGE EXTERNAL;
CREATE UNLOGGED TABLE anki_staged_graves (
  user_id bigint NOT NULL,
  fence bigint NOT NULL,
  kind smallint NOT NULL,
  id bigint NOT NULL,
  PRIMARY KEY (user_id, fence, kind, id)
);
CREATE UNLOGGED TABLE anki_staged_objects (
  user_id bigint NOT NULL,
  fence bigint NOT NULL,
  kind smallint NOT NULL,
  id bigint NOT NULL,
  mod bigint NOT NULL,
  field_count int NOT NULL,
  template_count int NOT NULL,
  name text NOT NULL,
  name_key text NOT NULL,
  json text NOT NULL,
  PRIMARY KEY (user_id, fence, kind, id)
);
CREATE UNLOGGED TABLE anki_staged_tags (
  user_id bigint NOT NULL,
  fence bigint NOT NULL,
  name_key text NOT NULL,
  name text NOT NULL,
  PRIMARY KEY (user_id, fence, name_key)
);
