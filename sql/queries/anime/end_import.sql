-- Returns the file's blob, whose reference the caller drops. No row: it has already ended.
-- $1 account  $2 job  $3 state  $4 why it has failed
UPDATE anime_imports i SET state = $3, code = $4, finished_at = now(), blob_id = NULL
  FROM (SELECT o.user_id, o.job_id, o.blob_id FROM anime_imports o WHERE o.user_id = $1 AND o.job_id = $2 FOR UPDATE) AS old
 WHERE i.user_id = old.user_id AND i.job_id = old.job_id AND i.state = 'pending'
RETURNING old.blob_id
