-- Files with the usns $2 become what the history has under $3 (0: they are deleted), and get the usns $4. What they replace
-- goes to the history. Returns what changed. The clock is read as in apply_media. No device has sent them: 0.
-- BETWEEN and ORDER BY leave the planner no index but that on usn.
WITH moment AS MATERIALIZED (
  SELECT clock_timestamp() AS at
), changed AS MATERIALIZED (
  SELECT f.name, f.usn AS old_usn, f.size_bytes AS old_size_bytes, f.crc32 AS old_crc32, f.blob_id AS old_blob_id,
         f.sha1 AS old_sha1, f.changed_at AS old_changed_at, f.device_id AS old_device_id,
         c.new_usn, coalesce(h.size_bytes, 0) AS size_bytes, h.crc32, h.blob_id, h.sha1, m.at
    FROM moment m, unnest($2::int[], $3::int[], $4::int[]) AS c (usn, from_usn, new_usn)
   CROSS JOIN LATERAL (SELECT x.* FROM anki_media_files x WHERE x.user_id = $1 AND x.usn BETWEEN c.usn AND c.usn ORDER BY x.usn LIMIT 1) AS f
    LEFT JOIN LATERAL (SELECT y.* FROM anki_media_history y WHERE y.user_id = $1 AND y.replaced_usn = c.from_usn LIMIT 1) AS h ON true
), replaced AS (
  INSERT INTO anki_media_history (user_id, replaced_usn, replaced_at, name, usn, size_bytes, crc32, blob_id, sha1, changed_at, device_id)
  SELECT $1, c.new_usn, c.at, c.name, c.old_usn, c.old_size_bytes, c.old_crc32, c.old_blob_id, c.old_sha1, c.old_changed_at, c.old_device_id
    FROM changed c WHERE c.old_size_bytes > 0
), written AS (
  INSERT INTO anki_media_files AS f (user_id, name, usn, size_bytes, crc32, blob_id, sha1, changed_at, device_id)
  SELECT $1, c.name, c.new_usn, c.size_bytes, c.crc32, c.blob_id, c.sha1, c.at, 0 FROM changed c
  ON CONFLICT (user_id, name) DO UPDATE SET
      usn = excluded.usn, size_bytes = excluded.size_bytes, crc32 = excluded.crc32, blob_id = excluded.blob_id,
      sha1 = excluded.sha1, changed_at = excluded.changed_at, device_id = excluded.device_id
)
SELECT c.name, c.size_bytes::bigint, c.old_size_bytes::bigint, coalesce(c.blob_id, 0) AS blob_id FROM changed c
