"""Anki's media sync, one request at a time, for tests that act between two requests.

Media sends the five methods over a Wire. Folder is a media folder in memory that decides like a real client (reference
implementation: rslib/src/sync/media/{changes,syncer}.rs), which is enough to detect files that are lost, mixed up or
invented. Left out on purpose: how a real client finds out what has changed in its folder.
"""

import hashlib
import io
import json
import zipfile

VERSION = "anki,26.08.1 (c32cb291),lin:debian:12"
FILES_IN_ZIP = 25
ZIP_BYTES = 2.5 * 1024 * 1024


class CountsDiffer(Exception):
    """The client has forgotten what it has synced, and compares all files at its next sync."""


class ServerMessage(Exception):
    """A text that a client would show to its user."""


def upload_zip(files, listing=None, compression=zipfile.ZIP_STORED):
    """A zip of [(name, bytes or None for a deletion)]; `listing`: the bytes of _meta instead of the right ones."""
    out = io.BytesIO()
    meta = []
    with zipfile.ZipFile(out, "w", compression) as archive:
        for index, (name, data) in enumerate(files):
            if data is not None:
                archive.writestr(str(index), data)
            meta.append([name, None if data is None else str(index)])
        archive.writestr("_meta", json.dumps(meta, ensure_ascii=False).encode() if listing is None else listing)
    return out.getvalue()


def sha1(data):
    return hashlib.sha1(data).hexdigest()


class Media:
    """The media methods of one device."""

    def __init__(self, wire):
        self.wire = wire

    def _ask(self, method, message):
        return self._data(self.wire.send("/msync/" + method, json.dumps(message).encode()))

    @staticmethod
    def _data(reply):
        reply = json.loads(reply)
        if reply.get("err"):
            raise ServerMessage(reply["err"])
        assert reply["err"] == "", reply
        return reply["data"]

    def begin(self):
        return self._ask("begin", {"v": VERSION})["usn"]

    def changes(self, last_usn):
        return self._ask("mediaChanges", {"lastUsn": last_usn})

    def all_changes(self, last_usn=0):
        """{name: hash} of everything after last_usn; the hash of a deleted file is empty."""
        found = {}
        while batch := self.changes(last_usn):
            assert [usn for _, usn, _ in batch] == sorted({usn for _, usn, _ in batch}), "usns are not ascending"
            found.update((name, fingerprint) for name, _, fingerprint in batch)
            last_usn = batch[-1][1]
        return found

    def upload_zip(self, data):
        return self._data(self.wire.send("/msync/uploadChanges", data))

    def upload(self, files):
        """[processed, usn]"""
        return self.upload_zip(upload_zip(files))

    def download(self, names):
        """{name: bytes}, of a prefix of the names."""
        data = self.wire.send("/msync/downloadFiles", json.dumps({"files": names}).encode())
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            meta = json.loads(archive.read("_meta"))
            assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
            assert sorted(archive.namelist()) == sorted([*meta, "_meta"]), archive.namelist()
            assert [meta[str(n)] for n in range(len(meta))] == names[:len(meta)], "not a prefix of what was asked for"
            return {name: archive.read(index) for index, name in meta.items()}

    def sanity(self, count):
        return self._ask("mediaSanity", {"local": count})


class Folder:
    """A media folder in memory, and what its client remembers of the last sync."""

    def __init__(self, wire):
        self.media = Media(wire)
        self.files = {}    # name -> bytes
        self.synced = {}   # name -> hash, as in the client's database; deletions that were not sent: ""
        self.pending = set()
        self.last_usn = 0

    # --- user actions

    def put(self, name, data):
        self.files[name] = data
        if self.synced.get(name) != sha1(data):
            self.synced[name] = sha1(data)
            self.pending.add(name)

    def remove(self, name):
        del self.files[name]
        self.synced[name] = ""
        self.pending.add(name)

    # --- a sync

    def sync(self):
        for _ in self.requests():
            pass

    def requests(self, server_usn=None):
        """Yields the name of each request before it is sent."""
        if server_usn is None:
            yield "begin"
            server_usn = self.media.begin()
        acted = False
        if server_usn != self.last_usn:
            acted = True
            yield from self._fetch()
        while self.pending:
            acted = True
            yield "uploadChanges"
            self._send()
        if acted:
            yield "mediaSanity"
            if self.media.sanity(len(self.files)) != "OK":
                self.last_usn, self.pending = 0, set(self.files)
                self.synced = {name: sha1(data) for name, data in self.files.items()}
                raise CountsDiffer()

    def _fetch(self):
        last = self.last_usn
        while True:
            yield "mediaChanges"
            batch = self.media.changes(last)
            if not batch:
                return
            last = batch[-1][1]
            wanted, gone, clean = [], [], []
            for name, _, theirs in batch:
                ours, is_pending = self.synced.get(name, ""), name in self.pending
                if not theirs:
                    if name in self.synced and not (ours and is_pending):
                        gone.append(name)
                elif not ours or ours != theirs:
                    wanted.append(name)
                elif is_pending:
                    clean.append(name)
            got = {}
            while len(got) < len(wanted):
                yield "downloadFiles"
                some = self.media.download(wanted[len(got):len(got) + FILES_IN_ZIP])
                assert some, "no files: a client would ask for ever"
                got.update(some)
            for name in gone:
                self.files.pop(name, None)
                self.synced.pop(name, None)
                self.pending.discard(name)
            self.pending.difference_update(clean)
            for name, data in got.items():
                self.files[name], self.synced[name] = data, sha1(data)
                self.pending.discard(name)
            self.last_usn = last

    def _send(self):
        batch, size = [], 0
        for name in sorted(self.pending)[:FILES_IN_ZIP]:
            if size > ZIP_BYTES:
                break
            data = self.files.get(name)
            batch.append((name, data))
            size += len(data or b"")
        processed, usn = self.media.upload(batch)
        assert processed == len(batch), (processed, len(batch))
        for name, data in batch:
            self.pending.discard(name)
            if data is None:
                self.synced.pop(name, None)
        if self.last_usn + processed == usn:
            self.last_usn = usn
