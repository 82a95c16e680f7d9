-- The keys that still verify tokens, the newest first. token_keys is a shared table: the keys are those of the
-- installation.
SELECT kid, sealed_seed, signs_from <= now() AS signs FROM token_keys
WHERE expires_at IS NULL OR expires_at > now()
ORDER BY signs_from DESC, kid
