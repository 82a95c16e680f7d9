"""What a shared deck must be after each call, as the README of the service says it: a model for random work.

Left out on purpose: note types, files, and what the add-on does with an answer.
"""

import copy
import dataclasses


@dataclasses.dataclass
class Card:
    fields: dict
    tags: tuple = ()
    path: str = ""
    added: int = 0
    removed: int | None = None

    def content(self):
        return self.fields, self.tags, self.path


@dataclasses.dataclass(frozen=True)
class Entry:
    """Of the log. `device`: the login that made it and therefore has it, if any."""
    seq: int
    guid: str
    kind: str
    field: str
    old: object
    account: str
    device: int | None
    origin: str


class Account:
    """A person, with the places of all logins in the log."""

    def __init__(self, name):
        self.name = name
        self.told, self.whole, self.sent = {}, {}, {}  # by login; the first and the last unconfirmed download

    def place(self, device):
        """Up to where a login knows the log when it pushes, up to where it knows tags and paths, which no pull brings, and whether
        that is known of this login itself: if not, it may be any computer of the account."""
        mine, (sent, _) = self.told.get(device, 0), self.sent.get(device, (0, 0))
        if mine:
            return mine, self.whole.get(device, 0), True
        return self._least(self.told), self._least(self.whole), bool(sent)

    def _least(self, places):
        """Of all logins: where a login has no place, its first unconfirmed download."""
        logins = {*places, *self.sent}
        return min(filter(None, (places.get(one, 0) or self.sent.get(one, (0, 0))[0] for one in logins)), default=0)

    def has_whole(self, device, seq):
        self.whole[device] = max(self.whole.get(device, 0), seq)
        if seq:
            self.told[device] = max(self.told.get(device, 0), seq)

    def is_sent(self, device, seq):
        """A download, which may not arrive. The account's first leaves no older copy to go on with."""
        if not any(self.told.values()):
            self.has_whole(device, seq)
        self.sent[device] = self.sent.get(device, (seq,))[0], seq

    def names(self, device, seq):
        """The login names a place in the log: it has what came before it, and its last download if that was not later."""
        _, sent = self.sent.get(device, (0, 0))
        if sent and seq >= sent:
            self.whole[device] = max(self.whole.get(device, 0), sent)
        elif not self.whole.get(device, 0):
            self.whole[device] = min(seq, self._least(self.whole))
        self.sent.pop(device, None)
        if seq:
            self.told[device] = max(self.told.get(device, 0), seq)


def merged_tags(base, pushed, now):
    had, has = {tag.lower() for tag in base}, {tag.lower() for tag in pushed}
    merged = [tag for tag in now if tag.lower() not in had or tag.lower() in has] + [tag for tag in pushed if tag.lower() not in had]
    return joined(merged)


def joined(tags):
    seen = {}
    for tag in tags:
        seen.setdefault(tag.lower(), tag)
    return tuple(seen.values())


def next_patch(version):
    major, minor, patch = version
    return major, minor, patch + 1


class Deck:
    def __init__(self):
        self.cards, self.log, self.head = {}, [], 0
        self.version, self.versions = (1, 0, 0), {}
        self.suggestions = []

    def alive(self):
        return {guid: card for guid, card in self.cards.items() if card.removed is None}

    # --- The log

    def _note(self, guid, kind, by, field="", old=None):
        self.head += 1
        self.log.append(Entry(self.head, guid, kind, field, old, by.account.name, by.device, by.origin))
        return self.head

    def unseen(self, account, device):
        """The entries that this login does not know, and its own after those; None: it has nothing to catch up on."""
        place, whole, is_own = account.place(device)
        if whole >= self.head:
            return None
        return [one for one in self.log if one.seq > (place if one.kind in ("modify", "delete") else whole)
                and (one.account != account.name or one.origin == "suggestion" or is_own)]

    def rows(self, start):
        """What a pull from here lists, without removed cards: (seq, guid) of the last change of each field, and of new cards."""
        last = {}
        for one in self.log:
            card = self.cards[one.guid]
            if card.removed is not None or one.seq <= start:
                continue
            if one.kind == "modify" and one.seq > card.added:
                last[one.guid, one.field] = one.seq
            elif one.kind == "add" and card.added == one.seq:
                last[one.guid, None] = one.seq
        found = []
        for (guid, field), seq in last.items():
            card = self.cards[guid]
            if field is None or field in card.fields or (card.added <= start and self._old(guid, field, start)):
                found.append((seq, guid))
        return sorted(found)

    def _old(self, guid, field, start):
        return next(one.old for one in self.log if one.guid == guid and one.kind == "modify" and one.field == field and one.seq > start)

    def end_of_pull(self, start, told):
        """The place of the last change that a pull from `start` lists."""
        seqs = [seq for seq, _ in self.rows(start)] + [card.removed for card in self.cards.values() if (card.removed or 0) > start]
        return max(seqs, default=start if told else self.head)

    # --- Pushes

    def push(self, by, cards, removed=(), removes_others=False):
        """`cards`: {guid: Card} with tags or path None where they stay. Returns (added, modified, removed)."""
        cards = {guid: Card(dict(card.fields), card.tags, card.path) for guid, card in cards.items()}
        before, seen = self.head, self.unseen(by.account, by.device) if by.is_copy else None
        stored = {guid: self.cards[guid] for guid in cards if guid in self.cards}
        if seen:
            for guid, old in stored.items():
                if self._keep(by, old, [one for one in seen if one.guid == guid], cards[guid]):
                    del cards[guid]
        gone = self._gone(by, cards, removed, removes_others, seen)
        for guid in gone:
            self.cards[guid].removed = self._note(guid, "delete", by)
        self.supersede(gone, by.suggestion)
        added, modified = 0, 0
        for guid, card in cards.items():
            old = self.cards.get(guid)
            if old is None or old.removed is not None:
                if old is not None:
                    self._change(by, guid, Card(dict(old.fields), old.tags, old.path), card)
                self.cards[guid] = Card(card.fields, card.tags if card.tags is not None else old.tags if old else (),
                                        card.path if card.path is not None else old.path if old else "", self._note(guid, "add", by))
                added += 1
            else:
                modified += self._change(by, guid, old, card)
        if self.head > before:
            self.version = by.version or next_patch(self.version)
            self.versions[self.version] = copy.deepcopy(self.cards)
        elif by.version and by.version > self.version:
            self.version = by.version
            self.versions[self.version] = copy.deepcopy(self.cards)
        if by.is_copy and seen is None:
            by.account.has_whole(by.device, self.head)
        return added, modified, len(gone)

    @staticmethod
    def _keep(by, old, changes, card):
        """Puts back what the pusher has left as it was before a change that it does not know. True: the card stays removed."""
        empty = {"tags": (), "path": ""}  # of a card that it may have got by a pull

        def of(kind, field=""):
            """(what was there before, whether the change is its own), in order."""
            found = [(one.old if one.kind == kind else empty[kind], one.device == by.device) for one in changes
                     if (one.kind == kind and one.field == field) or (one.kind == "add" and kind in empty and one.device != by.device)]
            return found

        def was(kind, value, field=""):
            """Whether the value was there before a change, and not before one of its own: that was a decision."""
            found = of(kind, field)
            last_own = max((place for place, (_, is_own) in enumerate(found) if is_own), default=-1)
            return any(before == value for before, _ in found[last_own + 1:])

        for field, value in old.fields.items():
            mine = card.fields.get(field, "")
            if mine != value and was("modify", mine, field):
                card.fields[field] = value
        for field, value in list(card.fields.items()):
            if field not in old.fields and was("modify", value, field):
                del card.fields[field]
        tags = of("tags")
        if card.tags is not None and card.tags != old.tags and any(not is_own for _, is_own in tags):
            if was("tags", card.tags):
                card.tags = old.tags
            else:
                first = next(place for place, (_, is_own) in enumerate(tags) if not is_own)
                base, after = tags[first][0], [before for before, _ in tags[1:]] + [old.tags]
                for (before, is_own), then in list(zip(tags, after))[first:]:
                    if is_own:
                        base = merged_tags(before, then, base)
                card.tags = merged_tags(base, card.tags, old.tags)
        if card.path is not None and card.path != old.path and was("path", card.path):
            card.path = old.path
        if old.removed is None or not any(one.kind == "delete" and one.device != by.device for one in changes):
            return False
        return (card.fields == old.fields and card.tags in (None, old.tags) and card.path in (None, old.path))

    def _gone(self, by, cards, removed, removes_others, seen):
        if removes_others:
            stays = set(cards)
            place, _, is_own = by.account.place(by.device)
            if seen is not None and place > 0:
                stays |= {one.guid for one in seen if one.kind == "add" and one.seq > place and not (is_own and one.device == by.device)}
            return [guid for guid in self.alive() if guid not in stays]
        return [guid for guid in removed if guid not in cards and guid in self.alive()]

    def _change(self, by, guid, old, card):
        names = [name for name in {**card.fields, **old.fields}
                 if name not in old.fields or name not in card.fields or old.fields[name] != card.fields[name]]
        for name in names:
            self._note(guid, "modify", by, name, old.fields.get(name, ""))
        if names:
            old.fields = card.fields
        is_changed = bool(names)
        if card.tags is not None and card.tags != old.tags:
            self._note(guid, "tags", by, "", old.tags)
            old.tags, is_changed = card.tags, True
        if card.path is not None and card.path != old.path:
            self._note(guid, "path", by, "", old.path)
            old.path, is_changed = card.path, True
        return is_changed

    def edit(self, by, edits):
        """Single fields: [(guid, field, value)] of cards that have them."""
        cards = {}
        for guid, field, value in edits:
            card = cards.setdefault(guid, Card(dict(self.cards[guid].fields), None, None))
            card.fields[field] = value
        return self.push(by, cards)

    def supersede(self, guids, but=None):
        for one in self.suggestions:
            if one["state"] == "pending" and one["guid"] in guids and one is not but:
                one["state"] = "superseded"

    def at(self, version):
        """{guid: Card} of those that were there."""
        return {guid: card for guid, card in self.versions[version].items() if card.removed is None}


@dataclasses.dataclass
class By:
    """Who pushes, from which login. `is_copy`: it pushes what it has, of whatever age."""
    account: Account
    device: int | None = None
    origin: str = "push"
    is_copy: bool = False
    version: tuple | None = None
    suggestion: dict | None = None
