#pragma once
// The files of Anki's official sync server (python -m anki.syncserver, rslib/src/sync/http_server of ankitects/anki):
// its environment, its list of media, and the write-ahead log that it leaves beside its databases. Nothing in them is
// trusted. Left out on purpose: collections (handlers/anki/file), and which files are where (adopt_flow, hand_over_flow).
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anki/media/media_rules.h"

namespace syncline::anki {

/// A user of the server, from the value of SYNC_USERn: "name:password".
struct OfficialUser {
  std::string name;
  std::string password;  ///< a hash in the PHC string format if `is_hashed`
  bool is_hashed = false;
  /// The key that the server gives to every device: 40 hex digits, the SHA-1 of the value.
  std::string Key() const;
};

struct OfficialUsers {
  std::vector<OfficialUser> users;    ///< with different names, in the order of their numbers
  std::vector<std::string> problems;  ///< one sentence each, without any value
};

/// Lines NAME=VALUE, as the environment of the server: SYNC_USER1, SYNC_USER2, ... up to the first missing number, and
/// PASSWORDS_HASHED. Other names, empty lines and those that begin with # are ignored. A value may be quoted, a line may
/// begin with "export ". Later lines win.
OfficialUsers ParseOfficialUsers(std::string_view lines);

/// A row of the list: the current state of a name.
struct OfficialMedia {
  std::string name;
  std::string sha1;             ///< 20 bytes, unless the list is damaged
  std::int64_t size_bytes = 0;  ///< 0: deleted
  MediaUsn usn = 0;
  std::int64_t changed_s = 0;
};

/// media.db. Reads in the order of usns, row by row.
class OfficialMediaList {
 public:
  /// Throws FileRefused (file_wire.h) if it is not such a database, of version 4.
  explicit OfficialMediaList(const std::string& path);
  ~OfficialMediaList();

  MediaUsn LastUsn() const;
  /// The next row; false at the end. Usns are distinct, above 0, and grow: where those of the file do not, as after an
  /// interrupted change, a row gets the next free one. Throws FileRefused.
  bool Next(OfficialMedia& row);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Writes a media.db into an empty file.
class OfficialMediaListWriter {
 public:
  explicit OfficialMediaListWriter(const std::string& path);
  ~OfficialMediaListWriter();

  /// A later row replaces one of the same name.
  void Put(const OfficialMedia& row);
  void Finish(MediaUsn last_usn);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Applies the committed part of a write-ahead log to the private copy of its database. The server keeps its
/// last changes there, even when it has ended. A damaged or foreign end of the log is not committed. Throws
/// std::runtime_error if the machine is at fault. Format:
/// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
void ApplyWriteAheadLog(const std::string& log_path, const std::string& copy_path);

}  // namespace syncline::anki
