"""Makes the folder of an official server for the benchmarks: three users with a collection and media each, about 1 GB.

Written directly, because a client would need an hour to send a million reviews. Left out on purpose: deleted media.
"""
import hashlib
import random
import shutil
import sqlite3

USERS = 3
SMALL_FILES, SMALL_BYTES = 8_000, 30_000  # of each user: pictures
LARGE_FILES, LARGE_BYTES = 10, 6 << 20  # recordings and films

MEDIA_LIST = """
CREATE TABLE media (fname text NOT NULL PRIMARY KEY, csum blob NOT NULL, size int NOT NULL, usn int NOT NULL, mtime int NOT NULL);
CREATE INDEX ix_usn ON media (usn);
CREATE TABLE meta (last_usn int NOT NULL, total_bytes int NOT NULL, total_nonempty_files int NOT NULL);
PRAGMA user_version = 4;
"""


def make(folder, collections):
    """`collections`: a file for each user, in order. The folders of the users are folder/0, folder/1, ..."""
    temporary = folder.with_suffix(".new")
    shutil.rmtree(temporary, ignore_errors=True)
    rng = random.Random(1)
    for user in range(USERS):
        home = temporary / str(user)
        (home / "media").mkdir(parents=True)
        shutil.copy(collections[user], home / "collection.anki2")
        rows = []
        for n in range(SMALL_FILES + LARGE_FILES):
            name = f"file {n:05}.jpg"
            data = rng.randbytes(SMALL_BYTES if n < SMALL_FILES else LARGE_BYTES)
            (home / "media" / name).write_bytes(data)
            rows.append((name, hashlib.sha1(data).digest(), len(data), n + 1, 1_790_000_000))
        with sqlite3.connect(home / "media.db") as db:
            db.executescript(MEDIA_LIST)
            db.executemany("INSERT INTO media VALUES (?, ?, ?, ?, ?)", rows)
            db.execute("INSERT INTO meta VALUES (?, ?, ?)", (len(rows), sum(row[2] for row in rows), len(rows)))
        db.close()
    temporary.rename(folder)
