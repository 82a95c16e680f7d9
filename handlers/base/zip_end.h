#pragma once
// Finds the end of a zip's directory (APPNOTE.TXT of PKWARE, 4.3.15 and 4.3.16), so that a zip's announced
// sizes can be checked before libzip reads it. libzip tries every end record that it finds and reads a
// directory for each; file contents and comments may contain such a record. Left out on purpose: the record
// of zip64 that a locator names, and reading entries.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace syncline {

/// The end of a zip within which the record lies: the longest comment, the record, the locator of zip64 before it.
inline constexpr std::size_t kZipTailBytes = 65'535 + 22 + 20;

/// Maximum number of records for which libzip may read a directory. File contents within the tail may contain
/// a few by chance.
inline constexpr int kMaxZipEnds = 16;

struct ZipEnd {
  std::uint64_t entries, directory_bytes, directory_at;  ///< as announced
  /// The position of the zip64 record, if a locator precedes this one.
  std::optional<std::uint64_t> zip64_at;
  /// Whether libzip may read a directory for it: not if the directory is on another disk or does not lie
  /// before the record.
  bool is_plausible;
};

/// All records in the tail, in order. `start`: position of the tail in the zip.
std::vector<ZipEnd> FindZipEnds(std::string_view tail, std::uint64_t start);

/// The number of `size` bytes at `at`, least significant byte first.
std::uint64_t LittleEndian(std::string_view bytes, std::size_t at, std::size_t size);

}  // namespace syncline
