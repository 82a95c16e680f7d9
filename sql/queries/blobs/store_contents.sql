-- Contents $4 with hashes $3 as complete blobs of one chunk each, for the account $1 and the service $2; returns those that
-- are new. Contents that the account references already are not written again. Contents that only other
-- accounts have are written anyway, as a doomed blob that the next sweep removes (doom_unreferenced), so that
-- neither time nor disk usage reveal to a sender that another account has these bytes. Sorted, so that two
-- transactions that insert the same hashes cannot deadlock. The contents are taken from the parameter where
-- they are inserted, because a WITH query would copy them. An array, because a join would compare each with
-- each row by row.
WITH given AS MATERIALIZED (
  SELECT g.sha256, g.at, (SELECT b.blob_id FROM blobs b WHERE b.sha256 = g.sha256) AS known
    FROM unnest($3::bytea[]) WITH ORDINALITY AS g (sha256, at)
), needed AS MATERIALIZED (
  SELECT nextval((SELECT pg_get_serial_sequence('blobs', 'blob_id')::regclass)) AS blob_id, g.sha256, g.at::int, g.known IS NOT NULL AS is_known
    FROM given g
   WHERE (SELECT r.holders FROM blob_refs r WHERE r.user_id = $1 AND r.service = $2 AND r.blob_id = g.known) IS NULL
), stored AS (
  INSERT INTO blobs (blob_id, sha256, size_bytes, touched_at)
  SELECT blob_id, CASE WHEN is_known THEN NULL ELSE sha256 END, CASE WHEN is_known THEN -1 ELSE length(($4::bytea[])[at]) END,
         CASE WHEN is_known THEN '-infinity' ELSE now() END
    FROM needed ORDER BY sha256
  ON CONFLICT (sha256) WHERE sha256 IS NOT NULL DO NOTHING
  RETURNING blob_id, sha256
), chunk AS (
  INSERT INTO blob_chunks (blob_id, seq, bytes)
  SELECT n.blob_id, 0, ($4::bytea[])[n.at] FROM needed n WHERE n.blob_id = ANY (ARRAY(SELECT s.blob_id FROM stored s))
)
SELECT blob_id, sha256 FROM stored WHERE sha256 IS NOT NULL
