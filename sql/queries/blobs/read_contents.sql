-- Blobs of one chunk; null for one that the account does not reference. By scalar subqueries: see README, "A statement".
SELECT g.blob_id,
       (SELECT c.bytes FROM blob_chunks c
         WHERE c.seq = 0 AND c.blob_id = (SELECT r.blob_id FROM blob_refs r
                                           WHERE r.user_id = $1 AND r.service = $2 AND r.blob_id = g.blob_id)) AS bytes
  FROM unnest($3::bigint[]) AS g (blob_id)
