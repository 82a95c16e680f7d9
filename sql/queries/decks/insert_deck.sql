-- $1 owner  $2 title  $3 description  $4 subject or null  $5 whether public  $6 tags  $7 key of the import that makes it, or null
INSERT INTO decks (user_id, title, description, bar_subject, is_public, tags, import_key)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING deck_id, public_id::text, created_at
