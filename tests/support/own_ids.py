"""Anki numbers what it makes by the millisecond. People with two devices never meet in one; a test that drives both does,
and then two different notes are one to every server. Whoever makes something here waits until its numbers are its own."""

import contextlib
import time

_newest = 0


@contextlib.contextmanager
def own_ids(collection):
    """Around the making of notes, cards, decks and reviews in a collection."""
    global _newest
    while int(time.time() * 1000) <= _newest:
        time.sleep(0.0005)
    yield
    # A collection counts ahead of the clock when it makes many at once.
    ids = [collection.db.scalar(f"select max(id) from {table}") or 0 for table in ("notes", "cards", "revlog", "decks")]
    now = int(time.time() * 1000)
    _newest = max(_newest, now, *(number for number in ids if number < now + 60_000))
