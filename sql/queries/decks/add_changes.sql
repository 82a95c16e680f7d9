-- Entries of the log, numbered from $2 on. $1 deck  $3 version  $4 origin  $5 computer; of each: $6 guid  $7 kind  $8 field
-- $9 old value  $10 who
INSERT INTO decks_changes (deck_id, seq, guid, kind, field, old_value, version, user_id, origin, device_id, created_at)
SELECT $1, $2::bigint + n.i - 1, n.guid, n.kind, n.field, n.old_value, $3, n.who, $4, $5, clock_timestamp()
FROM unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[]) WITH ORDINALITY AS n (guid, kind, field, old_value, who, i)
