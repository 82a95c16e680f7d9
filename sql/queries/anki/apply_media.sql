-- Changed files, as arrays: names, usns, sizes (0: deleted), checksums, blobs, hashes. What they replace goes to the history.
-- The clock is read after the head was locked, so the times of an account's changes have the order of their usns.
WITH moment AS MATERIALIZED (
  SELECT clock_timestamp() AS at
), changed AS MATERIALIZED (
  SELECT c.name, c.usn, c.size_bytes, c.crc32, c.blob_id, c.sha1, m.at
    FROM moment m, unnest($2::text[], $3::int[], $4::int[], $5::bigint[], $6::bigint[], $7::bytea[])
           AS c (name, usn, size_bytes, crc32, blob_id, sha1)
), replaced AS (
  INSERT INTO anki_media_history (user_id, replaced_usn, replaced_at, name, usn, size_bytes, crc32, blob_id, sha1, changed_at, device_id)
  SELECT f.user_id, c.usn, c.at, f.name, f.usn, f.size_bytes, f.crc32, f.blob_id, f.sha1, f.changed_at, f.device_id
    FROM changed c CROSS JOIN LATERAL (SELECT m.* FROM anki_media_files m WHERE m.user_id = $1 AND m.name = c.name LIMIT 1) AS f
   WHERE f.size_bytes > 0
)
INSERT INTO anki_media_files AS f (user_id, name, usn, size_bytes, crc32, blob_id, sha1, changed_at, device_id)
SELECT $1, c.name, c.usn, c.size_bytes, CASE WHEN c.size_bytes > 0 THEN c.crc32 END, CASE WHEN c.size_bytes > 0 THEN c.blob_id END,
       CASE WHEN c.size_bytes > 0 THEN c.sha1 END, c.at, $8
  FROM changed c
ON CONFLICT (user_id, name) DO UPDATE SET
    usn = excluded.usn, size_bytes = excluded.size_bytes, crc32 = excluded.crc32, blob_id = excluded.blob_id,
    sha1 = excluded.sha1, changed_at = excluded.changed_at, device_id = excluded.device_id
