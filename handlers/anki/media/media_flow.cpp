#include "handlers/anki/media/media_flow.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "handlers/anki/media/media_store.h"
#include "handlers/anki/media/media_wire.h"
#include "handlers/anki/media/zip_wire.h"
#include "handlers/base/blobs.h"
#include "handlers/base/crc32.h"
#include "handlers/base/disk_reserve.h"
#include "handlers/base/errors.h"
#include "handlers/base/sha1.h"
#include "handlers/base/temp_file.h"

namespace syncline::anki {
namespace {

constexpr std::uint64_t kMaxListBytes = 50 << 10;  // of _meta, as upstream
// Of all files of a zip together: a small zip may expand to much.
constexpr std::uint64_t kMaxExpandedBytes = std::uint64_t{256} << 20;
constexpr std::size_t kInMemoryBytes = std::size_t{4}
                                       << 20;  // of a zip; a longer one goes to a temporary file
constexpr std::uint64_t kDownloadBytes = std::uint64_t{5} << 19;  // 2.5 MiB, as upstream
constexpr const char* kListName = "_meta";

// The body of a request, in memory or in a file.
class ReceivedZip {
 public:
  // `expected`: about how many bytes.
  ReceivedZip(Context& context, BodySource& body, std::size_t expected) {
    DiskReserve disk(context);
    bytes_.reserve(std::min(expected + expected / 8, kInMemoryBytes));
    std::string piece(64 << 10, '\0');
    std::size_t size = 0;
    while (const std::size_t got = body.Read(piece.data(), piece.size())) {
      const std::string_view bytes(piece.data(), got);
      size += got;
      if (size > kMaxMediaZipBytes) throw TooLarge("media_too_large");
      if (file_ == nullptr && bytes_.size() + got > kInMemoryBytes) {
        file_ = std::make_unique<TempFile>(context.config().temp_dir);
        file_->Write(std::exchange(bytes_, {}));
      }
      if (file_ == nullptr) {
        bytes_.append(bytes);
      } else {
        disk.Wrote(got);
        file_->Write(bytes);
      }
    }
    if (file_ == nullptr) {
      reader_.emplace(bytes_);
    } else {
      reader_.emplace(*file_);
    }
  }
  const ZipReader& reader() const { return *reader_; }

 private:
  std::string bytes_;
  std::unique_ptr<TempFile> file_;
  std::optional<ZipReader> reader_;
};

// A file of the zip that is not a deletion.
struct Unpacked {
  std::size_t sent;  // its index
  ZipReader::Entry entry;
};

struct Batch {
  std::vector<SentMedia> sent;
  std::vector<Unpacked> unpacked;
  std::uint64_t bytes = 0;
};

// Checks everything that can be checked before a file is unpacked.
Batch ReadList(const ZipReader& zip) {
  Batch batch;
  const std::vector<MediaListing> list = ParseMediaList(zip.ReadAll(zip.Find(kListName), kMaxListBytes));
  for (const MediaListing& listing : list) {
    if (const char* problem = MediaNameProblem(listing.name))
      throw MediaFileRefused("bad_media_name", problem, listing.name);
    if (listing.entry) {
      const ZipReader::Entry entry = zip.Find(*listing.entry);
      if (entry.size_bytes == 0) throw MediaFileRefused("bad_media_file", "empty", listing.name);
      if (entry.size_bytes > static_cast<std::uint64_t>(kMaxMediaFileBytes))
        throw MediaFileRefused("bad_media_file", "too large", listing.name);
      batch.unpacked.push_back({batch.sent.size(), entry});
      batch.bytes += entry.size_bytes;
    }
    batch.sent.push_back({listing.name, std::nullopt});
  }
  if (batch.bytes > kMaxExpandedBytes) throw BadInput("bad_zip", "too large when expanded");
  return batch;
}

// The small files of a zip, in memory.
struct SmallFiles {
  SmallContents all;
  std::map<std::size_t, std::size_t> of;  // index of a sent file -> index of its content
};

std::pair<std::vector<std::string>, std::vector<std::string>> ContentsToStore(
    const SmallContents& small, const std::vector<std::size_t>& wanted) {
  std::pair<std::vector<std::string>, std::vector<std::string>> chosen;
  for (const std::size_t index : wanted) {
    chosen.first.push_back(small.sha256s()[index]);
    chosen.second.push_back(small.contents()[index]);
  }
  return chosen;
}

// Stores those small files that are changes.
std::map<std::size_t, BlobId> StoreChanged(BlobRefs& refs, const SmallFiles& small,
                                           const MediaChanges& changes) {
  std::vector<std::size_t> wanted;
  for (const MediaChange& change : changes.changes) {
    if (const auto found = small.of.find(change.sent); found != small.of.end())
      wanted.push_back(found->second);
  }
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  if (wanted.empty()) return {};
  std::vector<BlobId> ids;
  if (wanted.size() == small.all.contents().size()) {
    ids = refs.Store(kMediaService, small.all.sha256s(), small.all.contents());
  } else {
    const auto [sha256s, contents] = ContentsToStore(small.all, wanted);
    ids = refs.Store(kMediaService, sha256s, contents);
  }
  std::map<std::size_t, BlobId> blobs;
  for (const auto& [index, content] : small.of) {
    const auto at = std::lower_bound(wanted.begin(), wanted.end(), content);
    if (at != wanted.end() && *at == content)
      blobs[index] = ids[static_cast<std::size_t>(at - wanted.begin())];
  }
  return blobs;
}

std::vector<std::string> NamesOf(const std::vector<SentMedia>& sent) {
  std::vector<std::string> names;
  for (const SentMedia& file : sent) names.push_back(file.name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// A client adopts our last usn if its own last one was lower by `processed`. It has seen nothing above its
// own. If there is a change that is not in its batch, it must not adopt ours, or it would never fetch that
// change. It does not matter which device made the change: two clients may have one key (those of an adopted
// account, or of a copied profile). A client that gets 0 fetches changes at its next sync, and has most of
// them already. If every file of the batch was a change, the numbers match only if there is no other change.
MediaUsn UsnForClient(MediaStore& store, const MediaChanges& changes, MediaUsn before, std::size_t processed,
                      const std::vector<std::string>& names) {
  if (changes.are_all_changes) return changes.last_usn;
  const std::int64_t of_client = changes.last_usn - static_cast<std::int64_t>(processed);
  const bool has_others =
      of_client >= 0 && store.HasOtherChanges(static_cast<MediaUsn>(of_client), before, names);
  return has_others ? 0 : changes.last_usn;
}

// Files that are stored before the transaction, one by one.
class StoredFiles {
 public:
  StoredFiles(Context& context, std::uint64_t bytes)
      : context_(context), disk_(context), room_(context.WithDatabase([&](sql::Database& database) {
          return Reservation(database, context.user(), static_cast<std::int64_t>(bytes));
        })) {}

  void Store(const ZipReader& zip, const Unpacked& file) {
    context_.WithDatabase([&](sql::Database& database) {
      auto writer = std::make_shared<BlobWriter>(database, &room_);
      zip.Read(file.entry, [&](std::string_view piece) {
        disk_.Wrote(piece.size());
        writer->Write(piece);
      });
      const BlobId blob = writer->Finish().id;
      files_.emplace(file.sent, File{std::move(writer), blob});
    });
  }
  // `sent` has the content of `stored`, which was stored before.
  void Share(std::size_t sent, std::size_t stored) { files_.emplace(sent, files_.at(stored)); }
  // Adds the blobs of those that have changed, and locks them.
  void Lock(BlobRefs& refs, const MediaChanges& changes, std::map<std::size_t, BlobId>& blobs) {
    std::vector<std::int64_t> ids;
    for (const MediaChange& change : changes.changes) {
      const auto file = files_.find(change.sent);
      if (file == files_.end()) continue;
      blobs[change.sent] = file->second.blob;
      ids.push_back(static_cast<std::int64_t>(file->second.blob));
    }
    refs.Lock(std::move(ids));
  }
  void Settle(sql::Tx& tx) { room_.Settle(tx); }
  // After the commit: those that have become files stay.
  void Keep(const MediaChanges& changes) {
    for (const MediaChange& change : changes.changes) {
      const auto file = files_.find(change.sent);
      if (file != files_.end()) file->second.writer->Keep();
    }
  }

 private:
  struct File {
    std::shared_ptr<BlobWriter> writer;
    BlobId blob;
  };
  Context& context_;
  DiskReserve disk_;
  Reservation room_;  // outlives the writers
  std::map<std::size_t, File> files_;
};

// Files with equal keys count as equal. The checksum is included because SHA-1 alone can be forged.
using ContentKey = std::tuple<std::string, std::int64_t, std::uint32_t>;

ContentKey KeyOf(const MediaContent& content) {
  return {content.sha1, content.size_bytes, content.crc32};
}

// Stores the files that the account does not have yet, without duplicates: a second writer would treat the
// first one's blob as another account's, and leave a copy to the sweep. Quota for all of them is reserved
// before the first.
void StoreAhead(Context& context, const ZipReader& zip, const std::vector<SentMedia>& sent,
                std::vector<Unpacked> files, const std::vector<std::string>& names,
                std::optional<StoredFiles>& stored) {
  if (files.empty()) return;
  const auto known = context.ReadOnce<MediaStore>([&](MediaStore& store) { return store.Find(names); });
  std::erase_if(files, [&](const Unpacked& file) {
    const auto found = known.find(sent[file.sent].name);
    return found != known.end() && found->second.content.sha1 == sent[file.sent].content->sha1;
  });
  if (files.empty()) return;
  std::uint64_t bytes = 0;
  std::map<ContentKey, std::size_t> firsts;
  for (const Unpacked& file : files) {
    if (firsts.emplace(KeyOf(*sent[file.sent].content), file.sent).second) bytes += file.entry.size_bytes;
  }
  stored.emplace(context, bytes);
  for (const Unpacked& file : files) {
    const std::size_t first = firsts.at(KeyOf(*sent[file.sent].content));
    if (first == file.sent) {
      stored->Store(zip, file);
    } else {
      stored->Share(file.sent, first);
    }
  }
}

// A file that was not stored, because the account had it, may have been changed by another device meanwhile.
void RequireBlobs(const std::vector<SentMedia>& sent, const MediaChanges& changes,
                  const std::map<std::size_t, BlobId>& blobs) {
  for (const MediaChange& change : changes.changes) {
    if (sent[change.sent].content && !blobs.contains(change.sent)) throw Conflict("media_changed");
  }
}

}  // namespace

TakenMedia TakeMedia(Context& context, BodySource& body, std::size_t expected) {
  const ReceivedZip received(context, body, expected);
  const ZipReader& zip = received.reader();
  Batch batch = ReadList(zip);
  // Files, and PostgreSQL's log. Deletions are always taken.
  if (batch.bytes > 0) DiskReserve(context).Require(2 * static_cast<std::int64_t>(batch.bytes));
  SmallFiles small;
  std::map<ContentKey, std::size_t> in_memory;  // index of its content
  std::vector<Unpacked> others;
  for (const Unpacked& file : batch.unpacked) {
    Sha1 sha1;
    std::optional<std::string> bytes;
    if (file.entry.size_bytes <= kBlobChunkBytes &&
        small.all.bytes() + file.entry.size_bytes <= kMediaBatchBytes) {
      bytes = zip.ReadAll(file.entry, kBlobChunkBytes);
      sha1.Add(*bytes);
    } else {
      zip.Read(file.entry, [&](std::string_view piece) { sha1.Add(piece); });
    }
    const MediaContent& content = batch.sent[file.sent].content.emplace(
        MediaContent{sha1.Finish(), static_cast<std::int64_t>(file.entry.size_bytes), file.entry.crc32});
    const auto known = in_memory.find(KeyOf(content));
    if (known != in_memory.end()) {
      small.of[file.sent] = known->second;
    } else if (bytes) {
      small.of[file.sent] = in_memory[KeyOf(content)] = small.all.Add(std::move(*bytes));
    } else {
      others.push_back(file);
    }
  }
  const std::vector<std::string> names = NamesOf(batch.sent);
  std::optional<StoredFiles> large;
  StoreAhead(context, zip, batch.sent, others, names, large);
  const auto [changes, usn] =
      context.Write<MediaStore, Transaction>([&](MediaStore& store, Transaction& transaction) {
        const LockedMedia locked = store.Lock(names);
        MediaChanges changes = DecideMedia(batch.sent, locked.known, locked.last_usn);
        BlobRefs refs(transaction.tx, context.user());
        std::map<std::size_t, BlobId> blobs = StoreChanged(refs, small, changes);
        if (large) {
          large->Lock(refs, changes, blobs);
          large->Settle(transaction.tx);
        }
        RequireBlobs(batch.sent, changes, blobs);
        const MediaUsn for_client = UsnForClient(store, changes, locked.last_usn, batch.sent.size(), names);
        store.Apply(batch.sent, changes, blobs, context.device(), refs);
        return std::pair(std::move(changes), for_client);
      });
  if (large) large->Keep(changes);
  return {batch.sent.size(), usn};
}

struct MediaDownload::File {
  StoredEntry entry;
  BlobId blob;
  std::shared_ptr<const std::string> bytes;  // null: read while sending
};

MediaDownload::MediaDownload(Context& context, const std::vector<std::string>& names) : context_(context) {
  std::vector<std::string> sent;
  context.Read<MediaStore, Transaction>([&](MediaStore& store, Transaction& transaction) {
    sent.clear();
    files_.clear();
    const auto found = store.Find(names);
    std::vector<std::int64_t> small;
    std::uint64_t bytes = 0, small_bytes = 0;
    for (const std::string& name : names) {
      if (bytes > kDownloadBytes) break;
      const auto file = found.find(name);
      if (file == found.end()) throw Conflict("no_such_media");
      const auto size = static_cast<std::uint32_t>(file->second.content.size_bytes);
      files_.push_back(
          {{std::to_string(files_.size()), size, file->second.content.crc32}, file->second.blob, nullptr});
      sent.push_back(name);
      bytes += size;
      if (size > kBlobChunkBytes || small_bytes + size > kMediaBatchBytes) continue;
      small.push_back(static_cast<std::int64_t>(file->second.blob));
      small_bytes += size;
    }
    if (small.empty()) return;
    std::map<BlobId, std::shared_ptr<const std::string>> contents;
    ReadContents(transaction.tx, context.user(), kMediaService, small,
                 [&](BlobId blob, std::string_view content) {
                   contents[blob] = std::make_shared<const std::string>(content);
                 });
    for (File& file : files_) {
      const auto content = contents.find(file.blob);
      if (content != contents.end() && content->second->size() == file.entry.size_bytes)
        file.bytes = content->second;
    }
  });
  names_json_ = MediaNamesJson(sent);
  std::vector<StoredEntry> entries;
  for (const File& file : files_) entries.push_back(file.entry);
  entries.push_back({kListName, static_cast<std::uint32_t>(names_json_.size()), Crc32(names_json_)});
  bytes_ = ZipBytes(entries);
}

MediaDownload::~MediaDownload() = default;

void MediaDownload::Write(BodySink& sink) const {
  std::vector<StoredEntry> entries;
  for (const File& file : files_) {
    entries.push_back(file.entry);
    sink.Write(ZipLocalHeader(file.entry));
    if (file.bytes != nullptr) {
      sink.Write(*file.bytes);
      continue;
    }
    context_.WithDatabase([&](sql::Database& database) {
      ReadBlob(database, context_.user(), kMediaService, file.blob,
               [&](std::string_view piece) { sink.Write(piece); });
    });
  }
  const StoredEntry list{kListName, static_cast<std::uint32_t>(names_json_.size()), Crc32(names_json_)};
  sink.Write(ZipLocalHeader(list));
  sink.Write(names_json_);
  entries.push_back(list);
  sink.Write(ZipDirectory(entries));
}

}  // namespace syncline::anki
