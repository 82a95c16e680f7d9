"""SIGKILL of the worker at every stage of an import, and of PostgreSQL: the package is imported once and whole, or not yet.

The lease of the killed worker's job is ended by hand, so that the test need not wait for it. Needs the package `anki`.
"""

import pathlib
import shutil
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "support"))
from database import Session  # noqa: E402
from promises import keep, until  # noqa: E402
from rest_wire import script_login
from stack import Stack  # noqa: E402

try:
    import json
    import urllib.request

    from anki.collection import Collection, ExportAnkiPackageOptions
    from anki_device import Device
except ImportError as problem:
    print(f"skipped: {problem}")
    sys.exit(77)

PASSWORD = "killed while importing 7"
NOTES, FILES = 12_000, 1_000
# Fractions of the time that an undisturbed import takes.
MOMENTS = [0.02, 0.15, 0.35, 0.55, 0.75, 0.9]

stack: Stack
folder: pathlib.Path


def make_package():
    collection = Collection(str(folder / "source.anki2"))
    notetype = collection.models.by_name("Basic")
    media = pathlib.Path(collection.media.dir())
    for i in range(FILES):
        media.joinpath(f"file {i}.bin").write_bytes(f"{i} ".encode() * 2000)
    for i in range(NOTES):
        note = collection.new_note(notetype)
        note.fields[0] = f"note {i} [sound:file {i % FILES}.bin]"
        collection.add_note(note, collection.decks.id("Imported"))
    collection.export_anki_package(out_path=str(folder / "a.apkg"), limit=None, options=ExportAnkiPackageOptions(
        with_scheduling=True, with_deck_configs=True, with_media=True, legacy=False))
    collection.close()


class Account:
    def __init__(self, name):
        self.name = name
        stack.add_user(name, PASSWORD)
        self.device = Device(folder, name, stack.http + "/")
        self.device.log_in(name, PASSWORD)
        self.device.upload()

    def ask(self, path, method="GET", body=None):
        request = urllib.request.Request(stack.http + path, data=body, method=method,
                                         headers={"Authorization": script_login(self.name, PASSWORD, stack.http), "Content-Type": "application/octet-stream"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def start(self):
        return "/api/sync/import/" + self.ask("/api/sync/import/?with_scheduling=true", "POST",
                                              (folder / "a.apkg").read_bytes())["id"]

    def state(self, location):
        return self.ask(location)["state"]

    def rows(self):
        """Notes, cards, media files, and what the collection's counters say; and whether the import is done."""
        with Session(stack.env["DATABASE_URL"]) as session:
            return [int(value) for value in session.ask(
                "SELECT (SELECT count(*) FROM anki_notes n WHERE n.user_id = u.user_id),"
                " (SELECT count(*) FROM anki_cards n WHERE n.user_id = u.user_id),"
                " (SELECT count(*) FROM anki_media_files n WHERE n.user_id = u.user_id),"
                " (SELECT notes FROM anki_collections n WHERE n.user_id = u.user_id),"
                " (SELECT count(*) FROM anki_imports n WHERE n.user_id = u.user_id AND state = 'done')"
                f" FROM users u WHERE u.name = '{self.name}'")[0]]

    def expect_all_or_nothing(self):
        assert self.rows() in ([0, 0, 0, 0, 0], [NOTES, NOTES, FILES, NOTES, 1]), self.rows()

    def finish(self, location):
        until(lambda: self.state(location) == "done", 60)
        assert self.rows() == [NOTES, NOTES, FILES, NOTES, 1], self.rows()
        self.device.sync_normally()
        assert self.device.col.note_count() == NOTES
        assert self.device.col.fix_integrity()[1], "the check of the client"
        self.device.close()
        with Session(stack.env["DATABASE_URL"]) as session:
            left = session.ask("SELECT (SELECT count(*) FROM anki_sessions), (SELECT count(*) FROM anki_staged_notes)")
            assert left == [["0", "0"]], left


def rescue():
    with Session(stack.env["DATABASE_URL"]) as session:
        session.ask("UPDATE jobs SET lease_expires_at = now() - interval '1 s' WHERE state = 'running'")


def undisturbed():
    """Seconds of an import, from the answer to its request."""
    took = []
    for i in range(2):
        account = Account(f"undisturbed-{i}")
        location = account.start()
        begin = time.monotonic()
        until(lambda: account.state(location) == "done", 60, pause=0.01)
        took.append(time.monotonic() - begin)
        account.finish(location)
    return min(took)


def a_killed_worker_imports_everything_or_nothing():
    took = undisturbed()
    killed = []
    for i, moment in enumerate(MOMENTS):
        account = Account(f"killed-{i}")
        location = account.start()
        time.sleep(took * moment)
        pid = stack.kill("worker")
        killed.append(account.state(location))
        account.expect_all_or_nothing()
        stack.wait_for_another("worker", pid)
        rescue()
        account.finish(location)
    assert killed.count("running") >= len(MOMENTS) // 2, killed
    return f"an import takes {took:.1f} s; states when killed: {killed}"


def a_killed_database_imports_everything_or_nothing():
    account = Account("database")
    location = account.start()
    time.sleep(0.5)
    pid = stack.kill("postgres")
    stack.wait_for_another("postgres", pid)
    stack.wait_until_ready()
    account.expect_all_or_nothing()
    rescue()
    account.finish(location)


def main():
    global stack, folder
    folder = pathlib.Path(tempfile.mkdtemp(prefix="syncline-kill-import."))
    try:
        make_package()
        with Stack() as stack:
            return keep(a_killed_worker_imports_everything_or_nothing, a_killed_database_imports_everything_or_nothing)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
