-- Requests that were refused are reported, too. A client repeats what was refused, so reports with the same subject from one
-- device become one that counts. Programs that know nothing of this write reports as before.
ALTER TABLE anki_problems
  ADD COLUMN subject text,                    -- what repeated reports share; null: every report stands alone
  ADD COLUMN times int NOT NULL DEFAULT 1 CHECK (times > 0),
  ADD COLUMN first_at timestamptz,            -- of the first of them; null: happened_at
  DROP CONSTRAINT anki_problems_kind_check,
  ADD CONSTRAINT anki_problems_kind_check CHECK (kind IN ('sanity', 'upload', 'refused'));
