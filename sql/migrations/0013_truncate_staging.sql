-- VACUUM gives back the pages of a table, but none of an index: after a flood of staged rows the index on large values
-- would stay large for ever. Tables that nobody uses at this moment, and that have no rows, are made anew.
CREATE FUNCTION truncate_empty_staging() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  name text;
  is_empty boolean;
BEGIN
  FOREACH name IN ARRAY ARRAY['anki_staged_cards', 'anki_staged_notes', 'anki_staged_revlog', 'anki_staged_graves',
                              'anki_staged_objects', 'anki_staged_tags'] LOOP
    BEGIN
      EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE NOWAIT', name);
      EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I)', name) INTO is_empty;
      IF is_empty THEN
        EXECUTE format('TRUNCATE %I', name);
      END IF;
    EXCEPTION WHEN lock_not_available THEN
      NULL;  -- the next sweep tries again
    END;
  END LOOP;
END $$;
