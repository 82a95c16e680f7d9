"""A TCP port of this machine in front of a server's Unix socket, which can stop forwarding without closing anything: both sides
see a peer that says nothing, as when a network loses all packets (tests/support/silent_network.py, which needs root).

    with SilentProxy("/run/postgresql/.s.PGSQL.5432") as proxy:
        ...                     # something talks to 127.0.0.1:proxy.port
        proxy.cut()
        proxy.mend()            # what was sent meanwhile arrives now, as packets do that were only late
"""

import contextlib
import socket
import threading


class SilentProxy:
    def __init__(self, target):
        self._target = str(target)
        self._flows = threading.Event()
        self._flows.set()
        self._held, self._lock = bytearray(), threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()
        self.mend()

    def cut(self):
        self._flows.clear()

    def mend(self):
        self._flows.set()

    def held(self):
        """What the client has sent since the cut."""
        with self._lock:
            return bytes(self._held)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        self._flows.wait()
        far = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError):
            far.connect(self._target)
        back = threading.Thread(target=self._pump, args=(far, near, False), daemon=True)
        back.start()
        self._pump(near, far, True)
        back.join()
        near.close()
        far.close()

    def _pump(self, source, sink, is_of_client):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if is_of_client and not self._flows.is_set():
                    with self._lock:
                        self._held += data
                self._flows.wait()
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
