DELETE FROM token_keys WHERE expires_at <= now()
