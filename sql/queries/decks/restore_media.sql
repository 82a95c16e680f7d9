-- $1 deck; of each file: $2 name  $3 sha256  $4 blob  $5 bytes
UPDATE decks_media m SET sha256 = n.sha256, blob_id = n.blob_id, size_bytes = n.size_bytes, updated_at = now()
FROM unnest($2::text[], $3::bytea[], $4::bigint[], $5::bigint[]) AS n (name, sha256, blob_id, size_bytes)
WHERE m.deck_id = $1 AND m.name = n.name
