SELECT is_new_account, finished_at IS NOT NULL AS is_finished FROM anki_adoptions WHERE user_id = $1
