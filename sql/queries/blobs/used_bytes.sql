-- The bytes that count against the quota: those that the account holds, and those that its writers have
-- reserved.
SELECT ((SELECT coalesce(sum(h.bytes), 0) FROM account_bytes h WHERE h.user_id = $1)
      + (SELECT coalesce(sum(r.bytes), 0) FROM blob_reservations r WHERE r.user_id = $1 AND r.expires_at > now()))::bigint AS bytes
