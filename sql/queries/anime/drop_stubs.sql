-- Titles that nothing names. They are locked since before that was found out: add_entry waits for the end of this transaction,
-- and then finds no title.
-- $1 titles
DELETE FROM anime_titles WHERE anime_id = ANY ($1::int[])
