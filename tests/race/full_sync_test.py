"""Whole collections against syncs: upload, restore, the import of an uploaded file, the sweep of old sessions.

Each pair runs in both orders, forced by the order in which the two reach a lock held by the test. The loser gets an
error; nothing is mixed, lost or duplicated.
"""

import concurrent.futures
import itertools
import os
import pathlib
import signal
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
try:
    from anki_device import FULL, Device, difference
except ImportError as e:
    print(f"the real client is not available: {os.environ.get('SYNCLINE_VENV_PROBLEM') or e}")
    sys.exit(77)
from anki.errors import SyncError

from database import Hold, Session
from gate import Gate
from promises import keep, until
from stack import Stack

PASSWORD = "a good password"
COLLECTION = "SELECT 1 FROM anki_collections FOR UPDATE"

stack: Stack
directory: pathlib.Path
database: str
numbers = itertools.count(1)
calls = concurrent.futures.ThreadPoolExecutor(4)


class Pair:
    """Two real clients of a new account, in sync. A connects through a gate."""

    def __init__(self, notes=20):
        n = next(numbers)
        self.name = f"person{n}"
        stack.add_user(self.name, PASSWORD)
        self.gate = Gate(stack.http)
        self.b = Device(directory, f"b{n}", stack.http + "/")
        self.key = self.b.log_in(self.name, PASSWORD)
        self.notes = [self.b.add_note(f"old {i}") for i in range(notes)]
        self.b.sync()
        self.b.upload()
        self.a = Device(directory, f"a{n}", self.gate.base, self.key)
        self.a.sync()
        self.a.download()
        self.gate.clear()

    def all_have(self, content):
        third = Device(directory, f"third{next(numbers)}", stack.http + "/", self.key)
        third.download()
        for name, device in (("A", self.a), ("B", self.b), ("a third device", third)):
            assert device.content() == content, f"{name}:\n{difference(device.content(), content)}"
        third.close()

    def race(self, method, other, a_first):
        """Races A's request `method` with other() for the lock of the collection. Returns the result of A's sync (None:
        the server refused) and that of other()."""
        results = []

        def action(forward):
            with Hold(database, COLLECTION) as hold:
                runs = [(forward,), (other,)] if a_first else [(other,), (forward,)]
                waiting = []
                for n, (run,) in enumerate(runs, 1):
                    waiting.append(calls.submit(run))
                    hold.wait(n)
            answers = [call.result() for call in waiting]
            results.append(answers[1 if a_first else 0])
            return answers[0 if a_first else 1]
        self.gate.at(method, action)
        try:
            wants = self.a.sync()
        except SyncError:
            wants = None
        assert self.gate.is_done()
        return wants, results[0]


def of_a_concurrent_upload_and_finish_the_upload_wins():
    for finish_first in (True, False):
        pair = Pair()
        pair.a.add_note("of A")
        pair.b.add_note("of B")
        pair.b.col.mod_schema(check=False)
        assert pair.b.sync() in FULL
        wants, _ = pair.race("finish", pair.b.upload, a_first=finish_first)
        assert wants == ("NO_CHANGES" if finish_first else None), wants
        # The user has chosen the upload; A must choose, whatever it had done. The replaced collection is in the
        # history.
        assert pair.a.sync() in FULL
        pair.a.download()
        pair.all_have(pair.b.content())
        with Session(database) as session:
            history = session.ask("SELECT h.notes FROM anki_history h JOIN users USING (user_id)"
                                  f" WHERE name = '{pair.name}'")
        assert history == [[str(21 if finish_first else 20)]], history


def after_a_concurrent_restore_and_finish_all_devices_agree():
    for finish_first in (True, False):
        pair = Pair()
        restored = pair.b.content()
        pair.b.remove_note(pair.notes[0])
        pair.b.col.mod_schema(check=False)
        pair.b.sync()
        pair.b.upload()
        pair.a.sync()
        pair.a.download()
        pair.a.add_note("of A")
        with Session(database) as session:
            generation = session.ask("SELECT generation FROM anki_history JOIN users USING (user_id)"
                                     f" WHERE name = '{pair.name}'")[0][0]
        # The restored rows are copied in separate transactions; the race is with the step after them.
        until(lambda: is_archived(pair.name), 60)
        wants, _ = pair.race("finish", lambda: stack.admin("anki", "restore", pair.name, "--at", generation),
                             a_first=finish_first)
        assert wants == ("NO_CHANGES" if finish_first else None), wants
        for device in (pair.a, pair.b):
            assert device.sync() in FULL
            device.download()
        pair.all_have(restored)


def is_archived(name):
    with Session(database) as session:
        return session.ask("SELECT bool_and(is_archived) FROM anki_history JOIN users USING (user_id)"
                           f" WHERE name = '{name}'") == [["t"]]


class StoppedWorker:
    """The worker, stopped while it holds no locks."""

    def __enter__(self):
        self.pid = stack.pids("worker")[1]

        def is_idle():
            os.kill(self.pid, signal.SIGSTOP)
            with Session(database) as session:
                busy = session.number("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE"
                                      " 'syncline-worker%' AND state <> 'idle'")
            if busy:
                os.kill(self.pid, signal.SIGCONT)
            return not busy
        until(is_idle)
        return self

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)

    def __exit__(self, *_):
        self.go_on()


def is_imported(name):
    with Session(database) as session:
        return session.ask("SELECT import_step FROM anki_collections JOIN users USING (user_id)"
                           f" WHERE name = '{name}'") == [["3"]]


def edit_at_both_ends(pair):
    """Changes rows that are imported first and rows that are imported last."""
    pair.a.add_note("new", tags=["new"])
    for first, second in ((0, 1), (-1, -2)):
        pair.a.edit_note(pair.notes[first], f"edited {first}")
        pair.a.remove_note(pair.notes[second])
    pair.a.review()


def a_sync_before_during_or_after_an_import_counts_correctly_and_loses_nothing():
    for when in ("start", "applyChunk", "sanityCheck2", "finish", "never"):
        with StoppedWorker() as worker:
            pair = Pair(notes=40)
            edit_at_both_ends(pair)

            def import_all(forward):
                worker.go_on()
                until(lambda: is_imported(pair.name), 60)
                return forward()
            if when != "never":
                pair.gate.at(when, import_all)
            pair.a.sync_normally()
            assert pair.gate.is_done()
        until(lambda: is_imported(pair.name), 60)
        pair.b.sync_normally()
        pair.all_have(pair.a.content())


def a_concurrent_import_step_and_finish_lose_nothing():
    for finish_first in (True, False):
        with StoppedWorker() as worker:
            pair = Pair(notes=40)
            edit_at_both_ends(pair)

            def action(forward):
                with Hold(database, COLLECTION) as hold:
                    if finish_first:
                        call = calls.submit(forward)
                        hold.wait(1, "syncline-fcgi")
                        worker.go_on()
                        hold.wait(1, "syncline-worker")
                    else:
                        worker.go_on()
                        hold.wait(1, "syncline-worker")
                        call = calls.submit(forward)
                        hold.wait(1, "syncline-fcgi")
                return call.result()
            pair.gate.at("finish", action)
            pair.a.sync_normally()
            assert pair.gate.is_done()
        until(lambda: is_imported(pair.name), 60)
        pair.b.sync_normally()
        pair.all_have(pair.a.content())


def expire(session, name):
    session.ask("UPDATE anki_sessions s SET expires_at = now() - interval '1 second' FROM users u"
                f" WHERE u.user_id = s.user_id AND u.name = '{name}'")


def sweep(session):
    session.ask("INSERT INTO jobs (kind, args, priority, state, run_at, turn)"
                " VALUES ('anki.sweep_sessions', '{}', 0, 'queued', now(), 0); NOTIFY syncline_jobs")


def a_sweep_removes_an_expired_session_and_never_a_new_one():
    for start_first in (True, False):
        pair = Pair()
        pair.a.add_note("of A")
        # A client that disappears in the middle.
        pair.gate.at("finish", lambda forward: (503, {}, b""))
        pair.gate.at("abort", lambda forward: (503, {}, b""))
        try:
            pair.a.sync()
            raise AssertionError("the sync succeeded")
        except SyncError:
            pair.gate.clear()
        with Session(database) as session:
            expire(session, pair.name)
            mine = f"SELECT 1 FROM anki_sessions JOIN users USING (user_id) WHERE name = '{pair.name}'"
            assert session.ask(mine) == [["1"]]

            def action(forward):
                with Hold(database, "SELECT 1 FROM anki_sessions FOR UPDATE") as hold:
                    if start_first:
                        call = calls.submit(forward)
                        hold.wait(1, "syncline-fcgi")
                        sweep(session)
                        hold.wait(1, "syncline-worker")
                    else:
                        sweep(session)
                        hold.wait(1, "syncline-worker")
                        call = calls.submit(forward)
                        hold.wait(1, "syncline-fcgi")
                return call.result()
            pair.gate.at("start", action)
            pair.a.sync_normally()
            assert pair.gate.is_done()
            assert session.ask(mine) == []
        pair.b.sync_normally()
        pair.all_have(pair.a.content())


def a_session_that_expires_before_its_finish_is_refused_and_the_next_sync_is_normal():
    pair = Pair()
    pair.a.add_note("of A")

    def action(forward):
        with Session(database) as session:
            expire(session, pair.name)
            sweep(session)
            until(lambda: session.ask("SELECT count(*) FROM anki_sessions") == [["0"]])
        answer = forward()
        assert answer[0] == 409, answer
        return answer
    pair.gate.at("finish", action)
    try:
        pair.a.sync()
        raise AssertionError("the sync succeeded")
    except SyncError:
        assert pair.gate.is_done()
    pair.a.sync_normally()
    pair.b.sync_normally()
    pair.all_have(pair.a.content())


def two_concurrent_first_uploads_both_succeed_and_the_earlier_one_is_history():
    name = f"person{next(numbers)}"
    stack.add_user(name, PASSWORD)
    devices = [Device(directory, f"first{next(numbers)}", stack.http + "/") for _ in range(2)]
    for device in devices:
        device.log_in(name, PASSWORD)
        device.add_note("mine")
        device.sync()
    # There is no collection to lock yet: they meet at the account.
    with Hold(database, f"SELECT 1 FROM users WHERE name = '{name}' FOR UPDATE") as hold:
        uploads = [calls.submit(device.upload) for device in devices]
        hold.wait(2)
    for upload in uploads:
        upload.result()
    with Session(database) as session:
        assert session.number("SELECT generation FROM anki_collections JOIN users USING (user_id)"
                              f" WHERE name = '{name}'") == 2


def main():
    global stack, directory, database
    with Stack() as stack, tempfile.TemporaryDirectory() as temporary:
        directory, database = pathlib.Path(temporary), stack.env["DATABASE_URL"]
        return keep(of_a_concurrent_upload_and_finish_the_upload_wins,
                    two_concurrent_first_uploads_both_succeed_and_the_earlier_one_is_history,
                    after_a_concurrent_restore_and_finish_all_devices_agree,
                    a_sync_before_during_or_after_an_import_counts_correctly_and_loses_nothing,
                    a_concurrent_import_step_and_finish_lose_nothing,
                    a_sweep_removes_an_expired_session_and_never_a_new_one,
                    a_session_that_expires_before_its_finish_is_refused_and_the_next_sync_is_normal)


if __name__ == "__main__":
    sys.exit(main())
