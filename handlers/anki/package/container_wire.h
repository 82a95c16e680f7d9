#pragma once
// The container of a package (.apkg, .colpkg): a zip with a collection file and media files, in three versions.
//
//                 version 1            version 2             version 3
//   entry meta    none                 none, or says 2       says 3
//   collection    collection.anki2     collection.anki21     collection.anki21b, a zstd frame
//   schema        11                   11                    18
//   entry media   JSON {"0": "a.mp3"}  the same              a zstd frame of MediaEntries
//   media files   as they are          the same              a zstd frame each
//
// A reader trusts nothing of a package: sizes, counts and names are checked before anything is kept,
// expansion of an entry stops at a limit set by the caller, and all reads of media files together have a
// limit that depends on the size of the package: a small package never costs much time. Entries are stored or
// deflated, as clients write them: other methods of the zip format take as much memory as the entry demands.
// Left out on purpose: the collection itself (file/file_wire.h), and the kind of a package, which only its
// file name shows. Source: reference, section 9.1.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anki/file/file_wire.h"
#include "handlers/base/response.h"
#include "handlers/base/temp_file.h"

namespace syncline::anki {

/// The package is refused, and nothing of it is applied. what() is a message for the user; `code` is public.
class PackageRefused : public FileRefused {
 public:
  PackageRefused(std::string code, const std::string& message)
      : FileRefused(message), code_(std::move(code)) {}
  const std::string& code() const { return code_; }

 private:
  std::string code_;
};

enum class PackageVersion { kLegacy1 = 1, kLegacy2 = 2, kLatest = 3 };

/// A media file in a package.
struct PackagedFile {
  std::string name;   ///< as written in the list: not checked as a file name
  std::string entry;  ///< its name in the zip, a number
  /// The SHA-1 (20 bytes) that version 3 states; none in the others.
  std::optional<std::string> sha1;
};

/// A package opened for reading.
class PackageFile {
 public:
  /// Files in a package: entries of the zip, and names in its list.
  static constexpr std::uint64_t kMaxEntries = 200'000;
  /// All reads of media files together expand to at most kFreeBytes, and kMostExpansion times the package's size.
  /// Counted are the bytes of an entry as it is in the zip, inflated, and expanded from its frame.
  static constexpr std::uint64_t kFreeBytes = 256 << 20, kMostExpansion = 20;

  /// Opens `path`, which stays valid as long as this object. Throws PackageRefused "not_a_package",
  /// "package_damaged", "package_too_new", "too_many_files".
  static PackageFile Open(const std::string& path);
  PackageFile(PackageFile&&) noexcept;
  PackageFile& operator=(PackageFile&&) noexcept;
  ~PackageFile();

  PackageVersion version() const;
  /// Writes the collection file, uncompressed. Throws PackageRefused "package_damaged", "package_too_large" past
  /// `limit` bytes.
  void ReadCollection(std::uint64_t limit, BodySink& sink) const;
  /// The media files by the list of the package; each has its entry in the zip. Throws PackageRefused
  /// "package_damaged", "too_many_files".
  std::vector<PackagedFile> Media() const;
  /// Writes a media file, uncompressed. False: it has more than `limit` bytes, and some of them have been written. Throws
  /// PackageRefused "package_damaged"; "package_too_large" if all reads together expand too far.
  bool ReadMedia(const PackagedFile& file, std::uint64_t limit, BodySink& sink) const;

 private:
  struct Impl;
  explicit PackageFile(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

/// Writes a package as a stream, in constant memory except for the list of names: the sizes follow each entry
/// (data descriptors), and every reader of packages goes by the directory at the end. Order of calls: Collection,
/// Stub, Media for each file, Finish.
class PackageWriter {
 public:
  /// `version`: kLegacy2 or kLatest.
  PackageWriter(BodySink& sink, PackageVersion version);
  ~PackageWriter();
  PackageWriter(const PackageWriter&) = delete;
  PackageWriter& operator=(const PackageWriter&) = delete;

  /// Calls `write` with a sink for the collection file.
  void Collection(const std::function<void(BodySink&)>& write);
  /// kLatest only: `write` writes a zstd frame of the collection file.
  void CompressedCollection(const std::function<void(BodySink&)>& write);
  /// The collection.anki2 that tells old clients to update.
  void Stub(const TempFile& file);
  /// `name`: normalised; `sha1`: 20 bytes; `write` writes `size_bytes` bytes.
  void Media(std::string_view name, std::string_view sha1, std::uint64_t size_bytes,
             const std::function<void(BodySink&)>& write);
  void Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace syncline::anki
