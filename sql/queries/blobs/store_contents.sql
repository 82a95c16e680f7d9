-- Contents $4 with hashes $3 as complete blobs of one chunk each, for the account $1 and the service $2. What the account
-- references already is not written again. What only others have is written all the same, as a doomed blob that the next sweep
-- removes (doom_unreferenced): neither time nor disk tell a sender that somebody has these bytes. Sorted, so that two
-- transactions that insert the same hashes wait for each other in one order.
WITH given AS MATERIALIZED (
  SELECT nextval(pg_get_serial_sequence('blobs', 'blob_id')) AS blob_id, g.sha256, g.content,
         EXISTS (SELECT FROM blobs b WHERE b.sha256 = g.sha256) AS is_known
    FROM unnest($3::bytea[], $4::bytea[]) AS g (sha256, content)
   WHERE NOT EXISTS (SELECT FROM blobs b JOIN blob_refs r ON r.blob_id = b.blob_id
                      WHERE b.sha256 = g.sha256 AND r.user_id = $1 AND r.service = $2)
), stored AS (
  INSERT INTO blobs (blob_id, sha256, size_bytes, touched_at)
  SELECT blob_id, CASE WHEN is_known THEN NULL ELSE sha256 END, CASE WHEN is_known THEN -1 ELSE length(content) END,
         CASE WHEN is_known THEN '-infinity' ELSE now() END
    FROM given ORDER BY sha256
  ON CONFLICT (sha256) WHERE sha256 IS NOT NULL DO NOTHING
  RETURNING blob_id
)
INSERT INTO blob_chunks (blob_id, seq, bytes) SELECT g.blob_id, 0, g.content FROM given g JOIN stored s ON s.blob_id = g.blob_id
