"""Anki numbers what it makes by the millisecond. People with two devices never meet in one; a test that drives both does,
and then two different notes are one to every server. Whoever makes something here waits until its numbers are its own."""

import contextlib
import time

_TABLES = ("notes", "cards", "revlog", "decks", "notetypes", "deck_config")
_newest = 0


def own_moment():
    """Returns in a millisecond that has not begun yet. A client whose collection was changed in the very one in which
    another device's sync ended has the server's modification time, and finds nothing to sync."""
    now = int(time.time() * 1000)
    while int(time.time() * 1000) == now:
        pass


@contextlib.contextmanager
def own_ids(collection):
    """Around the making of notes, cards, decks and reviews in a collection."""
    global _newest
    while int(time.time() * 1000) <= _newest:
        time.sleep(0.0005)
    yield
    # A collection counts ahead of the clock when it makes many at once.
    ids = [collection.db.scalar(f"select max(id) from {table}") or 0 for table in _TABLES]
    now = int(time.time() * 1000)
    _newest = max(_newest, now, *(number for number in ids if number < now + 60_000))
