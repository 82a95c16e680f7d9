#pragma once
// The media files of an imported package: decides which are needed and under which names, stores their
// contents before the transaction, and adds them to the account in the transaction.
//
// A static file (media_name_rules.h) is added if the account has none of its name. Any other file is added if
// an imported note refers to it and the account does not have it; if the account has other content under its
// name, the file and the references in notes get a name with its hash. A whole collection adds all of its
// files, and they replace existing ones. Nothing is ever deleted.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anki/media/media_store.h"
#include "handlers/anki/package/container_wire.h"
#include "handlers/base/blobs.h"
#include "handlers/base/context.h"

namespace syncline::anki {

struct MediaReport {
  std::int64_t found = 0, added = 0, renamed = 0, unchanged = 0, kept = 0, unused = 0;
  std::vector<std::pair<std::string, const char*>> skipped{};  ///< name, and why: "empty", "too_large"
};

class PackageMedia {
 public:
  /// Reads the list of files. `room`: for what Store stores; Lock settles it. Throws PackageRefused "package_damaged",
  /// "too_many_files".
  PackageMedia(Context& context, const PackageFile& package, Reservation& room);
  ~PackageMedia();

  bool empty() const { return files_.empty(); }
  /// Called often with the progress (done, total); may throw.
  using Progress = std::function<void(std::int64_t done, std::int64_t total)>;
  /// Begins a comparison with the account's files: resets which files are used. May be called again.
  void Compare(const Progress& progress);
  /// As Compare, for a whole collection: all files are used.
  void UseAll();
  /// The name that a reference in an imported note must have; none: unchanged. Marks the file as used.
  std::optional<std::string> Use(const std::string& name);
  /// Whether there is anything to add.
  bool HasUsed() const;
  /// Stores the contents of used files, in short transactions. What is stored already is not stored again. Throws
  /// PackageRefused "package_damaged" for a file that is not what the list says, Error StorageFull "over_quota",
  /// "disk_full".
  void Store(const Progress& progress);

  /// In the transaction, before the account's quota and blobs are locked: locks the account's media and decides what changes.
  /// False: a device has changed one of the files since Compare; compare again.
  bool Lock(sql::Tx& tx);
  /// After Lock.
  const MediaReport& report() const { return report_; }
  /// After Lock: adds the files. Throws Error StorageFull "over_quota", Conflict "blob_gone".
  void Apply(sql::Tx& tx);

 private:
  enum class Fate { kUnused, kUsed, kStatic, kUnchanged, kKept, kSkipped };
  struct File {
    PackagedFile packaged;
    std::string name;      // normal
    std::string new_name;  // with its hash, if ours of that name has other content
    Fate fate = Fate::kUnused;
    std::optional<MediaContent> content;  // once it is stored
    BlobId blob{};
  };
  // Also when it was not stated before; none: too large for any client.
  std::optional<std::string> Sha1Of(File& file);
  void StoreSmall(std::vector<File*>& batch, std::vector<std::string>& contents);
  void Skip(File& file, const char* why);

  Context& context_;
  const PackageFile& package_;
  std::vector<File> files_;
  std::map<std::string_view, std::size_t> by_name_;  // those that notes may refer to
  Reservation& room_;
  std::vector<SentMedia> sent_;          // what is added, if it is not there
  std::vector<std::size_t> sent_files_;  // index of each in files_
  MediaChanges changes_;
  MediaReport report_;
  bool replaces_ = false;
};

}  // namespace syncline::anki
