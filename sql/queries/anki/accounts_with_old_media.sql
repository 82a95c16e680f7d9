-- plan: free
-- Accounts with replaced media older than $1 days. Reads all heads: one row an account.
SELECT user_id FROM anki_media WHERE history_since < now() - make_interval(days => $1) ORDER BY history_since LIMIT $2
