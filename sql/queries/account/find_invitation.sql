SELECT uses_left FROM invitations WHERE code_hash = $1 AND uses_left > 0 AND expires_at > now()
