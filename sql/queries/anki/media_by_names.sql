-- Those of the names that ever had a file.
SELECT name, usn, size_bytes, crc32, blob_id, sha1 FROM anki_media_files WHERE user_id = $1 AND name = ANY ($2::text[])
