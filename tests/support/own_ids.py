"""Anki derives ids from the time in milliseconds. Users never use two devices in the same millisecond, but tests do,
and then two different notes have one id. Code that creates objects in tests waits here until its ids are unique."""

import contextlib
import time

_TABLES = ("notes", "cards", "revlog", "decks", "notetypes", "deck_config")
_newest = 0


def own_moment():
    """Returns at the start of a new millisecond. If a collection changes in the same millisecond in which a sync of
    another device ended, it has the server's modification time, and the client finds nothing to sync."""
    now = int(time.time() * 1000)
    while int(time.time() * 1000) == now:
        pass


@contextlib.contextmanager
def own_ids(collection):
    """Wraps the creation of notes, cards, decks and reviews in a collection."""
    global _newest
    while int(time.time() * 1000) <= _newest:
        time.sleep(0.0005)
    yield
    # When many objects are created at once, their ids run ahead of the clock.
    ids = [collection.db.scalar(f"select max(id) from {table}") or 0 for table in _TABLES]
    now = int(time.time() * 1000)
    _newest = max(_newest, now, *(number for number in ids if number < now + 60_000))
