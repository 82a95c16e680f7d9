-- The caller holds the collection's lock.
SELECT delete_forgotten_anki_rows($1, $2) AS may_be_more
