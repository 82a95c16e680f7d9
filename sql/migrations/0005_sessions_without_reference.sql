-- A session is written by nearly every request of a sync. Its reference to users was looked up each time, and locked a
-- row there: a change of a logged table, so that every commit waited for the disk. A session whose account is gone
-- meanwhile is refused with its key, expires, and is swept.
ALTER TABLE anki_sessions DROP CONSTRAINT anki_sessions_user_id_fkey;
