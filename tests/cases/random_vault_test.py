#!/usr/bin/env python3
"""Random work on the files of a vault beside a plain model: contents, histories, properties, tags. See random_work.py for the options.

SYNCLINE_HTTP and SYNCLINE_ADMIN locate the server (`<dir>/env` of ./run).
"""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from random_work import run
from vault_wire import Person, sha256

NAMES = [f"{folder}{file}" for folder in ("", "d1/", "d2/") for file in ("a", "b", "ü%")]


def encoded(name):
    return name.replace("%", "%25").replace("ü", "%c3%bc")


class File:
    """What a name had, and what it has."""

    def __init__(self):
        self.content, self.prop, self.history = None, None, []

    def take(self, content):
        self.content = content
        self.history.append(sha256(content))


class Vault:
    weights = {"put": 4, "look": 3}

    def __init__(self, rng):
        self.rng, self.me = rng, Person()
        self.live, self.dead = {}, {}
        for folder in ("d1", "d2"):
            assert self.me.dav("MKCOL", folder).status == 201

    def ask(self, method, name, body=None, **headers):
        return self.me.dav(method, encoded(name), body, **headers)

    def revived(self, name):
        file = self.live[name] = self.dead.pop(name, None) or File()
        return file

    def bury(self, name):
        file = self.dead[name] = self.live.pop(name)
        file.content = file.prop = None

    def do_put(self):
        name, content = self.rng.choice(NAMES), self.rng.randbytes(self.rng.choice((0, 1, 2, 3000)))
        is_new = name not in self.live
        file = self.revived(name) if is_new else self.live[name]
        if file.content != content:
            file.take(content)
        assert self.ask("PUT", name, content).status == (201 if is_new else 204)
        return name

    def do_put_with_condition(self):
        name, content = self.rng.choice(NAMES), self.rng.randbytes(5)
        tag = self.ask("HEAD", name).headers["ETag"] if name in self.live else None
        is_stale = self.rng.random() < 0.5
        answer = self.ask("PUT", name, content, If_Match='"old-tag"' if is_stale or tag is None else tag)
        assert answer.status == (412 if is_stale or tag is None else 204), answer
        if answer.status == 204:
            self.live[name].take(content)
        return name

    def do_delete(self):
        name = self.rng.choice(NAMES)
        assert self.ask("DELETE", name).status == (204 if name in self.live else 404)
        if name in self.live:
            self.bury(name)
        return name

    def do_copy_or_move(self):
        one, two = self.rng.sample(NAMES, 2)
        method, overwrites = self.rng.choice(("COPY", "MOVE")), self.rng.random() < 0.6
        answer = self.ask(method, one, Destination=self.me.url(encoded(two)), Overwrite="T" if overwrites else "F")
        if one not in self.live:
            assert answer.status == 404, answer
        elif two in self.live and not overwrites:
            assert answer.status == 412, answer
        else:
            assert answer.status == (204 if two in self.live else 201), answer
            if two in self.live:
                self.bury(two)
            self.put(method, one, two)
        return f"{method} {one} {two}"

    def put(self, method, one, two):
        source = self.live[one]
        if method == "MOVE" and two not in self.dead:
            self.live[two] = self.live.pop(one)
            return
        file = self.revived(two)
        file.take(source.content)
        file.prop = source.prop
        if method == "MOVE":
            self.bury(one)

    def do_set_property(self):
        name, value = self.rng.choice(NAMES), str(self.rng.randrange(100))
        body = f'<propertyupdate xmlns="DAV:"><set><prop><n xmlns="urn:n">{value}</n></prop></set></propertyupdate>'.encode()
        assert self.ask("PROPPATCH", name, body).status == (207 if name in self.live else 404)
        if name in self.live:
            self.live[name].prop = value
        return name

    def do_bring_back(self):
        name = self.rng.choice(NAMES)
        if name not in self.live:
            return
        version = self.rng.choice(self.me.versions(encoded(name)))
        content = self.me.vault(path=f"/versions/{version['version']}/content").body
        assert self.me.vault("POST", f"/versions/{version['version']}/restore").status == 201
        self.live[name].take(content)

    def do_look(self):
        name = self.rng.choice(NAMES)
        answer = self.ask("GET", name)
        if name not in self.live:
            assert answer.status == 404, answer
            return
        file = self.live[name]
        assert answer.body == file.content and [one["sha256"] for one in reversed(self.me.versions(encoded(name)))] == file.history
        found = self.ask("PROPFIND", name, b"", Depth="0").body.decode()
        shown = re.search("<n xmlns=\"urn:n\">([0-9]+)</n>", found)
        assert (shown[1] if shown else None) == file.prop, (name, file.prop, found)
        assert answer.headers["ETag"].replace('"', "&quot;") in found

    def do_list(self):
        for folder in ("", "d1/", "d2/"):
            answer = self.me.dav("PROPFIND", folder, b"", Depth="1")
            names = {one for one in re.findall("<D:href>/dav/[^/]+/([^<]*)</D:href>", answer.body.decode()) if not one.endswith("/")}
            wanted = {encoded(name).replace("%c3%bc", "%C3%BC") for name in self.live
                      if name.startswith(folder) and "/" not in name[len(folder):]}
            assert names - {""} == wanted, (folder, names, wanted)


if __name__ == "__main__":
    sys.exit(run(Vault))
