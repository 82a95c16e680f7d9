-- All are revoked; the sessions among them are returned, because their access tokens must be denied as well.
WITH revoked AS (
  UPDATE devices SET revoked_at = now() WHERE user_id = $1 AND device_id <> $2 AND revoked_at IS NULL
  RETURNING device_id, kind
)
SELECT device_id FROM revoked WHERE kind = 'refresh'
