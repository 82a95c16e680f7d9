-- Deletes those of the $3 oldest replaced files of an account that are older than $2 days: usns and times have the same order.
-- The caller holds the lock of the head, so their places are known.
DELETE FROM anki_media_history
 WHERE ctid = ANY (ARRAY(
   SELECT o.ctid
     FROM (SELECT h.ctid, h.replaced_at FROM anki_media_history h
            WHERE h.user_id = $1 AND h.replaced_usn > 0 ORDER BY h.replaced_usn LIMIT $3) AS o
    WHERE o.replaced_at < now() - make_interval(days => $2)))
RETURNING name, blob_id
