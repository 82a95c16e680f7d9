-- Base files of the collection and of history whose blob or reference is missing.
SELECT f.generation
  FROM (SELECT user_id, generation, base_blob FROM anki_collections WHERE user_id = $1
        UNION ALL SELECT user_id, generation, base_blob FROM anki_history WHERE user_id = $1) AS f
 WHERE NOT EXISTS (SELECT FROM blobs b WHERE b.blob_id = f.base_blob AND b.sha256 IS NOT NULL)
    OR NOT EXISTS (SELECT FROM blob_refs r WHERE r.user_id = $1 AND r.service = 'anki' AND r.blob_id = f.base_blob)
