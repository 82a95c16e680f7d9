-- Called before a new key is added: whatever was signed with the others has expired by then.
UPDATE token_keys SET expires_at = now() + make_interval(secs => $1::bigint) WHERE expires_at IS NULL
