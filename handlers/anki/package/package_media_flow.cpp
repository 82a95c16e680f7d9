#include "handlers/anki/package/package_media_flow.h"

#include <algorithm>
#include <boost/crc.hpp>
#include <set>
#include <utility>

#include "handlers/anki/package/media_name_rules.h"
#include "handlers/base/disk_reserve.h"
#include "handlers/base/errors.h"
#include "handlers/base/sha1.h"
#include "handlers/base/sha256.h"
#include "handlers/base/utf8.h"

namespace syncline::anki {
namespace {

// Contents in one transaction.
constexpr std::size_t kBatchBytes = std::size_t{15} << 18, kBatchFiles = 500;
// Names in one statement.
constexpr std::size_t kNamesAtOnce = 5000;
constexpr std::size_t kListedFiles = 100;
// Of a file that is only hashed.
constexpr std::uint64_t kMaxReadBytes = std::uint64_t{1} << 30;

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
    crc.process_bytes(bytes.data(), bytes.size());
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
  boost::crc_32_type crc;
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
    files_.push_back(
        {std::move(packaged), std::move(name), "", Fate::kUnused, std::nullopt, BlobId{}, false});
  }
}

PackageMedia::~PackageMedia() = default;

std::string PackageMedia::Sha1Of(const File& file) const {
  if (file.packaged.sha1) return *file.packaged.sha1;
  if (file.content) return file.content->sha1;
  ContentSink sink([](std::string_view) {});
  // A file that no client can sync is skipped when it is stored.
  package_.ReadMedia(file.packaged, kMaxReadBytes, sink);
  return sink.sha1.Finish();
}

void PackageMedia::Compare() {
  by_name_.clear();
  for (std::size_t begin = 0; begin < files_.size(); begin += kNamesAtOnce) {
    const std::size_t end = std::min(begin + kNamesAtOnce, files_.size());
    std::vector<std::string> names;
    for (std::size_t i = begin; i < end; ++i) names.push_back(files_[i].name);
    const auto ours = context_.Read<MediaStore>([&](MediaStore& media) { return media.Find(names); });
    for (std::size_t i = begin; i < end; ++i) {
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
        const std::string sha1 = Sha1Of(file);
        if (sha1 == known->second.content.sha1) {
          file.fate = Fate::kUnchanged;
        } else {
          file.new_name = NameWithHash(file.name, sha1);
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
  std::vector<std::string> sha256s, different;
  std::vector<std::size_t> index;  // of each file's content in `different`
  std::map<std::string, std::size_t> known;
  std::int64_t bytes = 0;
  for (std::string& content : contents) {
    std::string sha256 = Sha256(content);
    const auto [at, is_new] = known.emplace(sha256, different.size());
    index.push_back(at->second);
    if (!is_new) continue;
    bytes += static_cast<std::int64_t>(content.size());
    sha256s.push_back(std::move(sha256));
    different.push_back(std::move(content));
  }
  DiskReserve(context_).Require(bytes);
  room_.Use(bytes);
  const auto blobs = context_.Write<Transaction>([&](Transaction& transaction) {
    return BlobRefs(transaction.tx, context_.user()).Store(kMediaService, sha256s, different);
  });
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i]->blob = blobs.at(index[i]);
  batch.clear();
  contents.clear();
}

void PackageMedia::Store(const std::function<void(std::int64_t done, std::int64_t total)>& progress) {
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
      try {
        package_.ReadMedia(file->packaged, static_cast<std::uint64_t>(kMaxMediaFileBytes), sink);
      } catch (const PackageRefused& refused) {
        if (refused.code() != "package_too_large") throw;
        return Skip(*file, "too_large");
      }
      if (sink.size == 0) return Skip(*file, "empty");
      const std::string sha1 = sink.sha1.Finish();
      if (file->packaged.sha1 && *file->packaged.sha1 != sha1) {
        throw PackageRefused("package_damaged",
                             "The package is damaged: the media file \"" + file->name +
                                 "\" is not the one that its list names. Please export it again.");
      }
      file->content = MediaContent{sha1, static_cast<std::int64_t>(sink.size), sink.crc.checksum()};
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
    if (!replaces_ && known != locked.known.end() && known->second.content) {
      if (file.fate == Fate::kStatic) continue;  // a device was faster; its file stays
      if (known->second.content->sha1 != file.content->sha1) return false;
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
  std::set<std::int64_t> ids;
  for (const MediaChange& change : changes_.changes) {
    const BlobId blob = files_[sent_files_[change.sent]].blob;
    blobs[change.sent] = blob;
    ids.insert(static_cast<std::int64_t>(blob));
  }
  if (!ids.empty()) refs.Lock({ids.begin(), ids.end()});
  MediaStore(tx, context_.user()).Apply(sent_, changes_, blobs, context_.device(), refs);
}

}  // namespace syncline::anki
