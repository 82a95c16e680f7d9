#include "handlers/anki/package/package_media_flow.h"

#include <algorithm>
#include <set>
#include <utility>

#include "handlers/anki/package/media_name_rules.h"
#include "handlers/base/crc32.h"
#include "handlers/base/disk_reserve.h"
#include "handlers/base/errors.h"
#include "handlers/base/sha1.h"
#include "handlers/base/utf8.h"

namespace syncline::anki {
namespace {

// Of one transaction: files, and bytes after which it ends. The connection keeps memory for twice as many.
constexpr std::size_t kBatchFiles = 500, kBatchBytes = 2 << 20;
// Names in one statement.
constexpr std::size_t kNamesAtOnce = 5000;
constexpr std::size_t kListedFiles = 100;

PackageRefused BadName(const std::string& name) {
  return {"package_damaged",
          "The package is damaged: \"" + ReplacedInvalid(name).substr(0, 200) +
              "\" is no name of a media file. Please use Check Media in Anki, and export it again."};
}

// Gathers a file up to a chunk; a larger one is passed on to a blob.
class ContentSink : public BodySink {
 public:
  explicit ContentSink(std::function<void(std::string_view)> on_large) : on_large_(std::move(on_large)) {}
  void Write(std::string_view bytes) override {
    size += bytes.size();
    sha1.Add(bytes);
    crc32 = Crc32(bytes, crc32);
    if (!is_large && content.size() + bytes.size() > kBlobChunkBytes) {
      is_large = true;
      on_large_(std::exchange(content, {}));
    }
    if (is_large) {
      on_large_(bytes);
    } else {
      content += bytes;
    }
  }

  std::string content;  // of a small file
  std::uint64_t size = 0;
  Sha1 sha1;
  std::uint32_t crc32 = 0;
  bool is_large = false;

 private:
  std::function<void(std::string_view)> on_large_;
};

}  // namespace

PackageMedia::PackageMedia(Context& context, const PackageFile& package, Reservation& room)
    : context_(context), package_(package), room_(room) {
  for (PackagedFile& packaged : package.Media()) {
    if (!IsPlainFileName(packaged.name)) throw BadName(packaged.name);
    std::string name = NormalMediaName(packaged.name);
    // A package of version 3 has normal names only.
    if (name.empty() || (packaged.sha1 && name != packaged.name)) throw BadName(packaged.name);
    files_.push_back({std::move(packaged), std::move(name), "", Fate::kUnused, std::nullopt, BlobId{}});
  }
}

PackageMedia::~PackageMedia() = default;

std::optional<std::string> PackageMedia::Sha1Of(File& file) {
  if (file.packaged.sha1) return *file.packaged.sha1;
  if (file.content) return file.content->sha1;
  ContentSink sink([](std::string_view) {});
  if (!package_.ReadMedia(file.packaged, static_cast<std::uint64_t>(kMaxMediaFileBytes), sink))
    return std::nullopt;
  file.packaged.sha1 = sink.sha1.Finish();
  return *file.packaged.sha1;
}

void PackageMedia::Compare(const Progress& progress) {
  by_name_.clear();
  for (std::size_t begin = 0; begin < files_.size(); begin += kNamesAtOnce) {
    const std::size_t end = std::min(begin + kNamesAtOnce, files_.size());
    std::vector<std::string> names;
    for (std::size_t i = begin; i < end; ++i) names.push_back(files_[i].name);
    const auto ours = context_.Read<MediaStore>([&](MediaStore& media) { return media.Find(names); });
    for (std::size_t i = begin; i < end; ++i) {
      progress(static_cast<std::int64_t>(i), static_cast<std::int64_t>(files_.size()));
      File& file = files_[i];
      file.new_name = file.name;
      if (file.fate == Fate::kSkipped) continue;
      file.fate = Fate::kUnused;
      const auto known = ours.find(file.name);
      if (IsStaticMedia(file.name)) {
        file.fate = known == ours.end() ? Fate::kStatic : Fate::kKept;
      } else if (known == ours.end()) {
        by_name_[file.name] = i;
      } else {
        const auto sha1 = Sha1Of(file);
        if (!sha1) {
          Skip(file, "too_large");
        } else if (*sha1 == known->second.content.sha1) {
          file.fate = Fate::kUnchanged;
        } else {
          file.new_name = NameWithHash(file.name, *sha1);
          by_name_[file.name] = i;
        }
      }
    }
  }
}

void PackageMedia::UseAll() {
  replaces_ = true;
  for (File& file : files_) {
    file.new_name = file.name;
    if (file.fate != Fate::kSkipped) file.fate = Fate::kUsed;
  }
}

std::optional<std::string> PackageMedia::Use(const std::string& name) {
  if (!IsPlainFileName(name)) return std::nullopt;
  const std::string normal = NormalMediaName(name);
  const auto found = by_name_.find(normal);
  if (found == by_name_.end())
    return normal != name && !normal.empty() ? std::optional(normal) : std::nullopt;
  File& file = files_[found->second];
  if (file.fate == Fate::kUnused) file.fate = Fate::kUsed;
  return file.new_name != name ? std::optional(file.new_name) : std::nullopt;
}

bool PackageMedia::HasUsed() const {
  return std::any_of(files_.begin(), files_.end(),
                     [](const File& file) { return file.fate == Fate::kUsed || file.fate == Fate::kStatic; });
}

void PackageMedia::Skip(File& file, const char* why) {
  file.fate = Fate::kSkipped;
  if (report_.skipped.size() < kListedFiles) report_.skipped.emplace_back(file.name, why);
}

void PackageMedia::StoreSmall(std::vector<File*>& batch, std::vector<std::string>& contents) {
  if (batch.empty()) return;
  SmallContents small;
  std::vector<std::size_t> index;  // of each file's content in `small`
  for (std::string& content : contents) index.push_back(small.Add(std::move(content)));
  const auto bytes = static_cast<std::int64_t>(small.bytes());
  DiskReserve(context_).Require(bytes);
  room_.Use(bytes);
  const auto blobs = context_.Write<Transaction>([&](Transaction& transaction) {
    return BlobRefs(transaction.tx, context_.user()).Store(kMediaService, small.sha256s(), small.contents());
  });
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i]->blob = blobs.at(index[i]);
  batch.clear();
  contents.clear();
}

void PackageMedia::Store(const Progress& progress) {
  std::vector<File*> wanted;
  for (File& file : files_) {
    if ((file.fate == Fate::kUsed || file.fate == Fate::kStatic) && !file.content) wanted.push_back(&file);
  }
  if (wanted.empty()) return;
  std::vector<File*> batch;
  std::vector<std::string> contents;
  std::size_t bytes = 0;
  std::int64_t done = 0;
  for (File* file : wanted) {
    progress(done++, static_cast<std::int64_t>(wanted.size()));
    std::unique_ptr<BlobWriter> writer;
    context_.WithDatabase([&](sql::Database& database) {
      ContentSink sink([&](std::string_view piece) {
        if (!writer) writer = std::make_unique<BlobWriter>(database, &room_);
        writer->Write(piece);
      });
      if (!package_.ReadMedia(file->packaged, static_cast<std::uint64_t>(kMaxMediaFileBytes), sink))
        return Skip(*file, "too_large");
      if (sink.size == 0) return Skip(*file, "empty");
      const std::string sha1 = sink.sha1.Finish();
      if (file->packaged.sha1 && *file->packaged.sha1 != sha1) {
        throw PackageRefused("package_damaged",
                             "The package is damaged: the media file \"" + file->name +
                                 "\" is not the one that its list names. Please export it again.");
      }
      file->content = MediaContent{sha1, static_cast<std::int64_t>(sink.size), sink.crc32};
      if (writer) {
        DiskReserve(context_).Require();
        file->blob = writer->Finish().id;
        // Unreferenced until the import is applied; the sweep removes it if that never happens.
        writer->Keep();
        return;
      }
      bytes += sink.content.size();
      batch.push_back(file);
      contents.push_back(std::move(sink.content));
    });
    if (bytes < kBatchBytes && batch.size() < kBatchFiles) continue;
    StoreSmall(batch, contents);
    bytes = 0;
  }
  StoreSmall(batch, contents);
}

bool PackageMedia::Lock(sql::Tx& tx) {
  // First: what is reserved would count against what the import adds.
  room_.Settle(tx);
  sent_.clear();
  sent_files_.clear();
  changes_ = {};
  report_.found = static_cast<std::int64_t>(files_.size());
  report_.added = report_.renamed = report_.unchanged = report_.kept = report_.unused = 0;
  std::set<std::string> names;
  for (const File& file : files_) {
    report_.unchanged += file.fate == Fate::kUnchanged ? 1 : 0;
    report_.kept += file.fate == Fate::kKept ? 1 : 0;
    report_.unused += file.fate == Fate::kUnused ? 1 : 0;
    if (file.content && (file.fate == Fate::kUsed || file.fate == Fate::kStatic)) names.insert(file.new_name);
  }
  if (names.empty()) return true;
  const LockedMedia locked = MediaStore(tx, context_.user()).Lock({names.begin(), names.end()});
  for (std::size_t i = 0; i < files_.size(); ++i) {
    const File& file = files_[i];
    if (!file.content || (file.fate != Fate::kUsed && file.fate != Fate::kStatic)) continue;
    const auto known = locked.known.find(file.new_name);
    if (!replaces_ && known != locked.known.end() && known->second) {
      if (file.fate == Fate::kStatic) continue;  // a device was faster; its file stays
      if (known->second->sha1 != file.content->sha1) return false;
    }
    sent_.push_back({file.new_name, file.content});
    sent_files_.push_back(i);
  }
  changes_ = DecideMedia(sent_, locked.known, locked.last_usn);
  for (const MediaChange& change : changes_.changes) {
    const File& file = files_[sent_files_[change.sent]];
    ++report_.added;
    if (file.new_name != file.name) ++report_.renamed;
  }
  report_.unchanged += static_cast<std::int64_t>(sent_.size() - changes_.changes.size());
  return true;
}

void PackageMedia::Apply(sql::Tx& tx) {
  BlobRefs refs(tx, context_.user());
  std::map<std::size_t, BlobId> blobs;
  std::vector<std::int64_t> ids;
  for (const MediaChange& change : changes_.changes) {
    const BlobId blob = files_[sent_files_[change.sent]].blob;
    blobs[change.sent] = blob;
    ids.push_back(static_cast<std::int64_t>(blob));
  }
  refs.Lock(std::move(ids));
  MediaStore(tx, context_.user()).Apply(sent_, changes_, blobs, context_.device(), refs);
}

}  // namespace syncline::anki
