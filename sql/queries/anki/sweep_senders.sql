DELETE FROM anki_senders WHERE seen_at < now() - make_interval(secs => $1)
