-- $1 deck  $2 title  $3 description  $4 subject or null  $5 whether public  $6 tags  $7 whether its image goes
UPDATE decks SET title = $2, description = $3, bar_subject = $4, is_public = $5, tags = $6,
       image_url = CASE WHEN $7::boolean THEN NULL ELSE image_url END, updated_at = now()
WHERE deck_id = $1
