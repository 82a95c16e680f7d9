-- Every change of an account's media holds this lock. Lock order: media, account, blobs.
SELECT last_usn FROM anki_media WHERE user_id = $1 FOR NO KEY UPDATE
