-- Called before a new key is added. Tokens signed with the older keys expire before their keys do.
UPDATE token_keys SET expires_at = now() + make_interval(secs => $1::bigint) WHERE expires_at IS NULL
