-- A session is written by nearly every request of a sync. Its reference to users was looked up each time, and locked a
-- row there: a change of a logged table, so that every commit waited for the disk. A session whose account is gone
-- meanwhile is refused with its key, expires, and is swept.
ALTER TABLE anki_sessions DROP CONSTRAINT anki_sessions_user_id_fkey;

-- Before a table has statistics PostgreSQL takes it for tiny and all its indexes for equally good; of those it takes the
-- youngest. That was the index on usn, with the id at its end, and every look-up of an id read all rows of the account.
ALTER TABLE anki_cards DROP CONSTRAINT anki_cards_pkey, ADD PRIMARY KEY (user_id, generation, id);
ALTER TABLE anki_notes DROP CONSTRAINT anki_notes_pkey, ADD PRIMARY KEY (user_id, generation, id);
ALTER TABLE anki_revlog DROP CONSTRAINT anki_revlog_pkey, ADD PRIMARY KEY (user_id, generation, id);
ALTER TABLE anki_graves DROP CONSTRAINT anki_graves_pkey, ADD PRIMARY KEY (user_id, generation, kind, id);
