INSERT INTO vault_versions (user_id, vault_id, version_id, node_id, seq, blob_id, sha256, size_bytes, class, has_plaintext, state,
  source, device_id, base_version, origin_version, client_token_at, change_counter, entries)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
