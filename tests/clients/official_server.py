"""The official sync server of the `anki` package, on a folder.

    with OfficialServer(folder, {"ann": "secret"}) as server:
        col.sync_login("ann", "secret", server.url)
"""

import os
import socket
import subprocess
import sys
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(users, is_hashed=False):
    """{name: password} as lines of the server's environment."""
    lines = [f"SYNC_USER{number}={name}:{password}" for number, (name, password) in enumerate(users.items(), 1)]
    return "\n".join([*lines, *(["PASSWORDS_HASHED=1"] if is_hashed else [])]) + "\n"


class OfficialServer:
    def __init__(self, folder, users, is_hashed=False):
        self.folder, self.users, self.is_hashed = folder, users, is_hashed
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"

    def __enter__(self):
        lines = environment(self.users, self.is_hashed).splitlines()
        settings = dict(line.split("=", 1) for line in lines)
        settings.update(SYNC_BASE=str(self.folder), SYNC_HOST="127.0.0.1", SYNC_PORT=str(self.port), RUST_LOG="error")
        self.process = subprocess.Popen([sys.executable, "-m", "anki.syncserver"], env={**os.environ, **settings})
        end = time.monotonic() + 30
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the official server does not start")
            time.sleep(0.05)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
