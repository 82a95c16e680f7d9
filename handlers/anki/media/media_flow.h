#pragma once
// Receiving and sending media files. Bytes are unpacked, hashed and, if large, stored before the transaction
// that makes them files. That transaction takes milliseconds, and a process that dies before it leaves
// nothing but bytes for the sweep.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "handlers/anki/media/media_rules.h"
#include "handlers/base/context.h"
#include "handlers/base/errors.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::anki {

/// Longest zip of an upload: a client stops adding files past 2.5 MiB, and the last one may have 100 MiB.
inline constexpr std::size_t kMaxMediaZipBytes = std::size_t{128} << 20;

struct TakenMedia {
  std::size_t processed;  ///< files in the zip
  /// The account's last usn; 0 if the client must not adopt it, because there are changes that it may not
  /// have seen, although the numbers match by chance.
  MediaUsn usn;
};

/// Error BadInput "bad_media_name" or "bad_media_file" (empty, or too large). The log does not get the name.
class MediaFileRefused : public Error {
 public:
  MediaFileRefused(const char* code, const char* why, std::string name)
      : Error(ErrorKind::kBadInput, code, why), name_(std::move(name)) {}
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

/// Stores the files of a zip of about `expected` bytes, all or none. Throws MediaFileRefused; Error BadInput
/// "bad_zip", "bad_json", "too_many_files"; TooLarge "media_too_large" past kMaxMediaZipBytes; StorageFull
/// "over_quota", "disk_full"; Conflict "blob_gone", "media_changed" (try again).
TakenMedia TakeMedia(Context& context, BodySource& zip, std::size_t expected);

/// A zip to be sent: bytes of small files are in memory, at most about 4 MiB; larger ones are read as they are sent.
class MediaDownload {
 public:
  /// The first of these files, up to the one that passes 2.5 MiB. Throws Error Conflict "no_such_media" if one of them does
  /// not exist.
  MediaDownload(Context& context, const std::vector<std::string>& names);
  ~MediaDownload();
  /// Of the zip.
  std::uint64_t bytes() const { return bytes_; }
  void Write(BodySink& sink) const;

 private:
  struct File;
  Context& context_;
  std::vector<File> files_;
  std::string names_json_;
  std::uint64_t bytes_ = 0;
};

}  // namespace syncline::anki
