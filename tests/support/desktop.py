"""A desktop of the vault: the real Socket.IO client, used as the desktop uses it.

    with Desktop(http, key=key, data=lambda: path.read_bytes()) as desktop:
        until(lambda: desktop.sent == 1)

It connects without waiting for anything, sends its whole file as hex digits when the server asks, and when it has just connected,
which fails there: the library marks itself connected only after the handler has returned. It has no handler for the outcome;
`outcomes` is ours.
"""

import sys
import threading

try:
    import socketio
except ImportError:
    print("no Python package socketio")
    sys.exit(77)


class NotConnected(Exception):
    """Raised in the handler, as by the desktop: the library then waits its second out."""


_print_exception = threading.excepthook
threading.excepthook = lambda problem: None if problem.exc_type is NotConnected else _print_exception(problem)


class Desktop:
    """`key`: in the query of the address, as people type it. `namespace`: with the key in it instead. `is_hasty`: it tries to upload as
    soon as it has connected, which fails. If the connection breaks in the second after that, the library takes itself for connected for
    ever (5.18), and no server can help it."""

    def __init__(self, http, data, key=None, namespace="/cordiax-sync/", is_hasty=True):
        self.address = f"{http}/?token={key}" if key else http
        self.namespace, self.data, self.is_hasty = namespace, data, is_hasty
        self.sent, self.requests, self.too_early, self.outcomes = 0, 0, 0, []
        self.connects, self.disconnects = 0, 0
        self.is_screen_open = True
        self.client = socketio.Client(reconnection_delay=0.2, reconnection_delay_max=1)
        self.client.on("connect", self._on_connect, namespace=namespace)
        self.client.on("sync_request", self._on_request, namespace=namespace)
        self.client.on("disconnect", self._on_disconnect, namespace=namespace)
        self.client.on("sync_complete", self.outcomes.append, namespace=namespace)

    def start(self):
        self.client.connect(self.address)

    def stop(self):
        self.client.disconnect()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def upload(self):
        if not self.client.connected:
            self.too_early += 1
            raise NotConnected
        self.client.emit("sync_data", {"data": self.data().hex()}, namespace=self.namespace)
        self.sent += 1

    def _on_connect(self):
        self.connects += 1
        if self.is_hasty:
            self.upload()

    def _on_request(self, _=None):
        self.requests += 1
        if self.is_screen_open:
            self.upload()

    def _on_disconnect(self, *_):
        self.disconnects += 1
