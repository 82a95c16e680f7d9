#!/usr/bin/env python3
"""Conversations of clients of versions 8 to 10, written by hand from the protocol's reference, through nginx: each kind of old
client logs in, uploads and downloads a collection, syncs changes and deletions with devices of other versions, and gets its
refusals in a form that it understands.

SYNCLINE_HTTP, SYNCLINE_ADMIN and SYNCLINE_DIR locate the server (`<dir>/env` of ./run).
"""

import concurrent.futures
import gzip
import http.client
import json
import os
import pathlib
import secrets
import socket
import sqlite3
import sys
import tempfile
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_forms import CLIENTS, FormWire, form
from anki_wire import Device, Wire, status_of
from database import Hold, everybody
from installation import admin
from media_wire import Folder, Media, ServerMessage, sha1
from promises import keep, until

HTTP = os.environ["SYNCLINE_HTTP"]
PASSWORD = "a good password"
MIB = 1 << 20


def new_account():
    name = "old-" + secrets.token_hex(6)
    admin("user", "add", name, "--password-file", "-", stdin=PASSWORD + "\n")
    return name


def logged_in(account, client="desktop 2.1.49"):
    return FormWire(HTTP, client=client).log_in(account, PASSWORD)


def opened(data):
    """A collection file as SQLite reads it."""
    with tempfile.NamedTemporaryFile(suffix=".anki2") as file:
        file.write(data)
        file.flush()
        before, after = sqlite3.connect(file.name), sqlite3.connect(":memory:")
        before.backup(after)
        before.close()
        return after


def as_bytes(collection):
    collection.commit()
    with tempfile.NamedTemporaryFile(suffix=".anki2") as file:
        copy = sqlite3.connect(file.name)
        collection.backup(copy)
        copy.close()
        return pathlib.Path(file.name).read_bytes()


def each_client_logs_in_and_learns_what_is_there():
    for client in CLIENTS:
        account = new_account()
        wire = logged_in(account, client)
        meta = wire.ask("meta", {"v": wire.version, "cv": "ankidesktop,2.1.15,lin"})
        assert meta["cont"] and meta["empty"] and meta["usn"] == 0 and meta["msg"] == "", meta
        assert {"mod", "scm", "ts"} <= meta.keys()


def a_wrong_password_or_key_is_a_403():
    account = new_account()
    for client in CLIENTS:
        wire = FormWire(HTTP, client=client)
        assert status_of(lambda: wire.log_in(account, "wrong")) == 403
        for key in ("nonsense", "", logged_in(account).key[:-1] + "!"):
            wire.key = key
            assert status_of(lambda: wire.ask("meta", {"v": 10, "cv": "x"})) == 403, key


def a_new_collection_is_downloaded_in_schema_11_and_uploaded_again():
    for client in CLIENTS:
        account = new_account()
        wire = logged_in(account, client)
        file = wire.download()
        collection = opened(file)
        assert collection.execute("SELECT ver FROM col").fetchone() == (11,)
        assert collection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        models = json.loads(collection.execute("SELECT models FROM col").fetchone()[0])
        assert len(models) >= 1
        add_note(collection, next(iter(models)), f"of {client}")
        sent = as_bytes(collection)
        assert wire.upload(sent) == "OK"
        # What was uploaded in schema 11 is sent back as it is; a client of version 11 takes it, too.
        assert wire.download() == sent
        newer = Wire(HTTP).log_in(account, PASSWORD)
        assert newer.send("download", b"{}") == sent


def add_note(collection, notetype, text, i=1_600_000_000_000):
    collection.execute("INSERT INTO notes VALUES (?, ?, ?, ?, 0, '', ?, ?, 0, 0, '')",
                       (i, f"guid{i}", int(notetype), i // 1000, f"{text}\x1fback", text))
    collection.execute("INSERT INTO cards VALUES (?, ?, 1, 0, ?, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, '')",
                       (i + 1, i, i // 1000))
    collection.execute("UPDATE col SET mod = mod + 1000, scm = scm + 1, ls = mod, usn = usn + 1")


def devices_of(account, *wires):
    """In-memory devices, all with the account's collection."""
    devices = [Device(wire) for wire in wires]
    for device in devices:
        device.sync()
    return devices


def each_client_converges_with_one_of_version_11():
    for client in CLIENTS:
        account = new_account()
        old, new, third = devices_of(account, logged_in(account, client), Wire(HTTP).log_in(account, PASSWORD),
                                     logged_in(account))
        first = old.add_note("from the old one", reviews=2)
        second = new.add_note("from the new one", reviews=1)
        for device in (old, new, old):
            device.sync()
        assert old.content() == new.content(), client
        old.edit_note(second, "edited by the old one")
        old.remove_note(first)
        new.add_note("another")
        for device in (old, new, old, third):
            device.sync()
        assert old.content() == new.content() == third.content(), client
        assert first not in new.rows["notes"] and len(new.rows["notes"]) == 2, client


def a_file_with_changes_since_is_downloaded_in_schema_11():
    account = new_account()
    newer, older = Wire(HTTP).log_in(account, PASSWORD), logged_in(account, "AnkiDroid 2.8")
    device, = devices_of(account, newer)
    note = device.add_note("after the file", reviews=3)
    device.sync()
    collection = opened(older.download())
    assert collection.execute("SELECT ver FROM col").fetchone() == (11,)
    assert collection.execute("SELECT flds FROM notes WHERE id = ?", (note,)).fetchone() == ("after the file\x1fback",)
    assert collection.execute("SELECT count(*) FROM revlog").fetchone() == (3,)
    assert collection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def a_large_upload_and_a_large_message_arrive():
    for client in ("desktop 2.1.49", "desktop 2.1.0"):
        account = new_account()
        wire = logged_in(account, client)
        collection = opened(wire.download())
        models = json.loads(collection.execute("SELECT models FROM col").fetchone()[0])
        for n in range(40):
            add_note(collection, next(iter(models)), secrets.token_hex(100_000), 1_600_000_000_000 + 2 * n)
        wire.ask("meta", {"v": wire.version, "cv": "x"})
        sent = as_bytes(collection)
        assert len(sent) > 8 * MIB
        assert wire.upload(sent) == "OK"
        assert wire.download() == sent
        device = Device(wire)
        device.usn = wire.ask("meta", {"v": wire.version, "cv": "x"})["usn"]
        until_imported = Device(wire.again())
        until(lambda: status_of(until_imported.sync) == 200, 30)
        for _ in range(60):
            until_imported.add_note(secrets.token_hex(50_000))
        until_imported.sync()  # 6 MB in one chunk
        other = Device(Wire(HTTP).log_in(account, PASSWORD))
        other.sync()
        assert other.content() == until_imported.content()


def an_upload_that_is_none_is_refused_in_words():
    wire = logged_in(new_account())
    before = wire.download()
    for nonsense in (b"", b"nonsense", b"SQLite format 3\0" + b"x" * 5000, before[:len(before) // 2]):
        answer = wire.upload(nonsense)
        assert answer != "OK" and len(answer) > 10, answer
    assert wire.download() == before


def a_full_account_is_told_so_in_words():
    account = new_account()
    wire = logged_in(account)
    collection = opened(wire.download())
    models = json.loads(collection.execute("SELECT models FROM col").fetchone()[0])
    for n in range(20):
        add_note(collection, next(iter(models)), secrets.token_hex(100_000), 1_600_000_000_000 + 2 * n)
    admin("user", "quota", account, "1")
    answer = wire.upload(as_bytes(collection))
    assert "storage on this server is full" in answer, answer
    device, = devices_of(account, wire)
    for _ in range(20):
        device.add_note(secrets.token_hex(100_000))
    assert status_of(device.sync) == 507
    wire.ask("meta", {"v": 10, "cv": "x"})


def lies_about_the_compression_are_a_400():
    wire = logged_in(new_account())
    login = [("k", wire.key), ("s", wire.session)]
    message = b'{"v":10,"cv":"x"}'
    for parts, status in (([("c", 1), ("data", gzip.compress(message))], 200), ([("c", 0), ("data", message)], 200),
                          ([("data", message)], 200), ([("c", 1), ("data", message)], 400),
                          ([("c", 0), ("data", gzip.compress(message))], 400),
                          ([("data", gzip.compress(message))], 400),
                          ([("c", 1), ("data", gzip.compress(message)[:-1])], 400),
                          ([("c", 1), ("data", gzip.compress(message) + b"x")], 400)):
        assert status_of(lambda: wire.send_parts("sync/meta", login + parts)) == status, parts
    # An upload that is no gzip is no file either way.
    assert status_of(lambda: wire.send_parts("sync/upload", [("data", b"nonsense"), ("c", 1), *login])) == 400


def malformed_forms_are_a_400():
    wire = logged_in(new_account())
    key, message = ("k", wire.key), ("data", b'{"v":10,"cv":"x"}')
    assert status_of(lambda: wire.send_parts("sync/meta", [key, message])) == 200
    assert status_of(lambda: wire.send_parts("sync/meta", [("sk", wire.key), message])) == 200
    assert status_of(lambda: wire.send_parts("sync/meta", [key, ("unknown", "x"), message])) == 200
    for parts in ([key, key, message], [key, ("sk", wire.key), message], [key, message, message], [key, ("s", "x" * 65), message],
                  [key, ("s", "a\0b"), message], [key] + [("x", "y")] * 100 + [message], [("k", "x" * 10_000), message]):
        assert status_of(lambda: wire.send_parts("sync/meta", parts)) in (400, 413), parts
    for body in (b"", b"--b", b"--Anki-sync-boundary\r\n\r\n", form([key, message], b"Anki-sync-boundary")[:-60], b"x" * 20_000):
        assert status_of(lambda: wire.send_body("sync/meta", body)) in (400, 413, 403), body
    # A method that needs a session needs its key.
    for method in ("start", "applyGraves", "chunk", "finish"):
        assert status_of(lambda: wire.send_parts("sync/" + method, [key, ("data", b"{}")])) == 400, method


def bombs_are_refused():
    wire = logged_in(new_account())
    wire.ask("start", {"minUsn": 0, "lnewer": True})
    for method, content in (("meta", b" " * 50 * MIB), ("start", b"{" + b" " * 50 * MIB), ("applyChunk", b" " * 400 * MIB),
                            ("applyChunk", b'{"chunk":' + b"[" * 10 * MIB), ("applyChanges", b'{"a":' * MIB)):
        assert status_of(lambda: wire.send(method, content)) in (400, 413), method
    assert wire.upload(b"\0" * 300 * MIB) != "OK"
    wire.ask("meta", {"v": 10, "cv": "x"})


def a_version_outside_8_to_11_is_a_501():
    wire = logged_in(new_account())
    for version in (0, 7, 12):
        assert status_of(lambda: wire.ask("meta", {"v": version, "cv": "x"})) == 501


def an_old_client_learns_that_it_is_too_old_for_the_scheduler():
    account = new_account()
    device, = devices_of(account, Wire(HTTP).log_in(account, PASSWORD))
    cases = (({"schedVer": 1}, 8), ({"schedVer": 2}, 9), ({"schedVer": 2, "creationOffset": 300}, 10))
    for config, least in cases:
        device.conf = {**{k: v for k, v in device.conf.items() if k not in ("schedVer", "creationOffset")}, **config}
        device.mod += 10**12
        device.sync()
        for client in CLIENTS:
            wire = logged_in(account, client)
            meta = wire.ask("meta", {"v": wire.version, "cv": "x"})
            assert meta["cont"] == (wire.version >= least), (config, client, meta)
            assert meta["cont"] or "update" in meta["msg"], meta


def a_stranger_cannot_store_a_large_form():
    """From an address without a sync in the last hour, nothing above 256 KiB is taken, whatever the form says."""
    account = new_account()
    key = logged_in(account).key
    base = urllib.parse.urlsplit(HTTP)
    stranger = "127.0.0." + str(100 + secrets.randbelow(150))

    def ask(path, body, source):
        connection = http.client.HTTPConnection(base.hostname, base.port, timeout=20, source_address=(source, 0))
        try:
            connection.request("POST", path, body, {"content-type": "multipart/form-data; boundary=b"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    body = form([("k", key), ("s", "abc"), ("c", 0), ("data", b"nonsense")], b"b")
    meta = form([("k", key), ("data", b'{"v":10,"cv":"x"}')], b"b")
    for path in ("/sync/upload", "/sync/applyChunk", "/sync/applyChanges", "/msync/uploadChanges"):
        status, text = ask(path, body, stranger)
        assert status == 503, (path, status, text)
    # The refusal comes before the body was sent.
    with socket.create_connection((base.hostname, base.port), 20, source_address=(stranger, 0)) as connection:
        connection.sendall(b"POST /sync/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n"
                           b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 503"), "no refusal"
    # A wrong key opens nothing; a right one does.
    assert ask("/sync/meta", meta.replace(key.encode(), b"wrong"), stranger)[0] == 403
    assert ask("/sync/upload", body, stranger)[0] == 503
    assert ask("/sync/meta", meta, stranger)[0] == 200
    status, text = ask("/sync/upload", body, stranger)
    assert status == 200 and b"corrupt" in text, (status, text)
    # And what is taken then needs a key of its own.
    assert ask("/sync/upload", body.replace(key.encode(), b"wrong"), stranger)[0] == 403


def each_client_syncs_media_with_one_of_version_11():
    for client in CLIENTS:
        account = new_account()
        old, new = Folder(logged_in(account, client)), Folder(Wire(HTTP).log_in(account, PASSWORD))
        for n in range(60):
            old.put(f"old {n}.jpg", secrets.token_bytes(2_000))
            new.put(f"new {n}.mp3", secrets.token_bytes(2_000))
        old.put("\u00e4\u00f6\u00fc \u65e5\u672c.png", secrets.token_bytes(100_000))
        old.sync()
        new.sync()
        old.sync()
        assert old.files == new.files and len(new.files) == 121, client
        new.remove("old 3.jpg")
        new.put("old 4.jpg", b"changed")
        old.remove("new 5.mp3")
        for folder in (new, old, new):
            folder.sync()
        assert old.files == new.files and len(new.files) == 119, client
        assert old.files["old 4.jpg"] == b"changed"


def a_deleted_file_has_an_empty_hash_and_cannot_be_asked_for():
    media = Media(logged_in(new_account(), "desktop 2.1.0"))
    media.begin()
    media.upload([("a", b"a"), ("b", b"b"), ("c", b"c")])
    media.upload([("b", None)])
    assert [(name, fingerprint) for name, _, fingerprint in media.changes(0)] == [("a", sha1(b"a")), ("c", sha1(b"c")), ("b", "")]
    assert status_of(lambda: media.download(["a", "b", "c"])) == 409
    assert media.download(["a", "c"]) == {"a": b"a", "c": b"c"}
    assert (media.sanity(2), media.sanity(3)) == ("OK", "mediaSanity")


def a_large_file_of_media_arrives_and_a_full_account_is_told():
    account = new_account()
    for client in ("desktop 2.1.49", "AnkiDroid 2.15"):
        media = Media(logged_in(account, client))
        media.begin()
        data = secrets.token_bytes(20 * MIB)
        assert media.upload([(client, data)])[0] == 1
        assert media.download([client]) == {client: data}
        admin("user", "quota", account, "1")
        try:
            media.upload([("one more", secrets.token_bytes(MIB))])
            raise AssertionError("taken")
        except ServerMessage as message:
            assert "storage on this server is full" in str(message), message
        admin("user", "quota", account, "unlimited")


def media_forms_are_checked():
    wire = logged_in(new_account())
    media = Media(wire)
    media.begin()
    # What upstream's own tests send.
    assert json.loads(wire.send_parts("msync/begin", [("c", 0), ("v", "x"), ("k", wire.key)]))["data"]["usn"] == 0
    for before in ([], [("c", 0), ("v", "client")]):
        parts = [*before, ("sk", wire.key), ("data", b'{"lastUsn":0}')]
        assert json.loads(wire.send_parts("msync/mediaChanges", parts)) == {"data": [], "err": ""}
    assert json.loads(wire.send_parts("msync/begin", [("k", wire.key), ("data", b'{"v":"x"}')]))["data"]["sk"] == wire.key
    assert status_of(lambda: wire.send_parts("msync/begin", [("k", wire.key), ("data", b"{}")])) == 400
    for path in ("msync/mediaChanges", "msync/uploadChanges", "msync/downloadFiles", "msync/mediaSanity", "msync/begin"):
        assert status_of(lambda: wire.send_parts(path, [("sk", "nonsense"), ("v", "x"), ("data", b"{}")])) == 403, path
        assert status_of(lambda: wire.send_parts(path, [("sk", wire.key), ("k", wire.key), ("data", b"{}")])) == 400, path
    for parts in ([("data", b"no zip")], [("c", 1), ("data", b"no gzip")], []):
        assert status_of(lambda: wire.send_parts("msync/uploadChanges", [("sk", wire.key), *parts])) == 400, parts
    # Where people without a media address end up.
    for prefix in ("", "msync//", "sync/media/", "sync/"):
        assert json.loads(wire.exchange("GET", f"{prefix}begin?k={wire.key}&v=x"))["data"]["usn"] == 0, prefix
        assert json.loads(wire.send_parts(prefix + "mediaSanity", [("sk", wire.key), ("data", b'{"local":0}')]))["data"] == "OK"


def many_devices_of_an_account_wait_for_each_other():
    """More at once than run at once, while those that run are stopped: the others wait, although their forms are read."""
    wire = logged_in(new_account())
    wires = [wire.again() for _ in range(12)]
    with Hold(os.environ["DATABASE_URL"], everybody("anki_sessions")) as hold, \
            concurrent.futures.ThreadPoolExecutor(len(wires)) as pool:
        answers = [pool.submit(status_of, lambda one=one: one.ask("start", {"minUsn": 0, "lnewer": True, "x": "y" * 10_000}))
                   for one in wires]
        hold.wait(2)
        hold.let_go()
        statuses = [answer.result() for answer in answers]
    assert statuses == [200] * len(wires), statuses


def devices_are_named_after_their_clients():
    account = new_account()
    logged_in(account, "AnkiDroid 2.15")
    listed = admin("device", "list", account)
    assert "AnkiDroid-2.15.6" in listed, listed


if __name__ == "__main__":
    sys.exit(keep(each_client_logs_in_and_learns_what_is_there,
                  a_wrong_password_or_key_is_a_403,
                  a_new_collection_is_downloaded_in_schema_11_and_uploaded_again,
                  each_client_converges_with_one_of_version_11,
                  a_file_with_changes_since_is_downloaded_in_schema_11,
                  a_large_upload_and_a_large_message_arrive,
                  an_upload_that_is_none_is_refused_in_words,
                  a_full_account_is_told_so_in_words,
                  lies_about_the_compression_are_a_400,
                  malformed_forms_are_a_400,
                  bombs_are_refused,
                  a_version_outside_8_to_11_is_a_501,
                  an_old_client_learns_that_it_is_too_old_for_the_scheduler,
                  a_stranger_cannot_store_a_large_form,
                  each_client_syncs_media_with_one_of_version_11,
                  a_deleted_file_has_an_empty_hash_and_cannot_be_asked_for,
                  a_large_file_of_media_arrives_and_a_full_account_is_told,
                  media_forms_are_checked,
                  many_devices_of_an_account_wait_for_each_other,
                  devices_are_named_after_their_clients))
