#!/usr/bin/env python3
"""Makes the collections for the benchmarks, with the real client's library, once per directory.

For each NAME it writes DIR/NAME.anki2, a schema-18 file as a client uploads it, and DIR/NAME.json, the data that a
client with this file sends in a sync: counts, config, and cards in their wire form. Rows are inserted with SQL, because
the client's API would take an hour for a million reviews; the client's database check must then find nothing to repair.
Rows are the same every time; ids of decks and notetypes are not.

Left out on purpose: media, deck trees, odd values. The benchmarks depend on size, not on content.
Needs the package `anki` (tests/clients/requirements.txt).
"""
import argparse
import base64
import hashlib
import json
import random
import sqlite3
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

from anki.collection import Collection

Shape = namedtuple("Shape", "cards reviews_per_card decks extra_field_bytes")
SHAPES = {
    "small": Shape(1_000, 5, 5, 0),
    "large": Shape(50_000, 20, 25, 0),
    # Few notes with large random text: many bytes that hardly compress, few rows.
    "100mib": Shape(100, 1, 2, 1 << 20),
    "1gib": Shape(1024, 1, 2, 1 << 20),
}

NOW = 1_790_000_000  # the time of the last change; any fixed time works
YEAR = 365 * 86_400
CREATED = NOW - 2 * YEAR
# The number of syncs in the collection's history. With one usn in all rows, the reference server is ten times slower:
# SQLite's statistics then make the index on usn useless, and each sanity check reads the table.
SYNCS = 1_000
SAMPLE_CARDS = 10_000  # the largest number of cards that one measured sync changes
WORDS = ("haus baum der die das wasser lernen the of night river stone letter often begin light 水 火 木 "
         "être avoir aller grammar verb noun irregular example sentence translation").split()


def text(rng, words):
    return " ".join(rng.choices(WORDS, k=words))


def note_rows(rng, shape, notetype):
    for i in range(shape.cards):
        front = f"{text(rng, 3)} {i}"
        extra = base64.b64encode(rng.randbytes(shape.extra_field_bytes * 3 // 4)).decode()
        back = f"{text(rng, 25)}<br><i>{text(rng, 23)}</i>{extra}"
        checksum = int(hashlib.sha1(front.encode()).hexdigest()[:8], 16)
        yield (first_note(shape) + i, f"g{i:09x}", notetype, NOW - i, 0, f" level::{i % 10} ", f"{front}\x1f{back}",
               front, checksum, 0, "")


def card_rows(rng, shape, decks):
    for i in range(shape.cards):
        memory = json.dumps({"s": round(rng.uniform(1, 400), 4), "d": round(rng.uniform(1, 10), 3), "dr": 0.9},
                            separators=(",", ":"))
        interval = rng.randint(1, 400)
        yield (first_card(shape) + i, first_note(shape) + i, decks[i % len(decks)], 0, NOW - i, 0, 2, 2,
               1000 + interval, interval, 2500, shape.reviews_per_card, i % 4, 0, 0, 0, 0, memory)


def review_rows(rng, shape):
    """Cards in random order over one year, as in real use."""
    total = shape.cards * shape.reviews_per_card
    step = YEAR * 1000 // total
    for i in range(total):
        interval = rng.randint(1, 400)
        yield ((NOW - YEAR) * 1000 + i * step, first_card(shape) + rng.randrange(shape.cards), i * SYNCS // total,
               rng.randint(1, 4), interval, interval // 2, 2500, rng.randint(900, 60_000), 1)


def first_note(shape):
    return CREATED * 1000


def first_card(shape):
    return first_note(shape) + 1_000_000_000


def insert(db, table, columns, rows):
    db.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * columns)})", rows)


def open_sqlite(path):
    db = sqlite3.connect(path, isolation_level=None)
    # Names here are ASCII, for which the client's collation compares lower-cased strings.
    db.create_collation("unicase", lambda a, b: (a.lower() > b.lower()) - (a.lower() < b.lower()))
    return db


def fill(path, shape):
    rng = random.Random(1)
    col = Collection(str(path))
    notetype = col.models.by_name("Basic")["id"]
    decks = [col.decks.id(f"Deck {i:02}") for i in range(shape.decks)]
    col.close()

    db = open_sqlite(path)
    db.execute("PRAGMA journal_mode = off")
    db.execute("PRAGMA synchronous = off")
    indexes = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
                         " AND tbl_name IN ('notes', 'cards', 'revlog')").fetchall()
    for name, _ in indexes:
        db.execute(f"DROP INDEX {name}")
    db.execute("BEGIN")
    insert(db, "notes", 11, note_rows(rng, shape, notetype))
    insert(db, "cards", 18, card_rows(rng, shape, decks))
    insert(db, "revlog", 9, review_rows(rng, shape))
    for _, sql in indexes:
        db.execute(sql)
    db.execute("COMMIT")
    db.close()


def check(path):
    """The first check may register the tags of the inserted rows; the second must find no problems."""
    col = Collection(str(path))
    col.fix_integrity()
    problems, ok = col.fix_integrity()
    col.close()
    if not ok:
        sys.exit(f"{path}: the client's database check says: {problems}")


def prepare_for_upload(path):
    """The changes a client makes to its file before it uploads it."""
    db = open_sqlite(path)
    for table in ("notes", "cards"):
        db.execute(f"UPDATE {table} SET usn = id % {SYNCS}")
    for table in ("notetypes", "decks", "deck_config", "tags", "templates", "config"):
        db.execute(f"UPDATE {table} SET usn = 0")
    db.execute("DELETE FROM graves")
    db.execute("UPDATE col SET usn = ?, crt = ?, mod = ?, scm = ?, ls = ?", (SYNCS, CREATED, *[NOW * 1000] * 3))
    db.execute("PRAGMA journal_mode = delete")
    db.execute("VACUUM")
    db.execute("ANALYZE")
    db.execute("PRAGMA journal_mode = wal")  # the mode in the header of clients' files
    db.close()


def write_profile(path, profile):
    db = open_sqlite(path)
    count = {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
             for table in ("cards", "notes", "revlog", "notetypes", "decks", "deck_config")}
    cards = db.execute("SELECT id, nid, did, ord, mod, usn, type, queue, due, ivl, factor, reps, lapses, left, odue,"
                       " odid, flags, data FROM cards").fetchall()
    random.Random(2).shuffle(cards)
    crt, scm = db.execute("SELECT crt, scm FROM col").fetchone()
    conf = {key: json.loads(value) for key, value in db.execute("SELECT key, val FROM config")}
    db.close()
    profile.write_text(json.dumps({
        "crt": crt, "scm": scm, "conf": conf,
        # In the order of sanityCheck2: due counts, cards, notes, revlog, graves, notetypes, decks, deck configs.
        "counts": [[0, 0, 0], count["cards"], count["notes"], count["revlog"], 0, count["notetypes"], count["decks"],
                   count["deck_config"]],
        "cards": cards[:SAMPLE_CARDS],
    }, ensure_ascii=False, separators=(",", ":")))


def make(directory, name):
    finished, profile = directory / f"{name}.anki2", directory / f"{name}.json"
    if finished.exists() and profile.exists():
        return
    with tempfile.TemporaryDirectory(dir=directory) as unfinished:
        path = Path(unfinished) / "collection.anki2"
        fill(path, SHAPES[name])
        check(path)
        prepare_for_upload(path)
        write_profile(path, profile)
        path.rename(finished)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("directory", type=Path)
    options.add_argument("names", nargs="+", choices=sorted(SHAPES))
    chosen = options.parse_args()
    chosen.directory.mkdir(parents=True, exist_ok=True)
    for name in chosen.names:
        make(chosen.directory, name)


if __name__ == "__main__":
    main()
