-- Sets the reservation $2 to $4 bytes, or to what is left, if that is at least $3. No row: it is not. The caller has
-- locked the account in a statement before this one, so this one sees what the last holder of the lock has taken.
WITH room AS (
  SELECT (u.quota_bytes
         - (SELECT coalesce(sum(h.bytes), 0) FROM account_bytes h WHERE h.user_id = $1)
         - (SELECT coalesce(sum(r.bytes), 0) FROM blob_reservations r
             WHERE r.user_id = $1 AND r.reservation_id <> $2 AND r.expires_at > now()))::bigint AS bytes
    FROM users u WHERE u.user_id = $1
)
INSERT INTO blob_reservations (user_id, reservation_id, bytes, expires_at)
SELECT $1, $2, least($4::bigint, room.bytes), now() + make_interval(secs => $5) FROM room WHERE room.bytes >= $3::bigint
ON CONFLICT (user_id, reservation_id) DO UPDATE SET bytes = excluded.bytes, expires_at = excluded.expires_at
RETURNING bytes
