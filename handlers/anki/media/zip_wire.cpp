#include "handlers/anki/media/zip_wire.h"

#include <zip.h>

#include <algorithm>
#include <span>

#include "handlers/base/errors.h"
#include "handlers/base/zip_end.h"

namespace syncline::anki {
namespace {

// A client's zip has one entry more than files. A directory of millions would take hundreds of MB of memory.
constexpr std::uint64_t kMaxEntries = 1000;
constexpr std::size_t kPieceBytes = 64 << 10;

constexpr std::size_t kLocalHeaderBytes = 30, kDirectoryEntryBytes = 46, kEndBytes = 22;
// Of 1000 entries with the longest names. libzip takes some ten times as much memory for the other parts of
// entries.
constexpr std::uint64_t kMaxDirectoryBytes = 512 << 10;

Error Bad(const std::string& why) {
  return BadInput("bad_zip", why);
}

// Refuses directories that are too long before libzip reads them. `tail`: all of the zip that may hold the end of the
// directory, from position `start` on. File contents there may look like an end for which libzip reads no directory.
void CheckEnds(std::string_view tail, std::uint64_t start) {
  int ends = 0;
  for (const ZipEnd& end : FindZipEnds(tail, start)) {
    if (end.zip64_at) throw Bad("zip64");
    if (!end.is_plausible) continue;
    if (end.entries > kMaxEntries || end.directory_bytes > kMaxDirectoryBytes || ++ends > kMaxZipEnds)
      throw Bad("too many entries");
  }
  if (ends == 0) throw Bad("no directory");
}

std::string TailOf(const TempFile& file) {
  const std::uint64_t size = file.Size();
  std::string tail(static_cast<std::size_t>(std::min<std::uint64_t>(size, kZipTailBytes)), '\0');
  std::size_t got = 0;
  while (const std::size_t more = file.ReadAt(size - tail.size() + got, tail.data() + got, tail.size() - got))
    got += more;
  return tail;
}

void Put16(std::string& out, std::uint32_t value) {
  out += static_cast<char>(value);
  out += static_cast<char>(value >> 8);
}

void Put32(std::string& out, std::uint32_t value) {
  Put16(out, value & 0xffff);
  Put16(out, value >> 16);
}

// What a local header and an entry of the directory have in common.
void PutEntry(std::string& out, const StoredEntry& entry) {
  constexpr std::uint32_t kVersion = 10, kStored = 0, kMidnight = 0, kFirstDay = 1 << 5 | 1;  // 1980-01-01
  Put16(out, kVersion);
  Put16(out, 0);  // flags
  Put16(out, kStored);
  Put16(out, kMidnight);
  Put16(out, kFirstDay);
  Put32(out, entry.crc32);
  Put32(out, entry.size_bytes);
  Put32(out, entry.size_bytes);
  Put16(out, static_cast<std::uint32_t>(entry.name.size()));
  Put16(out, 0);  // extra fields
}

}  // namespace

struct ZipReader::Archive {
  explicit Archive(zip_source_t* source) {
    if (source == nullptr) throw Error(ErrorKind::kInternal, "internal", "no source for a zip");
    zip_error_t error;
    zip_error_init(&error);
    zip = zip_open_from_source(source, ZIP_RDONLY, &error);
    if (zip == nullptr) {
      zip_source_free(source);
      const std::string why = zip_error_strerror(&error);
      zip_error_fini(&error);
      throw Bad(why);
    }
    zip_error_fini(&error);
    Check();
  }
  ~Archive() {
    if (zip != nullptr) zip_discard(zip);
  }
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  // Names must be unambiguous: which of two entries counts differs between programs.
  void Check() {
    const zip_int64_t count = zip_get_num_entries(zip, 0);
    std::string why;
    if (count < 0 || static_cast<std::uint64_t>(count) > kMaxEntries) why = "too many entries";
    for (zip_int64_t i = 0; why.empty() && i < count; ++i) {
      const char* name = zip_get_name(zip, static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW);
      if (name == nullptr || zip_name_locate(zip, name, ZIP_FL_ENC_RAW) != i) why = "two entries of one name";
    }
    if (why.empty()) return;
    zip_discard(zip);
    zip = nullptr;
    throw Bad(why);
  }

  zip_t* zip = nullptr;
};

ZipReader::ZipReader(std::string_view bytes) {
  const std::size_t start = bytes.size() - std::min(bytes.size(), kZipTailBytes);
  CheckEnds(bytes.substr(start), start);
  archive_ =
      std::make_unique<Archive>(zip_source_buffer_create(bytes.data(), bytes.size(), /*freep=*/0, nullptr));
}

ZipReader::ZipReader(const TempFile& file) {
  const std::string tail = TailOf(file);
  CheckEnds(tail, file.Size() - tail.size());
  archive_ = std::make_unique<Archive>(zip_source_file_create(file.path().c_str(), 0, -1, nullptr));
}

ZipReader::~ZipReader() = default;

ZipReader::Entry ZipReader::Find(const std::string& name) const {
  zip_stat_t stat;
  zip_stat_init(&stat);
  const bool is_found =
      name.find('\0') == name.npos && zip_stat(archive_->zip, name.c_str(), ZIP_FL_ENC_RAW, &stat) == 0;
  if (!is_found) throw Bad("no such entry");
  constexpr zip_uint64_t kNeeded = ZIP_STAT_INDEX | ZIP_STAT_SIZE | ZIP_STAT_CRC | ZIP_STAT_COMP_METHOD;
  if ((stat.valid & kNeeded) != kNeeded) throw Bad("an entry without its size");
  if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && stat.encryption_method != ZIP_EM_NONE)
    throw Bad("encrypted");
  if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE) throw Bad("compression method");
  return {stat.index, stat.size, stat.crc};
}

namespace {

// Reads an entry into buffers that `next` gives, and calls `got` with the number of bytes read.
template <typename Next, typename Got>
void ReadEntry(zip_t* zip, const ZipReader::Entry& entry, Next next, Got got) {
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(zip_fopen_index(zip, entry.index, 0),
                                                               zip_fclose);
  if (file == nullptr) throw Bad(zip_strerror(zip));
  // Of an entry without bytes libzip does not compare the checksum.
  if (entry.size_bytes == 0 && entry.crc32 != 0) throw Bad("checksum");
  for (std::uint64_t left = entry.size_bytes;;) {
    // Reads one byte past the announced size to detect longer content. At the last byte libzip compares the
    // checksum.
    const std::span<char> buffer = next();
    const zip_int64_t bytes = zip_fread(file.get(), buffer.data(), buffer.size());
    if (bytes < 0) throw Bad(zip_file_strerror(file.get()));
    if (static_cast<std::uint64_t>(bytes) > left) throw Bad("an entry longer than announced");
    if (bytes == 0 && left > 0) throw Bad("an entry shorter than announced");
    if (bytes == 0) return;
    left -= static_cast<std::uint64_t>(bytes);
    got(static_cast<std::size_t>(bytes));
  }
}

}  // namespace

void ZipReader::Read(const Entry& entry, const std::function<void(std::string_view)>& piece) const {
  std::string buffer(kPieceBytes, '\0');
  ReadEntry(
      archive_->zip, entry, [&] { return std::span<char>(buffer); },
      [&](std::size_t got) { piece(std::string_view(buffer).substr(0, got)); });
}

std::string ZipReader::ReadAll(const Entry& entry, std::uint64_t limit) const {
  if (entry.size_bytes > limit) throw Bad("an entry that is too large");
  std::string all(static_cast<std::size_t>(entry.size_bytes) + 1, '\0');
  std::size_t at = 0;
  ReadEntry(
      archive_->zip, entry, [&] { return std::span<char>(all).subspan(at); },
      [&](std::size_t got) { at += got; });
  all.resize(at);
  return all;
}

std::uint64_t ZipBytes(const std::vector<StoredEntry>& entries) {
  std::uint64_t bytes = kEndBytes;
  for (const StoredEntry& entry : entries) {
    bytes += kLocalHeaderBytes + kDirectoryEntryBytes + 2 * entry.name.size() + entry.size_bytes;
  }
  return bytes;
}

std::string ZipLocalHeader(const StoredEntry& entry) {
  std::string header("PK\3\4", 4);
  PutEntry(header, entry);
  return header + entry.name;
}

std::string ZipDirectory(const std::vector<StoredEntry>& entries) {
  constexpr std::uint32_t kMadeBy = 3 << 8 | 10;        // Unix
  constexpr std::uint32_t kPlainFile = 0100644U << 16;  // its mode
  std::string directory;
  std::uint32_t offset = 0;
  for (const StoredEntry& entry : entries) {
    directory.append("PK\1\2", 4);
    Put16(directory, kMadeBy);
    PutEntry(directory, entry);
    Put16(directory, 0);  // comment
    Put16(directory, 0);  // disk
    Put16(directory, 0);  // internal attributes
    Put32(directory, kPlainFile);
    Put32(directory, offset);
    directory += entry.name;
    offset += static_cast<std::uint32_t>(kLocalHeaderBytes + entry.name.size()) + entry.size_bytes;
  }
  const auto bytes = static_cast<std::uint32_t>(directory.size());
  const auto count = static_cast<std::uint32_t>(entries.size());
  directory.append("PK\5\6", 4);
  Put32(directory, 0);  // disks
  Put16(directory, count);
  Put16(directory, count);
  Put32(directory, bytes);
  Put32(directory, offset);
  Put16(directory, 0);  // comment
  return directory;
}

}  // namespace syncline::anki
