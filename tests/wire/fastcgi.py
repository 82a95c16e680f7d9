"""A FastCGI peer that can misbehave: builds records byte by byte and reads any answer."""

import socket
import struct

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES = range(1, 10)
RESPONDER = 1


def record(kind, content=b"", request_id=1, version=1, padding=0, length=None):
    """`length` overrides the true content length in the header."""
    size = len(content) if length is None else length
    return struct.pack("!BBHHBB", version, kind, request_id, size, padding, 0) + content + b"\0" * padding


def begin(role=RESPONDER, flags=0, request_id=1):
    return record(BEGIN, struct.pack("!HB5x", role, flags), request_id)


def size(n):
    return struct.pack("!B", n) if n < 128 else struct.pack("!I", n | 0x80000000)


def pairs(params):
    out = b""
    for name, value in params.items():
        name, value = (x if isinstance(x, bytes) else x.encode() for x in (name, value))
        out += size(len(name)) + size(len(value)) + name + value
    return out


def stream(kind, content, piece=65535):
    """The records of a stream, including the empty one that ends it."""
    out = b"".join(record(kind, content[at:at + piece]) for at in range(0, len(content), piece))
    return out + record(kind)


def request(method, uri, body=b"", headers=None, length=True, **params):
    """All bytes of a well-formed request. `length`: True, False (no CONTENT_LENGTH), or its text."""
    path, _, query = uri.partition("?")
    all_params = {"REQUEST_METHOD": method, "REQUEST_URI": uri, "QUERY_STRING": query, "REMOTE_ADDR": "127.0.0.1"}
    if length is not False:
        all_params["CONTENT_LENGTH"] = str(len(body)) if length is True else length
    for name, value in (headers or {}).items():
        all_params["HTTP_" + name.upper().replace("-", "_")] = value
    all_params.update(params)
    return begin() + stream(PARAMS, pairs(all_params)) + stream(STDIN, body)


class Answer:
    """`complete`: the record that ends a request has arrived. `status` is None without a valid head."""

    def __init__(self, out, complete, reset):
        self.complete, self.reset = complete, reset
        self.status, self.headers, self.body = None, {}, b""
        head, found, self.body = out.partition(b"\r\n\r\n")
        if found:
            for line in head.decode("latin-1").split("\r\n"):
                name, _, value = line.partition(": ")
                self.headers.setdefault(name.lower(), value)
            self.status = int(self.headers.get("status", "0 ").split()[0])


class Peer:
    def __init__(self, path, timeout=10):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))  # blocking: with a timeout, a full backlog would be an error
        self.socket.settimeout(timeout)
        self.received, self.reset = bytearray(), False  # raw records

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False if the connection was closed."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def receive(self):
        """Reads the next bytes; False at the end of the connection."""
        try:
            got = self.socket.recv(1 << 20)
        except ConnectionResetError:
            self.reset = True
            return False
        self.received += got
        return bool(got)

    def answer(self):
        """Reads until the connection is closed."""
        while self.receive():
            pass
        data = self.received
        out, complete, at = [], False, 0
        while at + 8 <= len(data):
            _, kind, _, length, padding, _ = struct.unpack("!BBHHBB", data[at:at + 8])
            content = bytes(data[at + 8:at + 8 + length])
            if kind == STDOUT:
                out.append(content)
            if kind == END:
                complete = True
            at += 8 + length + padding
        return Answer(b"".join(out), complete, self.reset)


def ask(path, data, timeout=10):
    with Peer(path, timeout) as peer:
        peer.send(data)
        return peer.answer()
