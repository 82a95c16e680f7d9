#!/usr/bin/env python3
"""The package of the benchmark, and the time that the real client takes for it.

    packages.py make DIR         # DIR/package.apkg: 50,000 notes with a card and two reviews each, 5,000 pictures of 10 KB
    packages.py import FILE      # into an empty collection; prints {"seconds": S}
    packages.py export FILE DIR  # of that package, imported before; prints the same

Left out on purpose: the server. Needs the package `anki`.
"""
import json
import pathlib
import random
import sys
import tempfile
import time

from anki.collection import Collection, ExportAnkiPackageOptions, ImportAnkiPackageOptions, ImportAnkiPackageRequest

NOTES, FILES, FILE_BYTES, REVIEWS = 50_000, 5_000, 10_000, 2
NOW = 1_790_000_000
WORDS = "haus baum der die das wasser lernen the of night river stone letter often begin light verb noun".split()


def import_into(collection, package):
    collection.import_anki_package(ImportAnkiPackageRequest(
        package_path=str(package), options=ImportAnkiPackageOptions(with_scheduling=True, with_deck_configs=True)))


def export_from(collection, package):
    collection.export_anki_package(out_path=str(package), limit=None, options=ExportAnkiPackageOptions(
        with_scheduling=True, with_deck_configs=True, with_media=True, legacy=False))


def make(directory):
    rng = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        collection = Collection(folder + "/source.anki2")
        notetype = collection.models.by_name("Basic")["id"]
        decks = [collection.decks.id(f"Bench::Deck {i}") for i in range(25)]
        media = pathlib.Path(collection.media.dir())
        for i in range(FILES):
            media.joinpath(f"picture {i}.jpg").write_bytes(rng.randbytes(FILE_BYTES))
        first = (NOW - 10**8) * 1000

        def notes():
            for i in range(NOTES):
                front = f"{' '.join(rng.choices(WORDS, k=4))} {i}"
                picture = f"<img src=\"picture {i // 10}.jpg\">" if i % 10 == 0 else ""
                back = " ".join(rng.choices(WORDS, k=40)) + picture
                yield first + i, f"b{i:09x}", notetype, NOW - i, -1, f" level::{i % 10} ", f"{front}\x1f{back}", front, 0, 0, ""

        def cards():
            for i in range(NOTES):
                yield (first + i, first + i, decks[i % 25], 0, NOW - i, -1, 2, 2, 100 + i % 900, 20, 2500, REVIEWS, 0, 0, 0, 0, 0,
                       '{"lrt":1789000000}')

        def reviews():
            for i in range(NOTES * REVIEWS):
                yield first + 10**8 + i, first + i // REVIEWS, -1, 3, 20, 10, 2500, 4000, 1
        collection.db.executemany(f"insert into notes values ({','.join('?' * 11)})", list(notes()))
        collection.db.executemany(f"insert into cards values ({','.join('?' * 18)})", list(cards()))
        collection.db.executemany(f"insert into revlog values ({','.join('?' * 9)})", list(reviews()))
        export_from(collection, pathlib.Path(directory, "package.apkg"))
        collection.close()


def timed(work, *arguments):
    begin = time.monotonic()
    work(*arguments)
    print(json.dumps({"seconds": time.monotonic() - begin}))


def main():
    command, path = sys.argv[1], sys.argv[2]
    if command == "make":
        return make(path)
    with tempfile.TemporaryDirectory() as folder:
        collection = Collection(folder + "/target.anki2")
        if command == "import":
            timed(import_into, collection, path)
        else:
            import_into(collection, path)
            timed(export_from, collection, pathlib.Path(folder, "exported.apkg"))
        collection.close()
    return None


if __name__ == "__main__":
    main()
