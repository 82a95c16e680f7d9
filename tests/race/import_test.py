"""A package is imported into an account whose device is syncing, and the other way round: one waits for the other, or begins
again; nothing is mixed, and no full sync is forced. Needs the package `anki`.
"""

import concurrent.futures
import itertools
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
try:
    from anki.collection import Collection, ExportAnkiPackageOptions
    from anki_device import Device
except ImportError as e:
    print(f"the real client is not available: {os.environ.get('SYNCLINE_VENV_PROBLEM') or e}")
    sys.exit(77)
from database import Hold, Session, writers
from gate import Gate
from promises import keep, until
from rest_wire import script_login
from stack import Stack

PASSWORD = "a good password"
NOTES = 30
METHODS = ("start", "applyGraves", "applyChanges", "chunk", "applyChunk", "sanityCheck2", "finish")

stack: Stack
directory: pathlib.Path
numbers = itertools.count(1)
calls = concurrent.futures.ThreadPoolExecutor(4)


def make_package():
    collection = Collection(str(directory / "source.anki2"))
    for i in range(NOTES):
        note = collection.new_note(collection.models.by_name("Basic"))
        note.fields[0], note.tags = f"imported {i} [sound:{i}.mp3]", ["imported"]
        pathlib.Path(collection.media.dir(), f"{i}.mp3").write_bytes(b"sound %d" % i)
        collection.add_note(note, collection.decks.id("Imported"))
    collection.export_anki_package(out_path=str(directory / "a.apkg"), limit=None, options=ExportAnkiPackageOptions(
        with_scheduling=True, with_deck_configs=True, with_media=True, legacy=False))
    collection.close()


class Account:
    """Two real clients in sync; A connects through a gate."""

    def __init__(self):
        n = next(numbers)
        self.name = f"person{n}"
        stack.add_user(self.name, PASSWORD)
        self.gate = Gate(stack.http)
        self.b = Device(directory, f"b{n}", stack.http + "/")
        key = self.b.log_in(self.name, PASSWORD)
        self.notes = [self.b.add_note(f"old {i}") for i in range(3)]
        self.b.sync()
        self.b.upload()
        self.a = Device(directory, f"a{n}", self.gate.base, key)
        self.a.sync()
        self.a.download()
        until(lambda: self.is_imported(), 30)

    def is_imported(self):
        with Session(stack.env["DATABASE_URL"]) as session:
            return session.number("SELECT count(*) FROM jobs WHERE kind = 'anki.import' AND state IN ('queued', 'running')") == 0

    def ask(self, path, body=None):
        request = urllib.request.Request(stack.http + path, data=body, headers={"Authorization": script_login(self.name, PASSWORD, stack.http),
                                                                               "Content-Type": "application/octet-stream"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def start(self):
        return "/api/sync/import/" + self.ask("/api/sync/import/", (directory / "a.apkg").read_bytes())["id"]

    def finish(self, location):
        state = until(lambda: found if (found := self.ask(location))["state"] in ("done", "failed") else None, 60, pause=0.05)
        assert state["state"] == "done" and state["report"]["notes"]["added"] == NOTES, state

    def change(self):
        """What a sync of A needs all methods for."""
        self.a.remove_note(self.notes[0])
        self.a.add_note("of A")
        self.a.edit_note(self.notes[1], "edited by A")

    def both_have_everything(self):
        for device in (self.a, self.b, self.a):
            device.sync_normally()
        assert self.a.content() == self.b.content()
        assert len(self.a.notes("imported*")) == NOTES and len(self.a.notes()) == NOTES + 3
        for device in (self.a, self.b):
            assert device.col.fix_integrity()[1]
            device.close()


def an_import_waits_for_a_device_at_every_request_of_its_sync():
    seen = {}
    for method in METHODS:
        account = Account()
        account.change()
        held = []

        def action(forward, account=account, held=held, method=method):
            # Before the first request there is no session yet, and the import may go first.
            answer = forward() if method == "start" else None
            held.append(account.start())
            time.sleep(0.7)
            held.append(account.ask(held[0])["state"])
            return answer or forward()
        account.gate.at(method, action)
        account.a.sync_normally()
        assert account.gate.is_done(), method
        seen[method] = held[1]
        assert held[1] != "done", (method, held)
        account.finish(held[0])
        account.both_have_everything()
    return str(seen)


def a_device_that_syncs_while_an_import_stores_its_media_goes_first():
    account = Account()
    account.change()
    with Hold(stack.env["DATABASE_URL"], writers("blob_chunks")) as hold:
        # The package is received before.
        hold.let_go()
        location = account.start()
        hold.ask("BEGIN; " + writers("blob_chunks"))
        hold.wait(1)
        account.a.sync_normally()
        assert account.ask(location)["state"] == "running"
    account.finish(location)
    account.both_have_everything()


def a_device_that_syncs_while_an_import_stages_goes_first():
    account = Account()
    account.change()
    with Hold(stack.env["DATABASE_URL"], writers("anki_staged_notes")) as hold:
        location = account.start()
        hold.wait(1)
        mine = calls.submit(account.a.sync_normally)
        hold.wait(2)
    mine.result(30)
    account.finish(location)
    account.both_have_everything()


def a_device_that_syncs_while_an_import_commits_waits_for_it():
    account = Account()
    account.change()
    with Hold(stack.env["DATABASE_URL"], writers("anki_imports")) as hold:
        hold.let_go()
        location = account.start()
        hold.ask("BEGIN; " + writers("anki_imports"))
        hold.wait(1)
        mine = calls.submit(account.a.sync_normally)
        hold.wait(2)
        assert account.ask(location)["state"] != "done"
    mine.result(30)
    account.finish(location)
    account.both_have_everything()


def main():
    global stack, directory
    directory = pathlib.Path(tempfile.mkdtemp(prefix="syncline-import-race."))
    try:
        make_package()
        with Stack() as stack:
            return keep(an_import_waits_for_a_device_at_every_request_of_its_sync,
                        a_device_that_syncs_while_an_import_stores_its_media_goes_first,
                        a_device_that_syncs_while_an_import_stages_goes_first,
                        a_device_that_syncs_while_an_import_commits_waits_for_it)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
