-- A restore must not take what the history has forgotten for a state that never changed.

-- What an account's collection was before this time is not known any more (or it had none). For accounts of before, the
-- oldest point that is kept says it: points are forgotten in their order.
ALTER TABLE anki_collections ADD COLUMN known_since timestamptz NOT NULL DEFAULT now();
UPDATE anki_collections c SET known_since = coalesce((
  SELECT p.finished_at FROM anki_points p WHERE p.user_id = c.user_id ORDER BY p.generation, p.usn LIMIT 1), now());

-- Media: the time of the newest change whose replaced file is forgotten.
ALTER TABLE anki_media ADD COLUMN known_since timestamptz NOT NULL DEFAULT '-infinity';
UPDATE anki_media SET known_since = history_since WHERE history_since IS NOT NULL;

-- Points are forgotten at once, what they keep is deleted later, in steps: a sync that makes room in its history must not
-- wait for the deletion of gigabytes. Rows of points up to this one are garbage; 0: there are none.
ALTER TABLE anki_collections
  ADD COLUMN forgotten_generation int NOT NULL DEFAULT 0,
  ADD COLUMN forgotten_usn int NOT NULL DEFAULT 0;
-- The sweep looks for them.
CREATE INDEX anki_collections_forgotten ON anki_collections (user_id) WHERE forgotten_generation > 0;

-- Forgets the points of an account up to one of them. The caller holds the collection's lock.
CREATE OR REPLACE FUNCTION forget_anki_points(owner bigint, last_generation int, last_usn int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  freed bigint;
  newest timestamptz;
BEGIN
  WITH points AS (
    DELETE FROM anki_points WHERE user_id = owner AND (generation, usn) <= (last_generation, last_usn) RETURNING bytes, finished_at
  ) SELECT sum(bytes), max(finished_at) INTO freed, newest FROM points;
  IF freed IS NULL THEN
    RETURN;
  END IF;
  UPDATE anki_collections
     SET history_bytes = history_bytes - freed, known_since = greatest(known_since, newest),
         forgotten_usn = CASE WHEN last_generation > forgotten_generation THEN last_usn
                              WHEN last_generation = forgotten_generation THEN greatest(forgotten_usn, last_usn)
                              ELSE forgotten_usn END,
         forgotten_generation = greatest(forgotten_generation, last_generation)
   WHERE user_id = owner;
END $$;

-- Deletes at most so many of the rows that forgotten points have kept, of each kind. Whether there may be more. The caller
-- holds the collection's lock.
CREATE FUNCTION delete_forgotten_anki_rows(owner bigint, max_rows int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  name text;
  deleted int;
  last_generation int;
  last_usn int;
  may_be_more boolean := false;
BEGIN
  SELECT forgotten_generation, forgotten_usn INTO last_generation, last_usn FROM anki_collections WHERE user_id = owner;
  IF last_generation IS NULL OR last_generation = 0 THEN
    RETURN false;
  END IF;
  FOREACH name IN ARRAY ARRAY['anki_old_cards', 'anki_old_notes', 'anki_old_objects', 'anki_old_tags', 'anki_old_configs'] LOOP
    EXECUTE format('DELETE FROM %I WHERE ctid = ANY (ARRAY(SELECT ctid FROM %I WHERE user_id = $1'
      ' AND (generation, at_usn) <= ($2, $3) ORDER BY generation, at_usn LIMIT $4))', name, name)
      USING owner, last_generation, last_usn, max_rows;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    may_be_more := may_be_more OR deleted = max_rows;
  END LOOP;
  IF NOT may_be_more THEN
    UPDATE anki_collections SET forgotten_generation = 0, forgotten_usn = 0 WHERE user_id = owner;
  END IF;
  RETURN may_be_more;
END $$;
