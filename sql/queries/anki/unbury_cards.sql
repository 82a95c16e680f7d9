-- Moves buried cards to the queue of their type. mod and usn stay: every client does the same on its own.
UPDATE anki_cards
   SET queue = CASE WHEN type IN (1, 3) THEN CASE WHEN due > 1000000000 THEN 1 ELSE 3 END WHEN type = 2 THEN 2 ELSE 0 END
 WHERE user_id = $1 AND generation = $2 AND queue IN (-2, -3)
