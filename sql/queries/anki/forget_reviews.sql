-- Which reviews the syncs of a replaced generation have added. It outlives the generation's rows: see delete_some_changed.
DELETE FROM anki_changed WHERE user_id = $1 AND generation = $2
