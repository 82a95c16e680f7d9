"""The running installation on which tests work, as the variables of <dir>/env name it."""

import os
import pathlib
import secrets
import shlex
import subprocess
import time


def admin(*arguments, stdin="", command=None):
    """Runs syncline-admin and returns what it printed. `command`: that of another installation."""
    done = subprocess.run([*shlex.split(command or os.environ["SYNCLINE_ADMIN"]), *arguments], input=stdin, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"syncline-admin {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def try_admin(*arguments):
    """(exit code, output) of syncline-admin."""
    done = subprocess.run([*shlex.split(os.environ["SYNCLINE_ADMIN"]), *arguments], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout


def forget_wrong_passwords():
    """Those of tests that ran before: all tests are one network, which waits after too many."""
    subprocess.run(["psql", "-Xqc", "DELETE FROM login_failures", os.environ["DATABASE_URL"]], check=True)


def when_let_in(log_in):
    """The result of `log_in()`, called again while nginx answers 429: a network may log in once a second, and all tests are
    one network."""
    end = time.monotonic() + 60
    while True:
        try:
            return log_in()
        except Exception as error:
            if "429" not in str(error) or time.monotonic() > end:
                raise
        time.sleep(1)


def secret_file(directory):
    """Makes a secret for a server that a test starts by itself; returns its path."""
    path = pathlib.Path(directory) / "secret"
    path.write_text(secrets.token_hex(32) + "\n")
    path.chmod(0o600)
    return str(path)
