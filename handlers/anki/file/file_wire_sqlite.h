#pragma once
// The small part of SQLite that reading and writing collection files needs, and code that both share.
//
// Left out on purpose: everything else of SQLite. Only handlers/anki/file/file_wire*.cpp and
// handlers/anki/moving/official_server_wire.cpp may include this.
#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "handlers/anki/file/file_wire.h"
#include "handlers/anki/objects/rows_wire.h"

namespace syncline::anki::sqlite {

/// The longest text, blob or row that a file may hold: twice the largest value of max_message_mib, since a
/// row may hold a note's only field twice (flds and sfld). SQLite itself holds 10^9 bytes.
inline constexpr int kMaxValueBytes = 900 << 20;

/// The message for the user if SQLite or Anki cannot work with the file.
inline constexpr char kDamaged[] =
    "The collection file is damaged. In Anki, please use Tools > Check Database; if that reports an error, "
    "open a backup (File > Switch Profile > Open Backup). Then try again.";

inline constexpr char kForeignParts[] =
    "The collection file contains database parts that do not belong to Anki, perhaps from an add-on. "
    "In Anki, please export all decks as a deck package (.apkg) with scheduling, import it into a new "
    "profile, and "
    "upload that one.";

/// Throws the exception for an error code: FileRefused if the file is at fault, std::runtime_error or
/// std::bad_alloc if the machine is.
[[noreturn]] void Throw(sqlite3* db, int code);

class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* db, std::string_view sql);

  Statement& Bind(int index, std::int64_t value);
  /// The text must stay valid until the statement has run or is reset.
  Statement& Bind(int index, std::string_view text);
  Statement& BindBlob(int index, std::string_view bytes);
  /// True while there is a row.
  bool Step();
  void Reset();
  /// Runs to the end, discards rows, and resets, so that it can be bound again.
  void Run();

  int Type(int column) const { return sqlite3_column_type(statement_.get(), column); }
  /// Other types are converted as by SQL's CAST.
  std::int64_t Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  /// Valid until the next Step or Reset.
  std::string_view Text(int column) const;
  std::string_view Blob(int column) const;
  explicit operator bool() const { return statement_ != nullptr; }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Connection {
 public:
  enum class Mode { kUntrustedReadOnly, kReadWrite };
  Connection(const std::string& path, Mode mode);

  Statement Prepare(std::string_view sql) const { return {db_.get(), sql}; }
  void Run(std::string_view sql) const { Prepare(sql).Run(); }
  sqlite3* Handle() const { return db_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, Close> db_;
};

/// The first 100 bytes of a database file, or all of a shorter one. Throws std::runtime_error.
std::string ReadHeader(const std::string& path);
bool HeaderSaysWal(std::string_view header);
/// Switches a file in WAL mode to a rollback journal. Correct only if its -wal has been checkpointed, which
/// every uploaded file must be: it comes without one.
void LeaveWal(const std::string& path);

int ReadSchemaVersion(const Connection& db);
/// Counts values that are not read as stored in `adjusted`, if given. Throws FileRefused.
SmallObjects ReadSmallObjects(const Connection& db, int version, Adjustments* adjusted = nullptr);
/// The usn of a row, cut to 32 bits as Anki's reader does. Values below 0 become 0, which counts as seen by
/// every client that has the file: -1 marks a row that waits for a sync, and each client that downloads the
/// file sends it again.
Usn SoundUsn(std::int64_t usn);
void CountAdjusted(Adjustments& adjusted, const char* table, const char* column, std::int64_t id);

}  // namespace syncline::anki::sqlite
