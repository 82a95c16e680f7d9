-- One bounded step of removing a deleted deck; 0 when only its tombstone is left. $1 deck  $2 rows
SELECT delete_deck_rows($1, $2) AS deleted
