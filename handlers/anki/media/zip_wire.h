#pragma once
// The zips of media sync (APPNOTE.TXT of PKWARE). Reading: libzip, within bounds, because an uploaded zip may lie about
// everything. Writing: stored entries of known size and checksum, so that a zip's length is known before its first byte
// and it can be streamed; at most 65,535 entries and 4 GiB. Left out on purpose: zip64, encryption, methods other than
// "stored" and "deflated".
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/temp_file.h"

namespace syncline::anki {

/// Where an uploaded zip is: in memory or in a file. Either must outlive the reader.
class ZipReader {
 public:
  /// All constructors and methods throw Error BadInput "bad_zip" if the data is not a zip, has too many
  /// entries or two of one name, is encrypted, is compressed by another method, is longer than announced, or
  /// has a wrong checksum.
  explicit ZipReader(std::string_view bytes);
  explicit ZipReader(const TempFile& file);
  ~ZipReader();
  ZipReader(const ZipReader&) = delete;
  ZipReader& operator=(const ZipReader&) = delete;

  struct Entry {
    std::uint64_t index;
    std::uint64_t size_bytes;  ///< expanded, as announced; Read enforces it
    std::uint32_t crc32;       ///< likewise
  };
  /// Error BadInput "bad_zip" if there is none of this name.
  Entry Find(const std::string& name) const;
  /// Calls `piece` with the bytes of the entry, expanded, in order.
  void Read(const Entry& entry, const std::function<void(std::string_view)>& piece) const;
  /// The whole entry. Error BadInput "bad_zip" past `limit` bytes.
  std::string ReadAll(const Entry& entry, std::uint64_t limit) const;

 private:
  struct Archive;
  std::unique_ptr<Archive> archive_;
};

/// One entry of a zip that is written.
struct StoredEntry {
  std::string name;
  std::uint32_t size_bytes;
  std::uint32_t crc32;
};

/// The length of a zip with these entries.
std::uint64_t ZipBytes(const std::vector<StoredEntry>& entries);
/// What precedes the bytes of an entry.
std::string ZipLocalHeader(const StoredEntry& entry);
/// What follows the bytes of the last entry: the central directory.
std::string ZipDirectory(const std::vector<StoredEntry>& entries);

}  // namespace syncline::anki
