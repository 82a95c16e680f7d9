#pragma once
// The little of SQLite that reading and writing collection files needs, and what both of them share.
//
// Left out on purpose: everything that PostgreSQL is for. Only handlers/anki/file_wire*.cpp may include this.
#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "handlers/anki/file/file_wire.h"
#include "handlers/anki/objects/rows_wire.h"

namespace syncline::anki::sqlite {

/// The longest text or blob a file may hold, and the longest row: twice the largest message that can be set,
/// for a row may hold a note's first field twice. SQLite itself holds 10^9 bytes.
inline constexpr int kMaxValueBytes = 900 << 20;

/// What the user is told of a file that SQLite or Anki could not work with.
inline constexpr char kDamaged[] =
    "The collection file is damaged. In Anki, please use Tools > Check Database; if that reports an error, "
    "open "
    "a backup (File > Switch Profile > Open Backup). Then try again.";

/// Throws what an error code means: FileRefused when the file is to blame, std::runtime_error when the
/// machine is.
[[noreturn]] void Throw(sqlite3* db, int code);

class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* db, std::string_view sql);

  Statement& Bind(int index, std::int64_t value);
  /// The text must stay until the statement has been stepped or reset.
  Statement& Bind(int index, std::string_view text);
  Statement& BindBlob(int index, std::string_view bytes);
  /// True while there is a row.
  bool Step();
  void Reset();
  /// For statements without rows: step, then reset, so that it can be bound again.
  void Run();

  int Type(int column) const { return sqlite3_column_type(statement_.get(), column); }
  /// What is no integer is cast, as SQL's CAST does it.
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

/// The first 100 bytes of a database file, or fewer when it is shorter. Throws std::runtime_error.
std::string ReadHeader(const std::string& path);
bool HeaderSaysWal(std::string_view header);
/// Makes a file in WAL mode one with a rollback journal. Right only for a file whose -wal has been
/// checkpointed, which every uploaded file must be: it comes alone.
void LeaveWal(const std::string& path);

int ReadSchemaVersion(const Connection& db);
/// What is not read as it is stored is counted in `adjusted`, if given.
SmallObjects ReadSmallObjects(const Connection& db, int version, Adjustments* adjusted = nullptr);
/// The usn of a row, cut to 32 bits as Anki's reader cuts it. What is below 0 counts as seen by everybody who
/// has the file: -1 marks what waits for a sync in a client, and whoever downloads the file sends it anew.
Usn SoundUsn(std::int64_t usn);
void CountAdjusted(Adjustments& adjusted, const char* table, const char* column, std::int64_t id);

}  // namespace syncline::anki::sqlite
