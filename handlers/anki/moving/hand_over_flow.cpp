#include "handlers/anki/moving/hand_over_flow.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include "handlers/anki/file/full_sync_flow.h"
#include "handlers/anki/media/media_store.h"
#include "handlers/anki/moving/official_server_wire.h"
#include "handlers/base/blobs.h"
#include "handlers/base/errors.h"
#include "handlers/base/file_descriptor.h"
#include "handlers/base/sha1.h"
#include "handlers/base/temp_file.h"

namespace syncline::anki {
namespace {

namespace fs = std::filesystem;

constexpr int kFilesAtOnce = 1000;
constexpr std::size_t kMaxFolderName = 255;
constexpr std::size_t kSha1Bytes = 20;

[[noreturn]] void ThrowErrno(const std::string& what) {
  throw Busy("storage_unavailable", what + ": " + std::strerror(errno));
}

// A file that appears at its place when it is complete.
class PlacedFile : public BodySink {
 public:
  explicit PlacedFile(std::string part)
      : part_(std::move(part)), file_(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW) {
    if (!file_.IsOpen()) ThrowErrno(part_);
  }
  ~PlacedFile() override {
    if (file_.IsOpen()) ::unlink(part_.c_str());
  }

  void Write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto written = ::write(file_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) ThrowErrno(part_);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  void SetTime(std::int64_t seconds) {
    const std::array<struct timespec, 2> times{{{seconds, 0}, {seconds, 0}}};
    ::futimens(file_.get(), times.data());
  }
  /// What is placed survives a crash of the machine if `is_synced`; else once its file system is synced.
  void Place(const std::string& path, bool is_synced) {
    if (is_synced && ::fsync(file_.get()) != 0) ThrowErrno(part_);
    if (::close(file_.Release()) != 0 || ::rename(part_.c_str(), path.c_str()) != 0) {
      const int error = errno;
      ::unlink(part_.c_str());
      errno = error;
      ThrowErrno(path);
    }
  }

 private:
  std::string part_;
  FileDescriptor file_;
};

void Place(const TempFile& file, const std::string& path) {
  PlacedFile placed(path + ".part");
  file.ReadAll(placed);
  placed.Place(path, /*is_synced=*/true);
}

void MakeFolder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) ThrowErrno(path);
}

void SyncFileSystem(const std::string& path) {
  const FileDescriptor folder(path.c_str(), O_RDONLY | O_DIRECTORY);
  if (!folder.IsOpen() || ::syncfs(folder.get()) != 0) ThrowErrno(path);
}

// Whether it has these bytes already.
bool HasContent(const std::string& path, const MediaFile& file) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size != file.size_bytes)
    return false;
  std::ifstream in(path, std::ios::binary);
  std::string piece(256 << 10, '\0');
  Sha1 sha1;
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0)
    sha1.Add({piece.data(), static_cast<std::size_t>(in.gcount())});
  return !in.bad() && sha1.Finish() == file.sha1;
}

std::int64_t Seconds(sql::Time time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

// False: it has been replaced meanwhile; a later row has what its name has now.
bool WriteMedia(Context& context, const std::string& home, const MediaFile& file) {
  PlacedFile placed(home + "/media.part");
  try {
    context.WithDatabase([&](sql::Database& database) {
      ReadBlob(database, context.user(), kMediaService, file.blob,
               [&](std::string_view bytes) { placed.Write(bytes); });
    });
  } catch (const Error& e) {
    if (e.code() == "no_such_blob") return false;
    throw;
  }
  placed.SetTime(Seconds(file.changed_at));
  placed.Place(home + "/media/" + file.name, /*is_synced=*/false);
  return true;
}

void HandOverMedia(Context& context, const std::string& home, HandOverReport& report) {
  MakeFolder(home + "/media");
  TempFile list(context.config().temp_dir);
  OfficialMediaListWriter writer(list.path());
  // A file that changes during the read gets a higher usn, so it is read again.
  MediaUsn last = context.ReadOnce<MediaStore>([](MediaStore& store) { return store.Head(); }).last_usn;
  MediaUsn after = 0;
  for (;;) {
    const std::vector<MediaFile> files = context.ReadOnce<MediaStore>(
        [&](MediaStore& store) { return store.FilesAfter(after, kFilesAtOnce); });
    if (files.empty()) break;
    after = files.back().usn;
    for (const MediaFile& file : files) {
      const std::string path = home + "/media/" + file.name;
      const bool is_deleted = file.size_bytes == 0;
      if (is_deleted) {
        ::unlink(path.c_str());
      } else if (HasContent(path, file)) {
        ++report.kept_media_files;
      } else if (!WriteMedia(context, home, file)) {
        continue;
      }
      report.media_files += is_deleted ? 0 : 1;
      writer.Put({file.name, is_deleted ? std::string(kSha1Bytes, '\0') : file.sha1, file.size_bytes,
                  file.usn, Seconds(file.changed_at)});
    }
  }
  writer.Finish(std::max(last, after));
  SyncFileSystem(home);
  Place(list, home + "/media.db");
}

// An official server has written data that we do not have.
bool WasUsed(const std::string& home, const std::optional<Collection>& collection) {
  if (fs::exists(home + "/collection.anki2-wal") || fs::exists(home + "/media.db-wal")) return true;
  const std::string file = home + "/collection.anki2";
  if (!fs::exists(file)) return false;
  const auto mod_ms = CollectionFile::Open(file, CollectionFile::Check::kTrusted).Meta().mod_ms;
  return !collection || mod_ms > collection->meta.mod_ms;
}

}  // namespace

HandOverReport HandOver(Context& context, const std::string& folder, const std::string& name) {
  HandOverReport report;
  if (name.find('/') != name.npos || name == "." || name == ".." || name.size() > kMaxFolderName) {
    report.why_left_out = "the name cannot be that of a folder";
    return report;
  }
  const auto [collection, media] =
      context.Read<CollectionStore, MediaStore>([](CollectionStore& collections, MediaStore& files) {
        return std::pair(collections.Find(), files.Head());
      });
  if (!collection && media.last_usn == 0) {
    report.why_left_out = "it has neither a collection nor media";
    report.is_empty = true;
    return report;
  }
  const std::string home = folder + "/" + name;
  try {
    if (WasUsed(home, collection)) {
      report.why_left_out = "an official server has used " + home + " since";
      return report;
    }
  } catch (const FileRefused&) {
    report.why_left_out = home + "/collection.anki2 is not one of ours";
    return report;
  }
  MakeFolder(home);
  if (collection) {
    Place(*CurrentFile(context), home + "/collection.anki2");
    report.has_collection = true;
  }
  HandOverMedia(context, home, report);
  return report;
}

}  // namespace syncline::anki
