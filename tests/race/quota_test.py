"""Fifty writers of one account at once: media batches, packages and whole collections, until its quota is full.

What the account holds, and what its writers have reserved, is read all the time and never passes the quota; each refusal has
the form that its client shows. Needs the package `anki` for the packages.
"""

import concurrent.futures
import json
import os
import pathlib
import sqlite3
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
try:
    from anki.collection import Collection, ExportAnkiPackageOptions
except ImportError as e:
    print(f"the real client is not available: {os.environ.get('SYNCLINE_VENV_PROBLEM') or e}")
    sys.exit(77)
from anki_wire import Device, Refused, Wire
from database import Session
from media_wire import Media, ServerMessage
from promises import keep, until
from rest_wire import script_login
from stack import Stack

PASSWORD = "a full quota 8"
WRITERS, QUOTA_MIB, MIB = 50, 12, 1 << 20
FULL = "Your storage on this server is full."
# What an account holds and has reserved, as sql/queries/blobs/used_bytes.sql counts it.
USED = ("SELECT (SELECT coalesce(sum(bytes), 0) FROM account_bytes h WHERE h.user_id = u.user_id)"
        " + (SELECT coalesce(sum(bytes), 0) FROM blob_reservations r WHERE r.user_id = u.user_id AND expires_at > now())"
        " FROM users u WHERE name = 'full'")

stack: Stack


def make_package(folder, n):
    """Some notes and half a MiB of media; all packages differ."""
    collection = Collection(str(folder / f"source{n}.anki2"))
    note = collection.new_note(collection.models.by_name("Basic"))
    note.fields[0] = f"package {n} [sound:package {n}.bin]"
    collection.add_note(note, collection.decks.id(f"Deck {n}"))
    pathlib.Path(collection.media.dir(), f"package {n}.bin").write_bytes(os.urandom(MIB // 2))
    path = folder / f"{n}.apkg"
    collection.export_anki_package(out_path=str(path), limit=None, options=ExportAnkiPackageOptions(
        with_scheduling=False, with_deck_configs=False, with_media=True, legacy=False))
    collection.close()
    return path.read_bytes()


def make_collections(folder, empty, count):
    """Whole collections of 300 to 900 KiB that do not compress."""
    made = []
    for n in range(count):
        path = folder / f"upload{n}.anki2"
        path.write_bytes(empty)
        db = sqlite3.connect(path)
        notetype = db.execute("SELECT id FROM notetypes").fetchone()[0]
        for i in range(1 + n % 3):
            db.execute("INSERT INTO notes VALUES (?, ?, ?, 1600000000, 0, '', ?, '', 0, 0, '')",
                       (1_600_000_000_000 + i, f"u{n}-{i}", notetype, f"{os.urandom(150_000).hex()}\x1fback"))
        db.commit()
        db.close()
        made.append(path.read_bytes())
    return made


def ask(path, body=None):
    request = urllib.request.Request(stack.http + path, data=body, headers={"Authorization": script_login("full", PASSWORD, stack.http),
                                                                           "Content-Type": "application/octet-stream"})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def again_while_busy(write):
    """Clients try again later; nothing else may end a writer."""
    while True:
        try:
            return write()
        except Refused as refused:
            assert refused.status in (429, 503), refused
            time.sleep(0.05)


def send_media(wire, n):
    media = Media(wire.again())
    try:
        media.upload([(f"f{n}-{i}", os.urandom(150_000)) for i in range(4)])
        return "taken"
    except ServerMessage as message:
        assert str(message).startswith(FULL[:-1] + ":"), message
        return "full"


def send_collection(wire, data):
    answer = wire.again().upload(data)
    if "again" in answer:
        raise Refused("upload", 429)
    assert answer in ("OK", FULL), answer
    return "taken" if answer == "OK" else "full"


def send_package(package):
    while True:
        status, answer = ask("/api/sync/import/", package)
        if status not in (429, 503):
            break
        time.sleep(0.05)
    if status == 507:
        assert (answer["code"], answer["message"]) == ("over_quota", FULL), answer
        return "full"
    assert status == 202, (status, answer)
    state = until(lambda: found if (found := ask(f"/api/sync/import/{answer['id']}")[1])["state"] in ("done", "failed") else None,
                  240, "the import ends", pause=0.2)
    if state["state"] == "failed":
        assert (state["error"]["code"], state["error"]["message"]) == ("over_quota", FULL), state
        return "full"
    return "taken"


class Watch(threading.Thread):
    """Reads what counts, as often as it can."""

    def __init__(self):
        super().__init__(daemon=True)
        self.most = self.looks = 0
        self.is_over = False

    def run(self):
        with Session(stack.env["DATABASE_URL"]) as session:
            while not self.is_over:
                self.most = max(self.most, session.number(USED))
                self.looks += 1


def fifty_writers_of_all_kinds_never_pass_the_quota_and_are_told_in_their_own_way():
    stack.add_user("full", PASSWORD)
    wire = Wire(stack.http + "/").log_in("full", PASSWORD)
    Device(wire.again()).sync()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        packages = [make_package(folder, n) for n in range(14)]
        collections = make_collections(folder, wire.again().send("download", b"{}"), 12)
    stack.admin("user", "quota", "full", str(QUOTA_MIB))
    writers = [("package", lambda package=package: send_package(package)) for package in packages]
    writers += [("upload", lambda data=data: again_while_busy(lambda: send_collection(wire, data))) for data in collections]
    writers += [("media", lambda n=n: again_while_busy(lambda: send_media(wire, n))) for n in range(WRITERS - len(writers))]
    order = sorted(range(WRITERS), key=lambda n: n * 7 % WRITERS)  # mixed
    watch = Watch()
    watch.start()
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as threads:
        calls = [(writers[n][0], threads.submit(writers[n][1])) for n in order]
        results = [(kind, call.result(300)) for kind, call in calls]
    watch.is_over = True
    watch.join(10)
    counts = {f"{kind} {what}": results.count((kind, what)) for kind, what in sorted(set(results))}
    assert watch.most <= QUOTA_MIB * MIB and watch.looks > 100, (watch.most, watch.looks, counts)
    for kind in ("media", "package", "upload"):
        assert counts.get(f"{kind} full") and (counts.get(f"{kind} taken") or kind == "upload"), counts
    with Session(stack.env["DATABASE_URL"]) as session:
        assert session.number("SELECT count(*) FROM blob_reservations") == 0
        assert session.number("SELECT count(*) FROM anki_sessions") == 0
        files = session.number("SELECT count(*) FROM anki_media_files WHERE sha1 IS NOT NULL")
    assert files == 4 * counts["media taken"] + counts["package taken"], (files, counts)
    return f"at most {watch.most} of {QUOTA_MIB * MIB} bytes in {watch.looks} looks; {counts}"


def main():
    global stack
    with Stack() as stack:
        return keep(fifty_writers_of_all_kinds_never_pass_the_quota_and_are_told_in_their_own_way)


if __name__ == "__main__":
    sys.exit(main())
