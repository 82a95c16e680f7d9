#!/usr/bin/env python3
"""Syncs media with the real client: media_client.py URL NAME PASSWORD FILES. Files of 10 KB go up from one device and down to
another; prints {"up_ms": N, "down_ms": N}. Fails unless the second device has all of them.

The times include what the client itself does: scanning, hashing, zips, its database. Left out on purpose: collections.
"""
import json
import pathlib
import random
import sys
import tempfile
import time

import anki.lang
from anki.collection import Collection

FILE_BYTES = 10_240


def media_of(collection):
    return pathlib.Path(collection.media.dir())


def sync(collection, auth):
    begin = time.monotonic()
    collection.sync_media(auth)
    while collection.media_sync_status().active:
        time.sleep(0.002)
    return (time.monotonic() - begin) * 1000


def main():
    url, name, password, count = sys.argv[1:]
    anki.lang.set_lang("en")
    with tempfile.TemporaryDirectory(prefix="syncline-media.") as directory:
        one, two = (Collection(f"{directory}/{n}.anki2") for n in (1, 2))
        auths = [collection.sync_login(name, password, url) for collection in (one, two)]
        numbers = random.Random(time.time_ns())
        for n in range(int(count)):
            (media_of(one) / f"file {n:05}.jpg").write_bytes(numbers.randbytes(FILE_BYTES))
        times = {"up_ms": sync(one, auths[0]), "down_ms": sync(two, auths[1])}
        got = sorted(path.name for path in media_of(two).iterdir())
        if got != sorted(path.name for path in media_of(one).iterdir()):
            sys.exit(f"the second device has {len(got)} files")
        for collection in (one, two):
            collection.close()
    print(json.dumps(times))


if __name__ == "__main__":
    main()
