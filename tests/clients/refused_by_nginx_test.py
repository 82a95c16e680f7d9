"""nginx's refusals arrive in the form that Anki's client shows: the text of a refused upload, the name of a status."""

import contextlib
import json
import os
import pathlib
import random
import signal
import socket
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_forms import CLIENTS, FormWire
from promises import keep
from stack import Stack

try:
    from anki_device import Device
except ImportError as problem:
    print(f"no package anki: {os.environ.get('SYNCLINE_VENV_PROBLEM') or problem}")
    sys.exit(77)

PASSWORD = "a good password"
stack: Stack
directory: pathlib.Path


def new_device(name):
    stack.add_user(name, PASSWORD)
    device = Device(directory, name, stack.http + "/")
    device.log_in(name, PASSWORD)
    return device


def shown(action):
    """The text of the client's error."""
    try:
        action()
    except Exception as error:  # pylint: disable=broad-except
        return str(error)
    raise AssertionError("the client saw no error")


@contextlib.contextmanager
def eight_uploads(head):
    """Uploads with these header lines, of whose bodies nginx waits for the rest."""
    with contextlib.ExitStack() as open_ones:
        for _ in range(8):
            one = open_ones.enter_context(socket.create_connection(("127.0.0.1", stack.http_port), 20))
            one.sendall(f"POST /sync/upload HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\nx".encode())
        time.sleep(0.5)
        yield


def a_collection_that_is_too_large_is_refused_in_words():
    device = new_device("large")
    rng = random.Random(1)
    for _ in range(8):
        device.add_note(rng.randbytes(1 << 19).hex())
    text = shown(device.upload)
    assert "larger than this server accepts" in text, text
    device.close()
    return repr(text)


def too_many_uploads_of_a_key_are_refused_in_words():
    device = new_device("many")
    head = json.dumps({"v": 11, "k": device.auth.hkey, "c": "x", "s": "abc"})
    with eight_uploads(f"anki-sync: {head}\r\nContent-Length: 9"):
        text = shown(device.upload)
        assert "too many requests" in text, text
    time.sleep(0.5)
    device.upload()
    device.close()
    return repr(text)


def a_password_over_plain_http_is_refused_with_the_name_of_the_reason():
    """As in production, where syncline-site decides that."""
    device = new_device("plain")
    config = stack.dir / "etc/nginx.conf"
    text = config.read_text()
    config.write_text(text.replace('map "$https any"', 'map "$https https"'))
    try:
        os.kill(stack.pids("nginx")[1], signal.SIGHUP)
        time.sleep(1)
        refusal = shown(lambda: device.log_in("plain", PASSWORD))
        assert "426 Please use https:// to log in" in refusal, refusal
        device.sync()  # a key that was issued before works on
    finally:
        config.write_text(text)
        os.kill(stack.pids("nginx")[1], signal.SIGHUP)
    device.close()
    return repr(refusal)


def old_clients_get_the_same_words_without_compression():
    stack.add_user("old", PASSWORD)
    for client in CLIENTS:
        wire = FormWire(stack.http, client=client).log_in("old", PASSWORD)
        wire.ask("meta", {"v": wire.version, "cv": "x"})
        for size in (1_200_000, 3_000_000):  # refused by the service, and by nginx
            text = wire.upload(random.Random(1).randbytes(size))
            assert text.startswith("Your collection is larger than this server accepts"), text
    with eight_uploads("Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 900"):
        many = FormWire(stack.http, wire.key, "desktop 2.1.0").upload(b"x")
        assert many.startswith("This server gets too many requests"), many
    return repr(text)


def main():
    global stack, directory
    with Stack({"SYNCLINE_MAX_COLLECTION_MIB": "1"}) as stack, tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(temporary)
        return keep(a_collection_that_is_too_large_is_refused_in_words,
                    too_many_uploads_of_a_key_are_refused_in_words,
                    old_clients_get_the_same_words_without_compression,
                    a_password_over_plain_http_is_refused_with_the_name_of_the_reason)


if __name__ == "__main__":
    sys.exit(main())
