"""The official sync server of the `anki` package, on a folder.

    with OfficialServer(folder, {"ann": "secret"}) as server:
        col.sync_login("ann", "secret", server.url)
"""

import base64
import hashlib
import os
import secrets
import socket
import subprocess
import sys
import time

from stack import free_ports  # on the path of devices


def environment(users, is_hashed=False):
    """{name: password} as lines of the server's environment."""
    lines = [f"SYNC_USER{number}={name}:{password}" for number, (name, password) in enumerate(users.items(), 1)]
    return "\n".join([*lines, *(["PASSWORDS_HASHED=1"] if is_hashed else [])]) + "\n"


def hashed(password, algorithm="sha256"):
    """As the server takes it with `is_hashed`. Passwords in clear text are hashed at its start, each in a tenth of a second."""
    salt = secrets.token_bytes(16)
    digest = hashlib.pbkdf2_hmac(algorithm, password.encode(), salt, 2000, 32)
    salt_text, text = (base64.b64encode(data).decode().rstrip("=") for data in (salt, digest))
    return f"$pbkdf2-{algorithm}$i=2000,l=32${salt_text}${text}"


class OfficialServer:
    def __init__(self, folder, users, is_hashed=False):
        self.folder, self.users, self.is_hashed = folder, users, is_hashed
        self.port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}/"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Returns when the server accepts connections, which takes some seconds for hundreds of users."""
        lines = environment(self.users, self.is_hashed).splitlines()
        settings = dict(line.split("=", 1) for line in lines)
        settings.update(SYNC_BASE=str(self.folder), SYNC_HOST="127.0.0.1", SYNC_PORT=str(self.port), RUST_LOG="error")
        self.process = subprocess.Popen([sys.executable, "-m", "anki.syncserver"], env={**os.environ, **settings})
        end = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError("the official server does not start")
            time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
