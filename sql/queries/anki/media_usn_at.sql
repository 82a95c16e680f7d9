-- plan: free
-- The usn of the last change of an account's media at or before $2 (0: there was none), whether what followed is known, and
-- the usn now. A change is a row of a file, or of the history: what it made, what it replaced.
SELECT m.last_usn, m.known_since <= $2::timestamptz AS is_known,
       greatest((SELECT max(f.usn) FROM anki_media_files f WHERE f.user_id = $1 AND f.changed_at <= $2::timestamptz),
                (SELECT max(h.usn) FROM anki_media_history h WHERE h.user_id = $1 AND h.changed_at <= $2::timestamptz),
                (SELECT max(h.replaced_usn) FROM anki_media_history h WHERE h.user_id = $1 AND h.replaced_at <= $2::timestamptz),
                0) AS usn
  FROM anki_media m WHERE m.user_id = $1
