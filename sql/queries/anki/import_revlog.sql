-- See import_cards. Reviews are never deleted.
INSERT INTO anki_revlog (user_id, generation, id, card_id, usn, ease, interval, last_interval, factor, taken_ms, type)
SELECT $1, $2, u.id, u.card_id, u.usn, u.ease, u.interval, u.last_interval, u.factor, u.taken_ms, u.type
  FROM unnest($3::bigint[], $4::bigint[], $5::int[], $6::smallint[], $7::int[], $8::int[], $9::bigint[], $10::bigint[], $11::smallint[])
    AS u (id, card_id, usn, ease, interval, last_interval, factor, taken_ms, type)
ON CONFLICT (user_id, generation, id) DO NOTHING
