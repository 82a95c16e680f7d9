-- $1 deck  $2 account
SELECT d.state, d.deletes_removed, d.seq, d.generation, d.usn, d.homes, d.media_hash, d.media_at, d.design_hash, d.restores, d.problem, d.started_at,
       d.delivered_at, (SELECT count(*) FROM decks_delivered_notes n WHERE n.deck_id = $1 AND n.user_id = $2 AND n.state <> 'deleted') AS notes
FROM decks_deliveries d WHERE d.deck_id = $1 AND d.user_id = $2
