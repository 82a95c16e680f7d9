INSERT INTO anki_adoptions (user_id, is_new_account) VALUES ($1, $2)
