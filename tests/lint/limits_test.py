"""The limits of nginx's locations fit those of the routes: nothing that a route accepts is refused by nginx, and no body
of an unknown sender is stored on disk.

Reads nginx/site.conf.in and the table of `syncline-fcgi --print-routes` (SYNCLINE_BIN, or build/).
"""

import os
import pathlib
import re
import subprocess
import sys

from complaints import report

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SYNCLINE_BIN", ROOT / "build"))
# What run and syncline-site fill in for the default settings.
SETTINGS = dict(line.lstrip("#").split(" = ", 1) for line in subprocess.run(
    [str(BIN / "syncline-fcgi"), "--print-config"], check=True, text=True, stdout=subprocess.PIPE).stdout.splitlines()
    if " = " in line)
NAMES = {"@UPLOAD_MIB@": str(int(SETTINGS["max_collection_mib"]) + 1), "@MESSAGE_MIB@": SETTINGS["max_message_mib"]}
SITE = (ROOT / "nginx/site.conf.in").read_text()
for placeholder, text in NAMES.items():
    SITE = SITE.replace(placeholder, text)
SITE = re.sub(r"(^|\s)#[^\n]*", r"\1", SITE)
# nginx refuses larger bodies in a form of its own.
ANSWERED_BY_NGINX = {"/sync/upload"}


def blocks():
    """(modifier, path, text) of every location of the first server."""
    server = SITE[SITE.index("\nserver {"):]
    server = server[:server.index("\nserver {", 1)]
    for found in re.finditer(r"location (=|~|\^~)? *(\S+) *\{", server):
        depth, at = 1, found.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(server[at], 0)
            at += 1
        yield found[1] or "", found[2], server[found.end():at - 1]


def location_of(path):
    """As nginx chooses: an exact one, the first regular expression, the longest prefix."""
    found = list(blocks())
    for kind, pattern, text in found:
        if kind == "=" and pattern == path:
            return pattern, text
    for kind, pattern, text in found:
        if kind == "~" and re.match(pattern, path):
            return pattern, text
    prefixes = [(pattern, text) for kind, pattern, text in found if kind in ("", "^~") and path.startswith(pattern)]
    return max(prefixes, key=lambda one: len(one[0]))


def size(text, directive):
    """The value in the location, else in the server, in bytes."""
    for where in (text, re.sub(r"location [^{]*\{(?:[^{}]|\{[^{}]*\})*\}", "", SITE)):
        found = re.search(rf"\b{directive} +(\d+)([km]?);", where)
        if found:
            return int(found[1]) << {"": 0, "k": 10, "m": 20}[found[2]]
    raise AssertionError(f"no {directive}")


def rows():
    printed = subprocess.run([str(BIN / "syncline-fcgi"), "--print-routes"], text=True, check=True, stdout=subprocess.PIPE)
    for line in printed.stdout.splitlines():
        method, pattern, *_, limit = line.split(" ")
        if pattern != "/metrics":  # has a server of its own
            yield f"{method} {pattern}", re.sub(r"\{[^}]*\}", "x", pattern), int(limit)


def nginx_accepts_what_a_route_accepts():
    for name, path, limit in rows():
        pattern, text = location_of(path)
        if size(text, "client_max_body_size") < limit and path not in ANSWERED_BY_NGINX:
            yield f"{name}: its limit of {limit} bytes is above client_max_body_size of location {pattern}"


def bodies_that_may_be_stored_are_authorized():
    for name, path, _ in rows():
        pattern, text = location_of(path)
        is_stored = size(text, "client_max_body_size") > size(text, "client_body_buffer_size")
        # The pool then reads them as they arrive.
        if is_stored and "fastcgi_request_buffering off" not in text and not ("auth_request /internal/" in text and "include @AUTHORIZE" in text):
            yield f"{name}: location {pattern} stores bodies on disk without auth_request"


def locations_keep_the_pages_of_errors():
    """error_page in a location drops those of the server."""
    for kind, pattern, text in blocks():
        named = set(re.findall(r"error_page (\d+)", text))
        if not named or "include @AUTHORIZE" in text or "fastcgi_pass" not in text:
            continue
        if not {"429", "502", "504"} <= named:
            yield f"location {kind} {pattern}: without the error pages {sorted({'429', '502', '504'} - named)}"


CHECKS = (nginx_accepts_what_a_route_accepts, bodies_that_may_be_stored_are_authorized, locations_keep_the_pages_of_errors)


if __name__ == "__main__":
    sys.exit(report(CHECKS))
