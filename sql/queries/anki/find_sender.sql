SELECT 1 AS found FROM anki_senders WHERE network = $1 AND seen_at > now() - make_interval(secs => $2)
