DELETE FROM invitations WHERE code_hash = ANY (ARRAY(
  SELECT code_hash FROM invitations WHERE uses_left = 0 OR expires_at < now() LIMIT $1))
