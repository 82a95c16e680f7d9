-- The head of an account that sends its first file. Another device may do so at the same time.
INSERT INTO anki_media (user_id) VALUES ($1) ON CONFLICT (user_id) DO NOTHING
