-- $1 deck  $2 account  $3 computer; of each: $4 guid  $5 field  $6 change  $7 edit
INSERT INTO decks_conflicts (deck_id, user_id, device_id, guid, field, seq, suggestion_no)
SELECT $1, $2, $3, n.guid, n.field, n.seq, n.edit FROM unnest($4::text[], $5::text[], $6::bigint[], $7::bigint[]) AS n (guid, field, seq, edit)
ON CONFLICT (deck_id, user_id, device_id, guid, field) DO UPDATE SET seq = excluded.seq, suggestion_no = excluded.suggestion_no, shown_at = now()
