"""Collections whose bytes hardly compress, for uploads that take time and room."""

import random
import sqlite3


def big_collection(wire, notetype, mib, path, seed=1):
    """The account's own collection with `mib` MiB of notes in place of its own, as a newer file; written to `path` on the
    way. Different seeds give different bytes."""
    path.write_bytes(wire.send("download", b"{}"))
    db = sqlite3.connect(path)
    rng = random.Random(seed)
    db.execute("DELETE FROM notes")
    for n in range(mib):
        text = rng.randbytes(1 << 19).hex()
        db.execute("INSERT INTO notes VALUES (?, ?, ?, ?, 0, '', ?, '', 0, 0, '')",
                   (1_600_000_000_000 + n, f"{seed}-{n}", notetype, 1_600_000_000, f"{text}\x1fback"))
    db.execute("UPDATE col SET usn = 0, mod = mod + 1000, scm = scm + 1000")
    db.commit()
    db.close()
    data = path.read_bytes()
    path.unlink()
    return data
