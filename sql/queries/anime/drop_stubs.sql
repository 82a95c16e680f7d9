-- Deletes titles that nothing refers to. They were locked before that was checked: a concurrent add_entry
-- waits for the end of this transaction, and then finds no title.
-- $1 titles
DELETE FROM anime_titles WHERE anime_id = ANY ($1::int[])
