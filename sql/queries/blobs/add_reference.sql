-- Bytes count once per account and service, with the first holder. Affected rows: 1 if they were counted now.
WITH reference AS (
  INSERT INTO blob_refs (user_id, service, blob_id, size_bytes, holders) VALUES ($1, $2, $3, $4, 1)
  ON CONFLICT (user_id, service, blob_id) DO UPDATE SET holders = blob_refs.holders + 1
  RETURNING holders
)
INSERT INTO usage (user_id, service, bytes) SELECT $1, $2, $4::bigint FROM reference WHERE holders = 1
ON CONFLICT (user_id, service) DO UPDATE SET bytes = usage.bytes + excluded.bytes
