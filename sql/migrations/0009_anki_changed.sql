-- What each sync has changed, as lists of ids. They replace the indexes on usn, which had to be maintained for every
-- changed row: an update moved each row's entry, and could not be a HOT update. Rows of the base file are in no list: a
-- client that has not seen the file downloads it, and one that asks all the same gets them in the order of their ids.

-- One row per 200 changed ids, sorted. A row changed again later is listed again; the older entry no longer has its usn
-- and is skipped. No foreign key: checking it would lock the row in users at every sync.
CREATE TABLE anki_changed (
  user_id bigint NOT NULL,
  generation int NOT NULL,
  part smallint NOT NULL CHECK (part IN (8, 16, 32)),  -- reviews, cards, notes: Part in session_store.h
  usn int NOT NULL,
  last_id bigint NOT NULL,                    -- the highest of ids
  ids bigint[] NOT NULL,
  PRIMARY KEY (user_id, generation, part, usn, last_id)
);

-- Nobody finishes a sync between the lists and the end of this migration.
LOCK TABLE anki_collections, anki_cards, anki_notes, anki_revlog IN SHARE ROW EXCLUSIVE MODE;

CREATE TEMPORARY TABLE bases ON COMMIT DROP AS
  SELECT user_id, generation, base_usn FROM anki_collections
   UNION ALL SELECT user_id, generation, base_usn FROM anki_history WHERE NOT is_archived;

INSERT INTO anki_changed (user_id, generation, part, usn, last_id, ids)
SELECT user_id, generation, part, usn, max(id), array_agg(id ORDER BY id)
  FROM (SELECT c.user_id, c.generation, part, usn, id,
               (row_number() OVER (PARTITION BY c.user_id, c.generation, part, usn ORDER BY id) - 1) / 200 AS piece
          FROM (SELECT user_id, generation, 8 AS part, usn, id FROM anki_revlog
                 UNION ALL SELECT user_id, generation, 16, usn, id FROM anki_cards
                 UNION ALL SELECT user_id, generation, 32, usn, id FROM anki_notes) AS c
          JOIN bases b ON b.user_id = c.user_id AND b.generation = c.generation
         WHERE c.usn >= b.base_usn) AS changed
 GROUP BY user_id, generation, part, usn, piece;

DROP INDEX anki_cards_usn;
DROP INDEX anki_notes_usn;
DROP INDEX anki_revlog_usn;

-- A process of an older version that still runs must not finish a sync without making lists: every sync of its kind reads
-- this column, and fails.
ALTER TABLE anki_sessions RENAME COLUMN sent_usn TO sent_at_usn;

-- Checking the reference to users cost as much as the rest of an insert. Rows are only inserted under the lock of their
-- collection, whose own reference stays: removing an account deletes that row too, and looks for rows again after it.
ALTER TABLE anki_cards DROP CONSTRAINT anki_cards_user_id_fkey;
ALTER TABLE anki_notes DROP CONSTRAINT anki_notes_user_id_fkey;
ALTER TABLE anki_revlog DROP CONSTRAINT anki_revlog_user_id_fkey;
ALTER TABLE anki_graves DROP CONSTRAINT anki_graves_user_id_fkey;

-- The ids in a base file, until its rows have been imported: a sync meanwhile counts with them. 200 per row, sorted.
CREATE TABLE anki_file_ids (
  user_id bigint NOT NULL,
  generation int NOT NULL,
  part smallint NOT NULL CHECK (part IN (8, 16, 32)),  -- as in anki_changed
  last_id bigint NOT NULL,                    -- the highest of ids
  ids bigint[] NOT NULL,
  PRIMARY KEY (user_id, generation, part, last_id)
);
