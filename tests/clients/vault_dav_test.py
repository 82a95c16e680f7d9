"""WebDAV as its clients speak it: litmus, the library of the Cordiax desktop, rclone, cadaver, over nginx.

What is not installed is skipped.
"""

import base64
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from installation import admin
from promises import Skip, keep, until
from rest_wire import PASSWORD
from vault_wire import DOCUMENT, Person, database, sha256

try:
    import webdav3.client as webdav
except ImportError as missing:
    webdav, problem = None, missing

SUITES = {"basic": 16, "copymove": 13, "props": 30, "locks": 41, "http": 4}
LITMUS = pathlib.Path("/usr/libexec/litmus")
HTDOCS = pathlib.Path("/usr/share/litmus/htdocs")


def run(*command, stdin="", env=None, folder=None):
    return subprocess.run(command, input=stdin, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          env={**os.environ, **(env or {})}, cwd=folder, timeout=120)


def program(name):
    found = shutil.which(name)
    if found is None:
        raise Skip(f"{name} is not installed")
    return found


def litmus_passes_whole_and_without_a_warning():
    # Not the script: Debian's leaves datarootdir unset.
    if not (LITMUS / "basic").exists():
        raise Skip("litmus is not installed")
    me = Person()
    passed = 0
    for base in (os.environ["SYNCLINE_HTTP"], os.environ["SYNCLINE_HTTPS"]):
        for suite, tests in SUITES.items():
            if suite == "http" and base.startswith("https"):
                tests -= 1  # litmus skips expect100 over TLS
            with tempfile.TemporaryDirectory() as folder:
                (pathlib.Path(folder) / "htdocs").symlink_to(HTDOCS)
                done = run(str(LITMUS / suite), f"{base}/dav/{me.slug}/", me.name, PASSWORD, folder=folder)
            assert f"of {tests} tests run: {tests} passed, 0 failed" in done.stdout and "WARNING" not in done.stdout, done.stdout
            passed += tests
    return f"{passed} passed"


def the_library_of_the_desktop_uploads_as_the_desktop_does():
    if webdav is None:
        raise Skip(problem)
    me = Person()
    client = webdav.Client({"webdav_hostname": me.url("").rstrip("/"), "webdav_login": me.name, "webdav_password": PASSWORD})
    assert client.check("/cordiax_sync/")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "cordiax.db"
        for content in (database(), database(2), b""):
            path.write_bytes(content)
            client.upload_sync(remote_path=f"/{DOCUMENT}", local_path=str(path))
        states = [one["state"] for one in me.versions(DOCUMENT)]
        assert states == ["empty", "ok", "ok"], states
        client.download_sync(remote_path=f"/{DOCUMENT}", local_path=str(path))
        assert sha256(path.read_bytes()) == me.versions(DOCUMENT)[1]["sha256"]
    assert client.is_dir("/cordiax_sync") and not client.is_dir(f"/{DOCUMENT}")
    assert client.mkdir("/more") and client.mkdir("/more")
    client.copy(remote_path_from=f"/{DOCUMENT}", remote_path_to="/more/copy.db")
    client.move(remote_path_from="/more/copy.db", remote_path_to="/more/moved.db")
    assert any(name == "moved.db" for name in client.list("/more")) and int(client.free()) > 0
    client.clean("/more")
    assert not client.check("/more")


def rclone_keeps_a_folder_alike():
    rclone = program("rclone")
    me = Person()
    secret = run(rclone, "obscure", PASSWORD).stdout.strip()
    env = {"RCLONE_CONFIG_V_TYPE": "webdav", "RCLONE_CONFIG_V_URL": me.url(""), "RCLONE_CONFIG_V_VENDOR": "other",
           "RCLONE_CONFIG_V_USER": me.name, "RCLONE_CONFIG_V_PASS": secret, "RCLONE_CONFIG": "/dev/null"}

    def call(*words):
        done = run(rclone, *words, env=env)
        assert done.returncode == 0, (words, done.stdout)
        return done.stdout
    with tempfile.TemporaryDirectory() as folder:
        local = pathlib.Path(folder)
        (local / "ä b").mkdir()
        (local / "ä b" / "x#y%z").write_bytes(b"1" * 100_000)
        (local / "empty").write_bytes(b"")
        call("copy", folder, "v:tree")
        (local / "ä b" / "x#y%z").write_bytes(b"2" * 90_000)
        (local / "empty").unlink()
        call("sync", folder, "v:tree")
        call("check", "--download", folder, "v:tree")
    call("moveto", "v:tree/ä b/x#y%z", "v:tree/moved")
    assert call("cat", "--offset", "89990", "v:tree/moved") == "2" * 10
    assert "Used" in call("about", "v:")
    call("purge", "v:tree")
    assert me.dav("GET", "tree/").status == 404


def cadaver_locks_and_moves():
    cadaver = program("cadaver")
    me = Person()
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder)
        (home / "f.txt").write_text("from cadaver\n")
        address = urllib.parse.urlsplit(me.url(""))
        name, password = base64.b64decode(me.auth["authorization"].split()[1]).decode().split(":", 1)
        (home / ".netrc").write_text(f"machine {address.hostname} login {name} password {password}\n")
        (home / ".netrc").chmod(0o600)
        script = "mkcol d\ncd d\nput f.txt\nlock f.txt\nunlock f.txt\ncopy f.txt g.txt\nmove g.txt h.txt\nls\npropset f.txt colour red\nquit\n"
        done = run(cadaver, me.url(""), stdin=script, env={"HOME": folder}, folder=folder)
    assert "failed" not in done.stdout.lower() and "h.txt" in done.stdout, done.stdout
    assert me.dav("GET", "d/h.txt").body == b"from cadaver\n" and me.dav("GET", "d/g.txt").status == 404


def an_account_takes_its_vaults_along():
    me = Person()
    me.dav("PUT", "f", b"1")
    admin("user", "remove", me.name, "--yes")
    until(lambda: me.dav("GET", "f").status == 401, 10)


if __name__ == "__main__":
    sys.exit(keep(litmus_passes_whole_and_without_a_warning, the_library_of_the_desktop_uploads_as_the_desktop_does, rclone_keeps_a_folder_alike,
                  cadaver_locks_and_moves, an_account_takes_its_vaults_along))
