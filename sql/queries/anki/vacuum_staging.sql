-- Not in a transaction. SKIP_LOCKED: what autovacuum is at work on is not waited for.
VACUUM (SKIP_LOCKED, TRUNCATE) anki_staged_cards, anki_staged_notes, anki_staged_revlog, anki_staged_graves, anki_staged_objects,
  anki_staged_tags, anki_sessions
