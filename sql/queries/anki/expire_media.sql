-- Deletes at most $3 of the oldest replaced files of an account, if older than $2 days: usns and times have the same order.
DELETE FROM anki_media_history
 WHERE user_id = $1 AND replaced_usn = ANY (ARRAY(
   SELECT h.replaced_usn FROM anki_media_history h
    WHERE h.user_id = $1 AND h.replaced_at < now() - make_interval(days => $2)
    ORDER BY h.replaced_usn LIMIT $3))
RETURNING name, blob_id
