-- Where a computer is in the log, and what it knew of when it pushed. One that has no place, after a new login or a long time,
-- gets that of the account's computers that is the furthest behind: it may be any of them; but with downloads that are not
-- confirmed, at most the place of the first. $1 deck  $2 account  $3 computer
SELECT coalesce(p.seq, 0) AS seq, coalesce(c.place, least(o.place, c.sent), 0) AS pushed_seq,
       CASE WHEN c.place IS NULL THEN coalesce(least(o.whole, c.sent), 0) ELSE p.whole_seq END AS whole_seq,
       coalesce(c.place, c.sent) IS NOT NULL AS is_own
FROM (SELECT min(coalesce(nullif(greatest(a.seq, a.pushed_seq), 0), nullif(a.first_sent_seq, 0))) AS place,
             min(coalesce(nullif(a.whole_seq, 0), nullif(a.first_sent_seq, 0))) AS whole
      FROM decks_positions a WHERE a.deck_id = $1 AND a.user_id = $2) o
LEFT JOIN decks_positions p ON p.deck_id = $1 AND p.user_id = $2 AND p.device_id = $3
CROSS JOIN LATERAL (SELECT nullif(greatest(p.seq, p.pushed_seq), 0) AS place, nullif(p.first_sent_seq, 0) AS sent) c
