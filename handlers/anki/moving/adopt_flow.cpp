#include "handlers/anki/moving/adopt_flow.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "handlers/account/login/account_store.h"
#include "handlers/account/login/email_wire.h"
#include "handlers/account/login/name_wire.h"
#include "handlers/account/login/password.h"
#include "handlers/anki/file/full_sync_flow.h"
#include "handlers/anki/media/media_store.h"
#include "handlers/anki/moving/adoption_store.h"
#include "handlers/anki/settings.h"
#include "handlers/base/blobs.h"
#include "handlers/base/crc32.h"
#include "handlers/base/disk_reserve.h"
#include "handlers/base/errors.h"
#include "handlers/base/file_descriptor.h"
#include "handlers/base/sha1.h"
#include "handlers/base/sha256.h"
#include "handlers/base/temp_file.h"

namespace syncline::anki {
namespace {

namespace fs = std::filesystem;
using account::AccountStore;

constexpr const char* kCollection = "/collection.anki2";
constexpr const char* kMediaList = "/media.db";
constexpr const char* kMediaFolder = "/media/";
constexpr std::size_t kPieceBytes = 256 << 10;
// Each holds a buffer of up to 1 MiB until the batch is stored.
constexpr int kLargeFiles = 8;
constexpr std::size_t kNamedLeftOut = 50;
constexpr const char* kKeyName = "devices of the official server";

// A file of the folder, opened for reading.
class SourceFile {
 public:
  explicit SourceFile(const std::string& path) : path_(path), file_(path.c_str(), O_RDONLY | O_NONBLOCK) {
    // An unreadable file must not look like a missing one.
    if (!file_.IsOpen() && errno != ENOENT)
      throw Busy("storage_unavailable", "cannot open " + path + ": " + std::strerror(errno));
    struct stat info {};
    exists_ = file_.IsOpen() && ::fstat(file_.get(), &info) == 0 && S_ISREG(info.st_mode);
    size_ = info.st_size;
  }

  bool exists() const { return exists_; }
  std::int64_t size() const { return size_; }
  /// Whether another process holds one of SQLite's locks (the bytes at 2^30).
  bool IsLocked() const {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0x40000000;
    lock.l_len = 512;
    // An open file description that is not writable may ask, but not lock.
    return exists_ && ::fcntl(file_.get(), F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  }
  void ReadAll(const std::function<void(std::string_view)>& piece) const {
    std::string bytes(kPieceBytes, '\0');
    for (;;) {
      const auto got = ::read(file_.get(), bytes.data(), bytes.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Busy("storage_unavailable", "cannot read " + path_);
      if (got == 0) return;
      piece({bytes.data(), static_cast<std::size_t>(got)});
    }
  }

 private:
  std::string path_;
  FileDescriptor file_;
  bool exists_ = false;
  std::int64_t size_ = 0;
};

// A private copy of a database of the server, with what its log has. Null: there is no such file.
std::unique_ptr<TempFile> CopyDatabase(Context& context, const std::string& path) {
  const SourceFile source(path);
  if (!source.exists()) return nullptr;
  const std::string name = fs::path(path).filename();
  if (source.IsLocked()) throw FileRefused(name + " is in use: stop the official server first");
  const SourceFile journal(path + "-journal");
  if (journal.exists() && journal.size() > 0) {
    throw FileRefused(name +
                      " has an interrupted change: start and stop the official server on the folder once");
  }
  const auto limit = context.config().Of<Settings>().max_collection_mib;
  if (source.size() > limit << 20) {
    throw FileRefused(name + " is larger than max_collection_mib allows (" + std::to_string(limit) + " MiB)");
  }
  DiskReserve disk(context);
  auto copy = std::make_unique<TempFile>(context.config().temp_dir);
  source.ReadAll([&](std::string_view piece) {
    disk.Wrote(piece.size());
    copy->Write(piece);
  });
  if (SourceFile(path + "-wal").exists()) ApplyWriteAheadLog(path + "-wal", copy->path());
  return copy;
}

// What AdoptAccount reads, checked before anything is stored.
struct Sources {
  std::unique_ptr<TempFile> collection, media_list;
};

Sources CheckSources(Context& context, const std::string& home, AdoptReport& report) {
  Sources sources;
  sources.collection = CopyDatabase(context, home + kCollection);
  if (sources.collection != nullptr) {
    for (const auto& [column, adjusted] : CheckCollection(context, *sources.collection))
      report.odd_values += static_cast<std::int64_t>(adjusted.count);
  }
  sources.media_list = CopyDatabase(context, home + kMediaList);
  if (sources.media_list != nullptr) {
    OfficialMediaList list(sources.media_list->path());
    for (OfficialMedia row; list.Next(row);) {
    }
  }
  return sources;
}

void LeaveOut(AdoptReport& report, std::string sentence) {
  if (report.left_out.size() < kNamedLeftOut) {
    report.left_out.push_back(std::move(sentence));
  } else {
    ++report.more_left_out;
  }
}

// A file with its content: small ones in memory, others stored already.
struct ReadMedia {
  MediaContent content;
  std::string bytes;  // empty: stored
  std::unique_ptr<BlobWriter> stored;
  BlobId blob{};
};

// None: it cannot be served, and `problem` says why.
std::optional<ReadMedia> ReadMediaFile(Context& context, const std::string& path, const OfficialMedia& row,
                                       const char*& problem) {
  const SourceFile file(path);
  problem = !file.exists()                     ? "is not in the folder"
            : file.size() == 0                 ? "is empty"
            : file.size() > kMaxMediaFileBytes ? "is larger than 100 MiB"
                                               : nullptr;
  if (problem != nullptr) return std::nullopt;
  ReadMedia read;
  Sha1 sha1;
  const auto add = [&](std::string_view piece) {
    sha1.Add(piece);
    read.content.crc32 = Crc32(piece, read.content.crc32);
    read.content.size_bytes += static_cast<std::int64_t>(piece.size());
  };
  if (file.size() <= static_cast<std::int64_t>(kBlobChunkBytes)) {
    file.ReadAll([&](std::string_view piece) {
      add(piece);
      read.bytes += piece;
    });
  } else {
    DiskReserve disk(context);
    disk.Require(2 * file.size());
    context.WithDatabase([&](sql::Database& database) {
      read.stored = std::make_unique<BlobWriter>(database);
      file.ReadAll([&](std::string_view piece) {
        add(piece);
        disk.Wrote(piece.size());
        read.stored->Write(piece);
      });
      read.blob = read.stored->Finish().id;
    });
  }
  read.content.sha1 = sha1.Finish();
  // Devices that have the right bytes send them again: their numbers of files differ from ours.
  if (read.content.sha1 != row.sha1) problem = "has other bytes than media.db says";
  return problem == nullptr ? std::optional(std::move(read)) : std::nullopt;
}

// Files of consecutive usns that become files here in one transaction.
class MediaBatch {
 public:
  MediaBatch(Context& context, MediaUsn reached) : context_(context), reached_(reached) {}

  void Add(const OfficialMedia& row, std::optional<ReadMedia> read) {
    changes_.changes.push_back({sent_.size(), row.usn});
    changes_.last_usn = row.usn;
    changes_.row_bytes += MediaRowBytes(row.name);
    sent_.push_back({row.name, std::nullopt});
    if (!read) return;
    ++changes_.files;
    changes_.bytes += read->content.size_bytes;
    in_memory_ += read->bytes.size();
    large_ += read->stored != nullptr ? 1 : 0;
    sent_.back().content = read->content;
    read_.emplace(sent_.size() - 1, std::move(*read));
  }
  bool IsFull() const {
    return sent_.size() >= kMaxMediaFiles || in_memory_ >= kMediaBatchBytes || large_ >= kLargeFiles;
  }

  void Store() {
    if (sent_.empty()) return;
    DiskReserve(context_).Require(2 * static_cast<std::int64_t>(in_memory_));
    std::vector<std::string> names;
    for (const SentMedia& file : sent_) names.push_back(file.name);
    SmallContents small;
    std::map<std::size_t, std::size_t> content_of;
    std::vector<std::int64_t> stored;
    for (auto& [index, read] : read_) {
      if (read.stored != nullptr) {
        stored.push_back(static_cast<std::int64_t>(read.blob));
        continue;
      }
      content_of[index] = small.Add(std::move(read.bytes));
    }
    context_.Write<MediaStore, Transaction>([&](MediaStore& store, Transaction& transaction) {
      const LockedMedia locked = store.Lock(names);
      if (locked.last_usn != reached_ || !locked.known.empty())
        throw Conflict("media_changed", "something else changes the media of this account");
      BlobRefs refs(transaction.tx, context_.user());
      std::map<std::size_t, BlobId> blobs;
      if (!content_of.empty()) {
        const std::vector<BlobId> ids = refs.Store(kMediaService, small.sha256s(), small.contents());
        for (const auto& [index, content] : content_of) blobs[index] = ids[content];
      }
      refs.Lock(stored);
      for (const auto& [index, read] : read_) {
        if (read.stored != nullptr) blobs[index] = read.blob;
      }
      store.Apply(sent_, changes_, blobs, DeviceId{}, refs, Quota::kExempt);
    });
    for (auto& [index, read] : read_) {
      if (read.stored != nullptr) read.stored->Keep();
    }
    reached_ = changes_.last_usn;
    sent_.clear();
    read_.clear();
    changes_ = {};
    in_memory_ = 0;
    large_ = 0;
  }

 private:
  Context& context_;
  MediaUsn reached_;
  std::vector<SentMedia> sent_;
  std::map<std::size_t, ReadMedia> read_;  // by index in sent_
  MediaChanges changes_;
  std::size_t in_memory_ = 0;
  int large_ = 0;  // files stored before the transaction
};

MediaHead HeadOfMedia(Context& context) {
  return context.ReadOnce<MediaStore>([](MediaStore& store) { return store.Head(); });
}

void AdoptMedia(Context& context, const TempFile& media_list, const std::string& home, AdoptReport& report) {
  OfficialMediaList list(media_list.path());
  const MediaUsn begun_at = HeadOfMedia(context).last_usn;
  MediaBatch batch(context, begun_at);
  for (OfficialMedia row; list.Next(row);) {
    if (row.usn <= begun_at) continue;
    const char* problem = MediaNameProblem(row.name);
    std::optional<ReadMedia> read;
    if (problem == nullptr && row.size_bytes != 0)
      read = ReadMediaFile(context, home + kMediaFolder + row.name, row, problem);
    if (problem != nullptr) {
      LeaveOut(report, "media file " + account::ShortText(row.name, 120) + ": " + problem);
      continue;
    }
    batch.Add(row, std::move(read));
    if (batch.IsFull()) batch.Store();
  }
  batch.Store();
  // The last rows may be left out, and a device may have seen their usns.
  context.Write<MediaStore>([&](MediaStore& store) {
    if (store.Lock({}).last_usn < list.LastUsn()) store.Advance(list.LastUsn());
  });
}

// Imports rows in this process; the worker that has the same job finds it done.
class ImportHere : public JobControl {
 public:
  void Progress(std::int64_t, std::int64_t, std::string_view) override {}
  void FinishIn(sql::Tx&) override {}
  void Pause(std::chrono::milliseconds time) override { std::this_thread::sleep_for(time); }
};

std::optional<Collection> FindCollection(Context& context) {
  return context.ReadOnce<CollectionStore>([](CollectionStore& store) { return store.Find(); });
}

void AdoptCollection(Context& context, const TempFile& file) {
  const auto schema_ms = CollectionFile::Open(file.path(), CollectionFile::Check::kTrusted).Meta().schema_ms;
  if (!FindCollection(context)) BeginWith(context, file);
  const auto collection = FindCollection(context);
  if (!collection || collection->meta.schema_ms != schema_ms)
    throw Conflict("collection_changed", "the account has got another collection meanwhile");
  ImportHere control;
  ImportFile(context, collection->generation, control);
}

struct Found {
  UserId user{};
  std::string name;
  std::optional<Adoption> adoption;
  bool has_data = false;
};

std::optional<Found> FindAccount(Context& context, const std::string& name) {
  context.SetIdentity({});
  const auto account =
      context.Read<AccountStore>([&](AccountStore& accounts) { return accounts.Find(name); });
  if (!account) return std::nullopt;
  context.SetIdentity({account->id, DeviceId{}});
  return context.Read<AdoptionStore, CollectionStore, MediaStore>(
      [&](AdoptionStore& adoptions, CollectionStore& collections, MediaStore& media) {
        return Found{account->id, account->name, adoptions.Find(),
                     collections.Find().has_value() || media.Head().last_usn > 0};
      });
}

// The hash for logins; none: the password cannot be used here.
std::optional<std::string> PasswordHash(const OfficialUser& user) {
  if (user.is_hashed)
    return account::IsForeignHash(user.password) ? std::optional(user.password) : std::nullopt;
  if (user.password.empty() || user.password.size() > account::kMaxPasswordBytes) return std::nullopt;
  return account::HashPassword(account::HashSlot(std::chrono::seconds(10)), user.password);
}

Found BeginAccount(Context& context, const std::string& name) {
  const std::string hash = account::HashOfNobody(account::HashSlot(std::chrono::seconds(10)));
  context.SetIdentity({});
  const UserId user =
      context.Write<AccountStore, Transaction>([&](AccountStore& accounts, Transaction& transaction) {
        const UserId added =
            accounts.Add({.name = name, .email = account::EmailOfName(name), .password_hash = hash});
        AdoptionStore(transaction.tx, added).Begin(/*is_new_account=*/true);
        return added;
      });
  context.SetIdentity({user, DeviceId{}});
  return {user, name, Adoption{.is_new_account = true, .is_finished = false}, false};
}

void AddKey(AccountStore& accounts, UserId user, const OfficialUser& official) {
  accounts.Devices(user).AddForeign("anki", kKeyName, Sha256(official.Key()));
}

void Finish(Context& context, const Found& account, const OfficialUser* official, AdoptReport& report) {
  const auto hash =
      official != nullptr && account.adoption->is_new_account ? PasswordHash(*official) : std::nullopt;
  context.Write<AccountStore, AdoptionStore>([&](AccountStore& accounts, AdoptionStore& adoptions) {
    if (hash) accounts.SetPassword(account.user, *hash);
    if (official != nullptr) AddKey(accounts, account.user, *official);
    adoptions.Finish();
  });
  report.has_key = official != nullptr;
  report.has_password = hash || !account.adoption->is_new_account;
}

AdoptReport LeftOut(std::string why) {
  AdoptReport report;
  report.state = AdoptState::kLeftOut;
  report.why = std::move(why);
  return report;
}

}  // namespace

std::vector<std::string> OfficialAccounts(const std::string& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string home = entry.path();
    if (fs::exists(home + kCollection) || fs::exists(home + kMediaList))
      names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool IsServerRunning(const std::string& folder, const std::string& name) {
  const std::string home = folder + "/" + name;
  return SourceFile(home + kCollection).IsLocked() || SourceFile(home + kMediaList).IsLocked();
}

AdoptReport AdoptAccount(Context& context, const std::string& folder, const std::string& name,
                         const OfficialUser* user) {
  const auto normal = account::NewName(name);
  if (!normal) return LeftOut("the name is not allowed here");
  auto account = FindAccount(context, *normal);
  if (account && account->name != *normal)
    return LeftOut("there is an account " + account->name + ", whose name differs only in case");
  AdoptReport report;
  if (account && account->adoption && account->adoption->is_finished) {
    report.state = AdoptState::kAdoptedBefore;
    if (user != nullptr)
      context.Write<AccountStore>([&](AccountStore& accounts) { AddKey(accounts, account->user, *user); });
    return report;
  }
  if (account && !account->adoption && account->has_data)
    return LeftOut("there is an account of this name with data already");
  const std::string home = folder + "/" + name;
  Sources sources;
  try {
    sources = CheckSources(context, home, report);
  } catch (const FileRefused& refused) {
    return LeftOut(refused.what());
  }
  report.was_begun = account && account->adoption;
  if (!account) {
    account = BeginAccount(context, *normal);
  } else if (!account->adoption) {
    context.Write<AdoptionStore>([](AdoptionStore& adoptions) { adoptions.Begin(/*is_new_account=*/false); });
    account->adoption = Adoption{};
  }
  if (sources.media_list != nullptr) AdoptMedia(context, *sources.media_list, home, report);
  if (sources.collection != nullptr) AdoptCollection(context, *sources.collection);
  Finish(context, *account, user, report);
  if (const auto collection = FindCollection(context)) {
    report.notes = collection->counts.notes;
    report.cards = collection->counts.cards;
    report.reviews = collection->counts.revlog;
  }
  report.media_files = HeadOfMedia(context).files;
  return report;
}

}  // namespace syncline::anki
