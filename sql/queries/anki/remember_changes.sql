UPDATE anki_sessions
   SET has_changes = true, new_notetypes = $2, new_decks = $3, new_deck_configs = $4, config = coalesce($5, config), created_s = coalesce($6, created_s)
 WHERE user_id = $1
