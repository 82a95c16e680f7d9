#pragma once
// A VFS for SQLite: collection files that have no name, such as /proc/self/fd/7 of a TempFile.
//
// SQLite's own VFS resolves symbolic links to a name, and an unlinked file has none. This one opens the path as it
// is given. The journal has no name either: it is one of SQLite's temporary files. So a process that is killed
// leaves nothing behind. Left out on purpose: locks, shared memory and sync, because nobody else has the file, and
// it need not survive a crash.

namespace syncline::anki::sqlite {

/// The name of the VFS, which the first call registers. For files with one connection at a time.
const char* PrivateVfs();

}  // namespace syncline::anki::sqlite
