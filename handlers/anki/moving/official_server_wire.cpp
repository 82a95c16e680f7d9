#include "handlers/anki/moving/official_server_wire.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include "handlers/anki/file/file_wire.h"
#include "handlers/anki/file/file_wire_sqlite.h"
#include "handlers/base/file_descriptor.h"
#include "handlers/base/json.h"
#include "handlers/base/sha1.h"
#include "handlers/base/sha256.h"

namespace syncline::anki {
namespace {

constexpr int kListVersion = 4;
constexpr char kDamagedList[] = "media.db is damaged";

std::map<std::string_view, std::string_view, std::less<>> Variables(std::string_view lines) {
  std::map<std::string_view, std::string_view, std::less<>> variables;
  while (!lines.empty()) {
    std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    while (line.starts_with(' ') || line.starts_with('\t')) line.remove_prefix(1);
    if (line.starts_with("export ")) line.remove_prefix(7);
    const std::size_t equals = line.find('=');
    if (line.starts_with('#') || equals == line.npos) continue;
    std::string_view value = line.substr(equals + 1);
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
      value = value.substr(1, value.size() - 2);
    variables[line.substr(0, equals)] = value;
  }
  return variables;
}

// A file descriptor, for the bytes that SQLite itself does not read for us.
class OpenedFile {
 public:
  OpenedFile(const std::string& path, int flags) : file_(path.c_str(), flags) {
    if (!file_.IsOpen()) throw std::runtime_error("cannot open " + path);
  }

  // False: the file ends before.
  bool Read(std::string& into, std::uint64_t offset) const {
    for (std::size_t done = 0; done < into.size();) {
      const auto got =
          ::pread(file_.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw std::runtime_error("cannot read a write-ahead log");
      if (got == 0) return false;
      done += static_cast<std::size_t>(got);
    }
    return true;
  }
  void Write(std::string_view bytes, std::uint64_t offset) const {
    while (!bytes.empty()) {
      const auto written = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw std::runtime_error("cannot write the copy of a database");
      bytes.remove_prefix(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    }
  }
  std::uint64_t Size() const {
    struct stat info {};
    if (::fstat(file_.get(), &info) != 0) throw std::runtime_error("cannot read the copy of a database");
    return static_cast<std::uint64_t>(info.st_size);
  }
  void Truncate(std::uint64_t size) const {
    if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0)
      throw std::runtime_error("cannot cut the copy of a database");
  }

 private:
  FileDescriptor file_;
};

std::uint32_t BigEndian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::uint32_t LittleEndian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[at + i - 1]);
  return value;
}

constexpr std::size_t kLogHead = 32, kFrameHead = 24;
constexpr std::uint32_t kLogMagic = 0x377f0682;  // the last bit: checksums of big-endian words
constexpr std::uint32_t kLogVersion = 3'007'000;

// The sums over all words so far.
struct Checksum {
  bool is_big_endian;
  std::uint32_t first = 0, second = 0;
  void Add(std::string_view bytes) {
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      first += (is_big_endian ? BigEndian(bytes, at) : LittleEndian(bytes, at)) + second;
      second += (is_big_endian ? BigEndian(bytes, at + 4) : LittleEndian(bytes, at + 4)) + first;
    }
  }
  bool Is(std::string_view bytes, std::size_t at) const {
    return first == BigEndian(bytes, at) && second == BigEndian(bytes, at + 4);
  }
};

struct LogHead {
  std::string bytes;
  std::uint32_t page_size;
  Checksum checksum;
};

std::optional<LogHead> ReadLogHead(const OpenedFile& log) {
  std::string head(kLogHead, '\0');
  if (!log.Read(head, 0)) return std::nullopt;
  const std::uint32_t magic = BigEndian(head, 0), page_size = BigEndian(head, 8);
  if ((magic & ~1U) != kLogMagic || BigEndian(head, 4) != kLogVersion) return std::nullopt;
  if (page_size < 512 || page_size > 65'536 || (page_size & (page_size - 1)) != 0) return std::nullopt;
  Checksum checksum{(magic & 1) != 0};
  checksum.Add(std::string_view(head).substr(0, 24));
  if (!checksum.Is(head, 24)) return std::nullopt;
  return LogHead{std::move(head), page_size, checksum};
}

// Calls `frame` with number of the page, pages of the database if the frame commits (else 0) and content of each valid
// frame, until it returns false.
template <typename F>
void EachFrame(const OpenedFile& log, LogHead head, F&& frame) {
  std::string bytes(kFrameHead + head.page_size, '\0');
  for (std::uint64_t at = kLogHead; log.Read(bytes, at); at += bytes.size()) {
    const std::string_view all = bytes;
    if (all.substr(8, 8) != std::string_view(head.bytes).substr(16, 8))
      return;  // of an earlier use of the log
    head.checksum.Add(all.substr(0, 8));
    head.checksum.Add(all.substr(kFrameHead));
    const std::uint32_t page = BigEndian(all, 0);
    if (!head.checksum.Is(all, 16) || page == 0) return;
    if (!frame(page, BigEndian(all, 4), all.substr(kFrameHead))) return;
  }
}

}  // namespace

std::string OfficialUser::Key() const {
  Sha1 sha1;
  sha1.Add(name);
  sha1.Add(":");
  sha1.Add(password);
  return HexText(sha1.Finish());
}

OfficialUsers ParseOfficialUsers(std::string_view lines) {
  OfficialUsers result;
  const auto variables = Variables(lines);
  const bool are_hashed = variables.contains("PASSWORDS_HASHED");
  std::set<std::string_view> names;
  int number = 1;
  for (;; ++number) {
    const std::string variable = "SYNC_USER" + std::to_string(number);
    const auto found = variables.find(variable);
    if (found == variables.end()) break;
    const std::string_view value = found->second;
    const std::size_t colon = value.find(':');
    if (colon == value.npos || colon == 0) {
      result.problems.push_back(variable + " is not name:password");
    } else if (!names.insert(value.substr(0, colon)).second) {
      result.problems.push_back(variable + " has the name of an earlier one");
    } else {
      result.users.push_back(
          {std::string(value.substr(0, colon)), std::string(value.substr(colon + 1)), are_hashed});
    }
  }
  for (const auto& [variable, value] : variables) {
    constexpr std::string_view kPrefix = "SYNC_USER";
    if (!variable.starts_with(kPrefix)) continue;
    const std::string_view digits = variable.substr(kPrefix.size());
    const auto read = WholeNumber(digits);
    if (!read || *read < 1 || *read >= number || digits.front() == '0') {
      result.problems.push_back(
          std::string(variable) +
          " is not read by the official server: its numbers begin with 1 and have no gap");
    }
  }
  return result;
}

struct OfficialMediaList::Impl {
  explicit Impl(const std::string& path) : db(path, sqlite::Connection::Mode::kUntrustedReadOnly) {}
  sqlite::Connection db;
  sqlite::Statement rows;
  MediaUsn last_usn = 0, reached = 0;
};

OfficialMediaList::OfficialMediaList(const std::string& path) {
  try {
    impl_ = std::make_unique<Impl>(path);
    auto version = impl_->db.Prepare("PRAGMA user_version");
    if (!version.Step() || version.Int(0) != kListVersion) {
      throw FileRefused(
          "media.db is of another version: start and stop a current official server on the folder once");
    }
    auto head = impl_->db.Prepare("SELECT last_usn FROM meta");
    if (!head.Step()) throw FileRefused(kDamagedList);
    const std::int64_t last = head.Int(0);
    if (last < 0 || last > std::numeric_limits<MediaUsn>::max()) throw FileRefused(kDamagedList);
    impl_->last_usn = static_cast<MediaUsn>(last);
    impl_->rows = impl_->db.Prepare("SELECT fname, csum, size, usn, mtime FROM media ORDER BY usn, fname");
  } catch (const FileRefused& refused) {
    const std::string_view why = refused.what();
    throw FileRefused(why.starts_with("media.db") ? std::string(why) : kDamagedList);
  }
}

OfficialMediaList::~OfficialMediaList() = default;

MediaUsn OfficialMediaList::LastUsn() const {
  return impl_->last_usn;
}

bool OfficialMediaList::Next(OfficialMedia& row) {
  try {
    if (!impl_->rows.Step()) return false;
  } catch (const FileRefused&) {
    throw FileRefused(kDamagedList);
  }
  const sqlite::Statement& rows = impl_->rows;
  const std::int64_t usn = std::max(rows.Int(3), std::int64_t{impl_->reached} + 1);
  if (usn > std::numeric_limits<MediaUsn>::max()) throw FileRefused(kDamagedList);
  impl_->reached = static_cast<MediaUsn>(usn);
  row = {std::string(rows.Text(0)), std::string(rows.Blob(1)), rows.Int(2), impl_->reached, rows.Int(4)};
  return true;
}

struct OfficialMediaListWriter::Impl {
  explicit Impl(const std::string& path) : db(path, sqlite::Connection::Mode::kReadWrite) {}
  sqlite::Connection db;
  sqlite::Statement put;
};

OfficialMediaListWriter::OfficialMediaListWriter(const std::string& path)
    : impl_(std::make_unique<Impl>(path)) {
  const sqlite::Connection& db = impl_->db;
  db.Run("BEGIN");
  db.Run(
      "CREATE TABLE media (\n  fname text NOT NULL PRIMARY KEY,\n  csum blob NOT NULL,\n  -- if zero, file "
      "has "
      "been deleted\n  size int NOT NULL,\n  usn int NOT NULL,\n  mtime int NOT NULL\n)");
  db.Run("CREATE INDEX ix_usn ON media (usn)");
  db.Run(
      "CREATE TABLE meta (\n  last_usn int NOT NULL,\n  total_bytes int NOT NULL,\n  total_nonempty_files "
      "int "
      "NOT NULL\n)");
  impl_->put =
      db.Prepare("INSERT OR REPLACE INTO media (fname, csum, size, usn, mtime) VALUES (?, ?, ?, ?, ?)");
}

OfficialMediaListWriter::~OfficialMediaListWriter() = default;

void OfficialMediaListWriter::Put(const OfficialMedia& row) {
  impl_->put.Bind(1, row.name)
      .BindBlob(2, row.sha1)
      .Bind(3, row.size_bytes)
      .Bind(4, row.usn)
      .Bind(5, row.changed_s)
      .Run();
}

void OfficialMediaListWriter::Finish(MediaUsn last_usn) {
  const sqlite::Connection& db = impl_->db;
  db.Prepare(
        "INSERT INTO meta (last_usn, total_bytes, total_nonempty_files) "
        "SELECT ?, coalesce(sum(size), 0), count(*) FILTER (WHERE size > 0) FROM media")
      .Bind(1, last_usn)
      .Run();
  db.Run("PRAGMA user_version = 4");
  db.Run("COMMIT");
}

void ApplyWriteAheadLog(const std::string& log_path, const std::string& copy_path) {
  const OpenedFile log(log_path, O_RDONLY);
  const auto head = ReadLogHead(log);
  if (!head) return;
  const OpenedFile copy(copy_path, O_RDWR);
  const std::uint64_t pages_before = copy.Size() / head->page_size;
  // Frames after the last commit do not count, so they are counted first.
  std::uint64_t frames = 0, committed = 0, pages = 0;
  EachFrame(log, *head, [&](std::uint32_t, std::uint32_t pages_after, std::string_view) {
    ++frames;
    // Every page is in the file or in the log.
    if (pages_after > pages_before + frames) return false;
    if (pages_after > 0) {
      committed = frames;
      pages = pages_after;
    }
    return true;
  });
  if (committed == 0) return;
  std::uint64_t done = 0;
  EachFrame(log, *head, [&](std::uint32_t page, std::uint32_t, std::string_view content) {
    // A page beyond the end was cut off later.
    if (page <= pages) copy.Write(content, std::uint64_t{page - 1} * head->page_size);
    return ++done < committed;
  });
  copy.Truncate(pages * head->page_size);
}

}  // namespace syncline::anki
