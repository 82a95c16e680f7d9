"""Devices of a user: collections of the real `anki` package that sync with a running installation.

    account = Account()
    phone, laptop = account.device(), account.device()
    laptop.add_notes(3); laptop.upload()
    phone.download()
    assert_same(phone, laptop)

SYNCLINE_HTTP, SYNCLINE_HTTPS and SYNCLINE_ADMIN locate the installation (see <dir>/env); without them, or without the
package, a program exits with 77 and the reason. Left out on purpose: media, and our own implementation of the protocol
(tests/cases has that).
"""

import http.client
import http.server
import itertools
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

try:
    import anki.lang
    from anki import deck_config_pb2, decks_pb2, notetypes_pb2, sync_pb2
    from anki.collection import Collection
    from anki.errors import SyncError
except ImportError as problem:
    print(f"skipped: {os.environ.get('SYNCLINE_VENV_PROBLEM') or problem}")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from installation import admin, try_admin, when_let_in  # noqa: E402,F401
from own_ids import own_ids, own_moment  # noqa: E402

HTTP = os.environ.get("SYNCLINE_HTTP", "")
HTTPS = os.environ.get("SYNCLINE_HTTPS", "")
if not HTTP:
    print("skipped: set SYNCLINE_HTTP, SYNCLINE_ADMIN, ... to a running installation (see <dir>/env)")
    sys.exit(77)

PASSWORD = "correct horse 7"
Required = sync_pb2.SyncCollectionResponse
FULL = (Required.FULL_SYNC, Required.FULL_DOWNLOAD, Required.FULL_UPLOAD)


class FullSyncAsked(AssertionError):
    """A sync that should have been normal requires a full sync."""

    def __init__(self, required):
        super().__init__(f"the sync requires {Required.ChangesRequired.Name(required)}")
        self.required = required


_seconds = itertools.count(1_600_000_000)


def replace_file(path, data, new):
    """Writes to the path `new` and moves that to `path`, with a time that no other file has."""
    new.write_bytes(data)
    second = next(_seconds)
    os.utime(new, (second, second))
    os.replace(new, path)


def touch_folder(folder):
    """Gives the folder a time of its own, in milliseconds, as a client looks at it. The clock that a file system takes its
    times from ticks every 4 or 10 ms: two changes in a row may leave the same time, and the second is then not seen."""
    time.sleep(0.002)
    now = time.time_ns()
    os.utime(folder, ns=(now, now))


def sql(statement):
    """Runs a statement on the installation's database; returns rows as lists of text."""
    psql = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/psql"))[-1]
    done = subprocess.run([str(psql), "-qAtX", "-F", "\t", "-v", "ON_ERROR_STOP=1", os.environ["DATABASE_URL"]],
                          input=statement, text=True, capture_output=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


class StoppedWorkers:
    """Stops the workers, so that no job runs: uploaded files are not imported."""

    def __enter__(self):
        folder = pathlib.Path(os.environ["SYNCLINE_DIR"]) / "pids"
        self.pids = [int(path.read_text().split()[0]) for path in folder.glob("worker.*") if path.name[7:].isdigit()]
        assert self.pids, "no worker runs"
        for pid in self.pids:
            os.kill(pid, signal.SIGSTOP)
        return self

    def __exit__(self, *_):
        for pid in self.pids:
            os.kill(pid, signal.SIGCONT)


class Account:
    """A new account on the server, and a folder for its devices."""

    def __init__(self):
        self.name = "client-" + secrets.token_hex(6)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="syncline-clients."))
        self.devices = []
        admin("user", "add", self.name, "--password-file", "-", stdin=PASSWORD + "\n")

    def device(self, endpoint=None):
        device = Device(self, endpoint or HTTP + "/")
        self.devices.append(device)
        return device

    def id(self):
        return int(sql(f"SELECT user_id FROM users WHERE name = '{self.name}'")[0][0])

    def value(self, column):
        """A column of the account's row in anki_collections."""
        return sql(f"SELECT {column} FROM anki_collections WHERE user_id = {self.id()}")[0][0]

    def wait_for_import(self):
        """Waits until the last uploaded file has been imported."""
        end = time.monotonic() + 60
        while self.value("import_step") != "3":
            if time.monotonic() > end:
                raise RuntimeError("the import did not finish")
            time.sleep(0.02)

    def a_day_passes(self):
        """Makes the collection a day older everywhere, which has the effect of a new day."""
        sql(f"UPDATE anki_collections SET created_s = created_s - 86400 WHERE user_id = {self.id()}")
        for device in self.devices:
            device.col.db.execute("update col set crt = crt - 86400")
            device.reopen()

    def close(self):
        for device in self.devices:
            device.col.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def log_in(col, name, password, endpoint=HTTP + "/"):
    return when_let_in(lambda: col.sync_login(name, password, endpoint))


class Device:
    def __init__(self, account, endpoint):
        self.account = account
        self.path = account.folder / f"{len(account.devices)}.anki2"
        self.col = Collection(str(self.path))
        self.auth = log_in(self.col, account.name, PASSWORD, endpoint)

    def at(self, endpoint):
        """The same device with another server address configured."""
        self.auth = sync_pb2.SyncAuth(hkey=self.auth.hkey, endpoint=endpoint)
        return self

    def required(self):
        """Starts a sync and returns the kind required; a normal one is then done."""
        required = self.col.sync_collection(self.auth, False).required
        own_moment()
        return required

    def sync(self):
        """A normal sync; raises FullSyncAsked if a full one is required."""
        required = self.required()
        if required in FULL:
            raise FullSyncAsked(required)
        return self

    def _full(self, upload):
        self.col.close_for_full_sync()
        try:
            self.col.full_upload_or_download(auth=self.auth, server_usn=None, upload=upload)
        finally:
            self.col.reopen(after_full_sync=True)
        return self

    def upload(self):
        return self._full(True)

    def download(self):
        return self._full(False)

    def reopen(self):
        self.col.close()
        self.col = Collection(str(self.path))

    def begin_again(self):
        """With an empty collection, as after an installation; the files of its media stay."""
        self.col.close()
        self.path.unlink()
        self.col = Collection(str(self.path))
        return self

    # --- media

    def folder(self):
        return pathlib.Path(self.col.media.dir())

    def media(self):
        """{name: bytes} of the media folder."""
        return {path.name: path.read_bytes() for path in self.folder().iterdir()}

    def put_media(self, name, data):
        """As a program would replace it, in a second of its own. A client looks at files only if the time of the folder, in
        milliseconds, has changed, which writing to a file in place would not do; and into a file only if its time in seconds
        has changed."""
        replace_file(self.folder() / name, data, self.path.with_suffix(".new"))
        touch_folder(self.folder())

    def remove_media(self, name):
        (self.folder() / name).unlink()
        touch_folder(self.folder())

    def sync_media(self):
        """Syncs media and waits; raises what the client would show."""
        self.col.sync_media(self.auth)
        return self.wait_for_media()

    def wait_for_media(self):
        while self.col.media_sync_status().active:
            time.sleep(0.005)
        return self

    def problems(self):
        """The findings of Anki's own check on a copy of the collection, or an empty text."""
        self.col.close()
        copy = self.path.with_suffix(".copy.anki2")
        shutil.copy(self.path, copy)
        self.col = Collection(str(self.path))
        other = Collection(str(copy))
        try:
            text, _ = other.fix_integrity()
        finally:
            other.close()
        return "\n".join(line for line in text.splitlines() if line != "Database rebuilt and optimized.")

    # --- user actions

    def add_note(self, front, deck="Default", notetype="Basic", tags=(), back="back"):
        notetype = self.col.models.by_name(notetype)
        note = self.col.new_note(notetype)
        note.fields[0] = front
        if len(note.fields) > 1:
            note.fields[1] = back
        note.tags = list(tags)
        with own_ids(self.col):
            self.col.add_note(note, self.col.decks.id(deck))
        return note

    def deck(self, name):
        """The id of a deck, created if missing."""
        with own_ids(self.col):
            return self.col.decks.id(name)

    def add_notes(self, count, prefix="note", deck="Default", tags=()):
        return [self.add_note(f"{prefix} <b>{n}</b> &amp; \u00e9", deck, tags=tags) for n in range(count)]

    def note(self, front):
        """The only note with this first field."""
        ids = self.col.db.list("select id from notes where flds like ?", front + "\x1f%")
        assert len(ids) == 1, (front, ids)
        return self.col.get_note(ids[0])

    def edit(self, front, **fields):
        note = self.note(front)
        for name, value in fields.items():
            note[name] = value
        self.col.update_note(note)

    def answer(self, deck, count=1, ease=3):
        """Reviews cards of a deck like the reviewer. Returns their ids."""
        self.col.decks.select(self.col.decks.id(deck))
        answered = []
        for _ in range(count):
            card = self.col.sched.getCard()
            if card is None:
                break
            card.start_timer()
            with own_ids(self.col):
                self.col.sched.answerCard(card, ease)
            answered.append(card.id)
        return answered

    def count(self, table):
        return self.col.db.scalar(f"select count() from {table}")


def _message(kind, blob):
    """A protobuf column in comparable form; its unknown keys are a JSON object in any order."""
    message = kind.FromString(bytes(blob))
    other = json.loads(message.other or b"{}") if hasattr(message, "other") else {}
    if hasattr(message, "other"):
        message.ClearField("other")
    return message.SerializeToString(deterministic=True), other


NOTETYPE, DECK = notetypes_pb2.Notetype, decks_pb2.Deck


def contents(device):
    """Everything that sync transfers: {table: rows}. Not transferred: the times of templates, the state of the tag
    tree, the usn of tags and config."""
    db = device.col.db
    found = {table: db.all(f"select * from {table} order by 1") for table in ("notes", "cards", "revlog")}
    found["notetypes"] = [[*row[:4], _message(NOTETYPE.Config, row[4])] for row in
                          db.all("select id, name, mtime_secs, usn, config from notetypes order by id")]
    found["fields"] = [[*row[:3], _message(NOTETYPE.Field.Config, row[3])] for row in
                       db.all("select ntid, ord, name, config from fields order by ntid, ord")]
    found["templates"] = [[*row[:3], _message(NOTETYPE.Template.Config, row[3])] for row in
                          db.all("select ntid, ord, name, config from templates order by ntid, ord")]
    found["decks"] = [[*row[:4], _message(DECK.Common, row[4]), _message(DECK.KindContainer, row[5])] for row in
                      db.all("select id, name, mtime_secs, usn, common, kind from decks order by id")]
    found["deck_config"] = [[*row[:4], _message(deck_config_pb2.DeckConfig.Config, row[4])] for row in
                            db.all("select id, name, mtime_secs, usn, config from deck_config order by id")]
    found["config"] = sorted((key, json.loads(bytes(value))) for key, value in db.all("select KEY, val from config"))
    found["tags"] = sorted(db.list("select tag from tags"))
    found["col"] = db.all("select crt, scm from col")
    return found


def without_usn(rows, table):
    at = {"notes": 4, "cards": 5, "revlog": 2, "notetypes": 3, "decks": 3, "deck_config": 3}.get(table)
    return rows if at is None else [[*row[:at], *row[at + 1:]] for row in rows]


def assert_same(one, other, but=(), usns=True):
    """Asserts that both collections are equal row for row, that nothing is pending and that Anki's check is clean."""
    left, right = contents(one), contents(other)
    for table in left:
        if not usns:
            left[table], right[table] = (without_usn(side[table], table) for side in (left, right))
        if table in but or left[table] == right[table]:
            continue
        only_left = [row for row in left[table] if row not in right[table]]
        only_right = [row for row in right[table] if row not in left[table]]
        raise AssertionError(f"{table} differs:\n  one   {only_left[:3]}\n  other {only_right[:3]}"
                             f" ({len(only_left)}, {len(only_right)} rows)")
    for device in (one, other):
        for table in ("notes", "cards", "revlog", "graves", "notetypes", "decks", "deck_config", "tags"):
            waiting = device.count(f"{table} where usn = -1")
            assert waiting == 0, f"{waiting} rows of {table} have not been sent"
        problems = device.problems()
        assert not problems, problems


def round_of(one, other, usns=True):
    """Both devices exchange everything by normal syncs, and a third device that downloads has it, too."""
    one.sync()
    other.sync()
    one.sync()
    assert_same(one, other, usns=usns)
    third = one.account.device()
    third.download()
    try:
        assert_same(one, third, usns=usns)
    finally:
        third.col.close()
        one.account.devices.remove(third)


class Proxy:
    """Stands between a device and the server, and lets a test act in the middle of a sync.

    `before` and `after` get the method's name. If `before` returns False, the request is not sent to the server; if
    `after` returns None, the reply is not passed on: the connection closes. `watch` gets each exchange: method, body,
    status, reply. `to` is the server's address."""

    def __init__(self, before=None, after=None, watch=None, to=HTTP):
        self.to = to
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _body(self):
                if "chunked" not in self.headers.get("transfer-encoding", ""):
                    return self.rfile.read(int(self.headers.get("content-length", 0)))
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def do_POST(self):
                body, method = self._body(), self.path.rsplit("/", 1)[1]
                outer.seen.append(method)
                if before and before(method) is False:
                    self.close_connection = True
                    return
                connection = http.client.HTTPConnection(urllib.parse.urlsplit(outer.to).netloc, timeout=60)
                kept = {name: value for name, value in self.headers.items() if name in ("anki-sync", "content-type")}
                connection.request("POST", self.path, body, kept)
                answer = connection.getresponse()
                reply = answer.read()
                if watch:
                    watch(method, body, answer.status, reply)
                if after and after(method) is None:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name in ("anki-original-size", "content-type", "location"):
                    if answer.getheader(name):
                        self.send_header(name, answer.getheader(name))
                self.send_header("content-length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        self.seen = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class ClientTest(unittest.TestCase):
    """Gives every test its own account."""

    def setUp(self):
        self.account = Account()
        self.addCleanup(self.account.close)

    def pair(self, notes=5):
        """Two equal devices of one account, after a full upload and a full download."""
        one = self.account.device()
        one.add_notes(notes)
        one.upload()
        two = self.account.device()
        two.download()
        return one, two


def main():
    """Runs the tests of the calling program; arguments select tests by name."""
    anki.lang.set_lang("en")
    chosen = unittest.TestSuite()
    for test in _tests(unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])):
        if not sys.argv[1:] or any(word in test.id() for word in sys.argv[1:]):
            chosen.addTest(test)
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(chosen)
    failed = len(result.failures) + len(result.errors)
    for test, reason in result.skipped:
        print(f"skipped {test.id()}: {reason}")
    skipped = len(result.skipped)
    print(f"{result.testsRun - failed - skipped} passed, {failed} failed, {skipped} skipped")
    sys.exit(failed > 0)


def _tests(suite):
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from _tests(one)
        else:
            yield one
