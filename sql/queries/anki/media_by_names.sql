-- Those of the names that ever had a file. LIMIT makes each a look-up of its own, whatever the statistics say.
SELECT f.name, f.size_bytes, f.crc32, f.blob_id, f.sha1
  FROM unnest($2::text[]) AS n (name)
 CROSS JOIN LATERAL (SELECT m.name, m.size_bytes, m.crc32, m.blob_id, m.sha1 FROM anki_media_files m
                      WHERE m.user_id = $1 AND m.name = n.name LIMIT 1) AS f
