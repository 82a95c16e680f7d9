"""Anki's sync protocol, version 11, one request at a time, for tests that act between two requests.

Wire sends requests and parses answers. Device keeps a small collection in memory and merges like a real client, which
is enough to detect rows that are lost, duplicated or invented. Left out on purpose: everything else a real client does
(undo, scheduling, files); tests that need it use the real client: anki_device.py.
"""

import copy
import ctypes
import ctypes.util
import http.client
import itertools
import json
import random
import ssl
import urllib.parse

from installation import when_let_in

_zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
_zstd.ZSTD_compressBound.restype = _zstd.ZSTD_compress.restype = _zstd.ZSTD_decompress.restype = ctypes.c_size_t
_zstd.ZSTD_compressBound.argtypes = [ctypes.c_size_t]
_zstd.ZSTD_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
_zstd.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]


def compress(data):
    out = ctypes.create_string_buffer(_zstd.ZSTD_compressBound(len(data)))
    size = _zstd.ZSTD_compress(out, len(out), data, len(data), 1)
    return out.raw[:size]


def decompress(frame, size):
    out = ctypes.create_string_buffer(size + 1)
    got = _zstd.ZSTD_decompress(out, size, frame, len(frame))
    if got != size:
        raise ValueError(f"a frame of {got} bytes, announced as {size}")
    return out.raw[:size]


class Refused(Exception):
    """An answer with a status other than 200."""

    def __init__(self, method, status):
        super().__init__(f"{method}: {status}")
        self.method, self.status = method, status


def status_of(call):
    """The status with which a call is answered: 200 unless it is refused."""
    try:
        call()
    except Refused as refused:
        return refused.status
    return 200


class Wire:
    """A connection to the server, a device's key and the session key of a sync. Certificates are not verified."""

    version, graves_in_start = 11, False  # not so for old clients: anki_forms.py

    def __init__(self, base, key=""):
        self.base = base
        self.address = urllib.parse.urlsplit(base).netloc
        self.key = key
        if base.startswith("https:"):
            self._connection = http.client.HTTPSConnection(
                self.address, timeout=60, context=ssl._create_unverified_context())  # pylint: disable=protected-access
        else:
            self._connection = http.client.HTTPConnection(self.address, timeout=60)
        self.new_session()

    def again(self):
        """A new connection with the same key."""
        return Wire(self.base, self.key)

    def new_session(self):
        self.session = "".join(random.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=6))

    def headers(self):
        head = {"v": 11, "k": self.key, "c": "26.08.1,c32cb291,linux", "s": self.session}
        return {"anki-sync": json.dumps(head, separators=(",", ":")), "content-type": "application/octet-stream"}

    def send(self, method, body):
        """Sends and returns uncompressed bytes. Raises Refused if the status is not 200."""
        return self.send_frame(method, compress(body))

    def send_frame(self, method, frame):
        """Like send, for a body that is already compressed. A method that begins with a slash is a path."""
        path = method if method.startswith("/") else "/sync/" + method
        headers, data = self._answer(method, "POST", path, frame, self.headers())
        return decompress(data, int(headers["anki-original-size"]))

    def _answer(self, method, *request, **options):
        """Headers and body of the answer to a request, as HTTPConnection.request takes it."""
        try:
            self._connection.request(*request, **options)
            answer = self._connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        if answer.status != 200:
            raise Refused(method, answer.status)
        return answer.headers, data

    def ask(self, method, message=None):
        return json.loads(self.send(method, json.dumps({"_pad": None} if message is None else message).encode()))

    def log_in(self, user, password):
        self.key = when_let_in(lambda: self.ask("hostKey", {"u": user, "p": password}))["key"]
        return self

    def upload(self, data):
        return self.send("upload", data).decode()

    def close(self):
        self._connection.close()


_ids = itertools.count(1_700_000_000_000)
PENDING = -1


class Device:
    """A collection in memory. Rows are lists as on the wire, with usn -1 while not yet sent to the server."""

    USN = {"notes": 4, "cards": 5, "revlog": 2}
    MOD = {"notes": 3, "cards": 4}

    def __init__(self, wire):
        self.wire = wire
        self.usn, self.mod, self.now = 0, 0, 1_700_000_000
        self.rows = {kind: {} for kind in self.USN}
        self.objects = [{}, {}, {}]  # notetypes, decks, deck configs
        self.tags, self.conf = set(), {}
        self.graves = {"notes": [], "cards": [], "decks": []}

    # --- user actions

    def add_note(self, text, reviews=0):
        self.now += 1
        notetype = next(m for m in self.objects[0].values() if len(m["flds"]) == 2)
        note, card = next(_ids), next(_ids)
        self.rows["notes"][note] = [note, f"g{note}", notetype["id"], self.now, PENDING, "", f"{text}\x1fback", "", "",
                                    0, ""]
        self.rows["cards"][card] = [card, note, 1, 0, self.now, PENDING, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, "{}"]
        for _ in range(reviews):
            review = next(_ids)
            self.rows["revlog"][review] = [review, card, PENDING, 3, 1, 0, 2500, 4000, 0]
        self.mod += 1
        return note

    def edit_note(self, note, text):
        self.now += 1
        row = self.rows["notes"][note]
        row[3], row[4], row[6] = self.now, PENDING, f"{text}\x1fback"
        self.mod += 1

    def remove_note(self, note):
        for card in [c for c, row in self.rows["cards"].items() if row[1] == note]:
            del self.rows["cards"][card]
            self.graves["cards"].append(card)
        del self.rows["notes"][note]
        self.graves["notes"].append(note)
        self.mod += 1

    def content(self):
        """Everything except usns, which differ from device to device."""
        rows = {(kind, i): tuple(v for n, v in enumerate(row) if n != self.USN[kind])
                for kind, table in self.rows.items() for i, row in table.items()}
        names = {(f"object {kind}", i): o["name"] for kind, some in enumerate(self.objects) for i, o in some.items()}
        return {**rows, **names, ("tags", 0): frozenset(self.tags)}

    def pending(self):
        """The part of the content that has not been sent to the server."""
        content = self.content()
        return {(kind, i): content[kind, i] for kind, at in self.USN.items() for i, row in self.rows[kind].items()
                if row[at] == PENDING}

    # --- a sync

    def sync(self):
        """A complete sync. On failure, leaves the device unchanged and sends abort, as a client does."""
        try:
            for _ in self.requests():
                pass
        except Exception:
            try:
                self.wire.ask("abort")
            except (Refused, OSError, http.client.HTTPException):
                pass
            raise

    def requests(self):
        """Yields the name of each request before it is sent; the device changes only after the last one."""
        wire = self.wire
        wire.new_session()
        after = copy.copy(self)
        after.rows = {kind: {i: list(row) for i, row in table.items()} for kind, table in self.rows.items()}
        after.objects, after.tags = [dict(some) for some in self.objects], set(self.tags)
        yield "meta"
        meta = wire.ask("meta", {"v": wire.version, "cv": "anki,26.08.1 (c32cb291),lin:debian:12"})
        newer = self.mod > meta["mod"]
        yield "start"
        graves = self.graves if wire.graves_in_start else None
        after._bury(wire.ask("start", {"minUsn": self.usn, "lnewer": newer, "graves": graves}))
        if any(self.graves.values()) and not wire.graves_in_start:
            yield "applyGraves"
            wire.ask("applyGraves", {"chunk": self.graves})
        yield "applyChanges"
        changes = {"models": [], "decks": [[], []], "tags": []}
        if newer:
            changes.update(conf=self.conf, crt=1_577_836_800)
        after._change(wire.ask("applyChanges", {"changes": changes}))
        is_done = False
        while not is_done:
            yield "chunk"
            chunk = wire.ask("chunk")
            after._merge(chunk)
            is_done = chunk["done"]
        mine = {kind: [[meta["usn"] if i == at and v == PENDING else v for i, v in enumerate(row)]
                       for row in after.rows[kind].values() if row[at] == PENDING]
                for kind, at in self.USN.items()}
        yield "applyChunk"
        wire.ask("applyChunk", {"chunk": {"done": True, **mine}})
        yield "sanityCheck2"
        counts = [[0, 0, 0], len(after.rows["cards"]), len(after.rows["notes"]), len(after.rows["revlog"]), 0,
                  *(len(some) for some in after.objects)]
        verdict = wire.ask("sanityCheck2", {"client": counts})
        if verdict["status"] != "ok":
            raise AssertionError(f"the sanity check failed: {verdict}")
        yield "finish"
        after.mod = wire.ask("finish")
        after.usn = meta["usn"] + 1
        after._settle(meta["usn"])
        self.__dict__.update(after.__dict__)

    def _bury(self, graves):
        for kind in ("notes", "cards"):
            for i in graves[kind]:
                self.rows[kind].pop(i, None)

    def _change(self, theirs):
        for known, objects in zip(self.objects, [theirs["models"], *theirs["decks"]]):
            known.update((int(o["id"]), o) for o in objects)
        self.tags.update(theirs["tags"])
        self.conf = theirs.get("conf", self.conf)

    def _merge(self, chunk):
        for row in chunk.get("revlog", []):
            self.rows["revlog"].setdefault(row[0], row)
        for kind, mod in self.MOD.items():
            for row in chunk.get(kind, []):
                known = self.rows[kind].get(row[0])
                if known is None or known[self.USN[kind]] != PENDING or known[mod] < row[mod]:
                    self.rows[kind][row[0]] = row

    def _settle(self, usn):
        for kind, at in self.USN.items():
            for row in self.rows[kind].values():
                if row[at] == PENDING:
                    row[at] = usn
        self.graves = {kind: [] for kind in self.graves}
