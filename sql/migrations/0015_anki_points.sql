-- Every sync can be undone for the retention time: what it replaced, deleted or added is kept, as arrays of many rows. Also
-- of replaced collections, whose rows are gone.

-- A committed sync that changed something.
CREATE TABLE anki_points (
  user_id bigint NOT NULL,
  generation int NOT NULL,
  usn int NOT NULL,                           -- of the sync
  finished_at timestamptz NOT NULL DEFAULT now(),
  device_id bigint,                           -- null: not by a device
  created_s bigint NOT NULL,                  -- crt before the sync
  during_import boolean NOT NULL,             -- what it replaced may have been in the base file only, and is not kept
  bytes bigint NOT NULL,                      -- of all that is kept of this sync
  PRIMARY KEY (user_id, generation, usn)
);

-- Rows before the sync with usn at_usn, in pieces of about a megabyte. piece: 0 and up: what it replaced (an element is null
-- where there was nothing; absent has those ids); -1 and down: what it deleted; -1000001 and down: cards that it unburied.
-- A card may be in several: the lowest piece has the state before the sync.
CREATE TABLE anki_old_cards (
  user_id bigint NOT NULL,
  generation int NOT NULL,
  at_usn int NOT NULL,
  piece bigint NOT NULL,
  bytes bigint NOT NULL,
  absent bigint[],
  ids bigint[] COMPRESSION lz4 NOT NULL,
  note_ids bigint[] COMPRESSION lz4 NOT NULL,
  deck_ids bigint[] COMPRESSION lz4 NOT NULL,
  ords int[] COMPRESSION lz4 NOT NULL,
  mods bigint[] COMPRESSION lz4 NOT NULL,
  usns int[] COMPRESSION lz4 NOT NULL,
  types smallint[] COMPRESSION lz4 NOT NULL,
  queues smallint[] COMPRESSION lz4 NOT NULL,
  dues int[] COMPRESSION lz4 NOT NULL,
  intervals bigint[] COMPRESSION lz4 NOT NULL,
  factors int[] COMPRESSION lz4 NOT NULL,
  reps bigint[] COMPRESSION lz4 NOT NULL,
  lapses bigint[] COMPRESSION lz4 NOT NULL,
  remainings bigint[] COMPRESSION lz4 NOT NULL,
  original_dues int[] COMPRESSION lz4 NOT NULL,
  original_deck_ids bigint[] COMPRESSION lz4 NOT NULL,
  flags smallint[] COMPRESSION lz4 NOT NULL,
  datas text[] COMPRESSION lz4 NOT NULL,
  PRIMARY KEY (user_id, generation, at_usn, piece)
);
CREATE TABLE anki_old_notes (
  user_id bigint NOT NULL,
  generation int NOT NULL,
  at_usn int NOT NULL,
  piece bigint NOT NULL,
  bytes bigint NOT NULL,
  absent bigint[],
  ids bigint[] NOT NULL,
  guids text[] COMPRESSION lz4 NOT NULL,
  notetype_ids bigint[] COMPRESSION lz4 NOT NULL,
  mods bigint[] COMPRESSION lz4 NOT NULL,
  usns int[] COMPRESSION lz4 NOT NULL,
  tags text[] COMPRESSION lz4 NOT NULL,
  fields text[] COMPRESSION lz4 NOT NULL,
  PRIMARY KEY (user_id, generation, at_usn, piece)
);
-- Columns as in anki_objects; null: there was none.
CREATE TABLE anki_old_objects (
  user_id bigint NOT NULL,
  generation int NOT NULL,
  at_usn int NOT NULL,
  kind smallint NOT NULL,
  id bigint NOT NULL,
  bytes bigint NOT NULL,
  mod bigint,
  usn int,
  field_count int,
  template_count int,
  name text,
  json text COMPRESSION lz4,
  PRIMARY KEY (user_id, generation, at_usn, kind, id)
);
-- Names of tags that the sync added.
CREATE TABLE anki_old_tags (
  user_id bigint NOT NULL,
  generation int NOT NULL,
  at_usn int NOT NULL,
  bytes bigint NOT NULL,
  absent text[] COMPRESSION lz4 NOT NULL,
  PRIMARY KEY (user_id, generation, at_usn)
);
CREATE TABLE anki_old_configs (
  user_id bigint NOT NULL,
  generation int NOT NULL,
  at_usn int NOT NULL,
  bytes bigint NOT NULL,
  config text COMPRESSION lz4 NOT NULL,
  PRIMARY KEY (user_id, generation, at_usn)
);

-- The sum of anki_points.bytes, of all generations. It does not count against the quota: a deletion would free nothing for
-- weeks. Instead it may take what the quota has left (forget_oldest_points).
ALTER TABLE anki_collections ADD COLUMN history_bytes bigint NOT NULL DEFAULT 0;

-- Deletes the points of an account up to one of them, and what they have kept. The caller holds the collection's lock.
CREATE FUNCTION forget_anki_points(owner bigint, last_generation int, last_usn int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  freed bigint;
BEGIN
  DELETE FROM anki_old_cards WHERE user_id = owner AND (generation, at_usn) <= (last_generation, last_usn);
  DELETE FROM anki_old_notes WHERE user_id = owner AND (generation, at_usn) <= (last_generation, last_usn);
  DELETE FROM anki_old_objects WHERE user_id = owner AND (generation, at_usn) <= (last_generation, last_usn);
  DELETE FROM anki_old_tags WHERE user_id = owner AND (generation, at_usn) <= (last_generation, last_usn);
  DELETE FROM anki_old_configs WHERE user_id = owner AND (generation, at_usn) <= (last_generation, last_usn);
  WITH points AS (
    DELETE FROM anki_points WHERE user_id = owner AND (generation, usn) <= (last_generation, last_usn) RETURNING bytes
  ) SELECT coalesce(sum(bytes), 0) INTO freed FROM points;
  UPDATE anki_collections SET history_bytes = history_bytes - freed WHERE user_id = owner AND freed > 0;
END $$;
