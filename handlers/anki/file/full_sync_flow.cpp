#include "handlers/anki/file/full_sync_flow.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "handlers/anki/collection/check_store.h"
#include "handlers/anki/collection/config_wire.h"
#include "handlers/anki/collection/content_rules.h"
#include "handlers/anki/collection/problem_store.h"
#include "handlers/anki/settings.h"
#include "handlers/base/blobs.h"
#include "handlers/base/disk_reserve.h"
#include "handlers/base/errors.h"
#include "handlers/base/id_map.h"
#include "handlers/base/utf8.h"
#include "handlers/base/zstd.h"

namespace syncline::anki {
namespace {

// Buffer size for copies between files and streams.
constexpr std::size_t kPieceBytes = 256 << 10;
// Fast, and the result is as small as what clients send.
constexpr int kFileCompression = 1;
// Rows in one step of an import. A step holds the collection's lock for about 2 ms; a sync waits that long.
constexpr std::int64_t kImportRows = 250;
// Rows per statement while a file is built: few enough for the statement timeout.
constexpr int kBuildRows = 20'000;
// Rows of a replaced collection deleted in one transaction.
constexpr std::int64_t kDeleteRows = 20'000;

// Passes a body on and writes its bytes to a file, as long as the disk has room.
class KeepingSource : public BodySource {
 public:
  KeepingSource(BodySource& source, TempFile& copy, DiskReserve& disk)
      : source_(source), copy_(copy), disk_(disk) {}
  std::size_t Read(char* buffer, std::size_t size) override {
    const std::size_t got = source_.Read(buffer, size);
    disk_.Wrote(got);
    copy_.Write({buffer, got});
    return got;
  }

 private:
  BodySource& source_;
  TempFile& copy_;
  DiskReserve& disk_;
};

class BlobSink : public BodySink {
 public:
  // `disk`: as in Expand.
  explicit BlobSink(BlobWriter& writer, DiskReserve* disk = nullptr) : writer_(writer), disk_(disk) {}
  void Write(std::string_view bytes) override {
    if (disk_ != nullptr) disk_->Wrote(bytes.size());
    writer_.Write(bytes);
  }

 private:
  BlobWriter& writer_;
  DiskReserve* disk_;
};

// `disk`: null for writes that must not fail while the disk is nearly full.
void Copy(BodySource& source, TempFile& out, DiskReserve* disk) {
  std::vector<char> piece(kPieceBytes);
  while (const std::size_t got = source.Read(piece.data(), piece.size())) {
    if (disk != nullptr) disk->Wrote(got);
    out.Write({piece.data(), got});
  }
}

void Expand(BodySource& source, std::uint64_t limit, TempFile& out, DiskReserve* disk = nullptr) {
  ZstdReader reader(source, limit);
  Copy(reader, out, disk);
}

// `disk`: as in Copy. The caller keeps the blob.
BlobInfo WriteCompressed(BlobWriter& writer, const TempFile& file, DiskReserve* disk = nullptr) {
  BlobSink sink(writer, disk);
  ZstdWriter zstd(sink, kFileCompression);
  file.ReadAll(zstd);
  zstd.Finish();
  return writer.Finish();
}

BlobInfo StoreCompressed(Context& context, const TempFile& file) {
  return context.WithDatabase([&](sql::Database& database) {
    BlobWriter writer(database);
    const BlobInfo blob = WriteCompressed(writer, file);
    writer.Keep();
    return blob;
  });
}

// The highest usn that a device with this file has seen.
Usn SeenUsn(Usn file_usn) {
  return std::max(file_usn - 1, 0);
}

// A file's usn above this is not continued: the collection could reach 2^31 - 1.
constexpr Usn kMaxUsn = 2'000'000'000;
// The year 9999, in ms.
constexpr std::int64_t kMaxTime = 253'402'300'799'000;

// The head that a collection gets from a file.
CollectionMeta BeginningOf(const CollectionMeta& stored, std::int64_t now_ms) {
  CollectionMeta meta = stored;
  // Restart at 1. A client that has the file sends the file's usn at its next sync. It is above all of ours
  // and means "has seen the file and nothing newer" (Collection::SeenBy); when that sync ends, the client has
  // one of ours.
  if (meta.usn < 0 || meta.usn > kMaxUsn) meta.usn = 1;
  // Clients prefer the config with the later mod. One from the year 292 million would win forever.
  if (meta.mod_ms < 0 || meta.mod_ms > kMaxTime) meta.mod_ms = now_ms;
  // The schema time stays, whatever it is: it is only compared for equality with that of a client.
  return meta;
}

void RefuseStrangeCreation(const CollectionMeta& meta) {
  if (meta.created_s >= -kMaxCreatedSeconds && meta.created_s <= kMaxCreatedSeconds) return;
  throw FileRefused(
      "The collection's creation date is out of range, and Anki cannot work with it. "
      "Please open a backup in Anki (File > Switch Profile > Open Backup), then upload that.");
}

// The head of a collection that replaces `current` but did not come from a client.
CollectionMeta HeadAfter(const std::optional<Collection>& current, CollectionMeta meta, std::int64_t now_ms) {
  // A new schema time makes every client download. Without it a client would have a usn from the future, ask
  // for nothing, and at best fail the sanity check.
  meta.schema_ms = now_ms;
  // Later than the previous one, unless that is above kMaxTime; then only different from it.
  if (current && current->meta.schema_ms >= now_ms && current->meta.schema_ms < kMaxTime)
    meta.schema_ms = current->meta.schema_ms + 1;
  meta.mod_ms = std::max(now_ms, current ? current->meta.mod_ms + 1 : 0);
  meta.usn = std::max(meta.usn, current ? current->meta.usn : 0) + 1;
  return meta;
}

// The file's graves, except those of ids that exist again: they would keep the row from being imported.
std::vector<Grave> GravesOf(const CollectionFile& file, const SmallObjects& objects) {
  std::vector<Grave> graves = file.ReadGraves();
  std::vector<std::int64_t> cards, notes;
  for (const Grave& grave : graves) {
    if (grave.kind == GraveKind::kCard) cards.push_back(grave.id);
    if (grave.kind == GraveKind::kNote) notes.push_back(grave.id);
  }
  const auto set = [](const std::vector<std::int64_t>& ids) { return IdSet(ids.begin(), ids.end()); };
  const auto live_cards = set(file.ExistingCards(cards)), live_notes = set(file.ExistingNotes(notes));
  IdSet live_decks;
  for (const Object& deck : objects.decks) live_decks.insert(deck.id);
  std::erase_if(graves, [&](const Grave& grave) {
    const auto& live = grave.kind == GraveKind::kCard   ? live_cards
                       : grave.kind == GraveKind::kNote ? live_notes
                                                        : live_decks;
    return live.contains(grave.id);
  });
  return graves;
}

NewCollection Describe(const CollectionFile& file, std::uint64_t bytes, std::int64_t now_ms) {
  NewCollection next;
  next.file = next.meta = BeginningOf(file.Meta(), now_ms);
  // Do not serve a head that clients cannot read. With a usn above the file's, the file is not current, and
  // every download has a head that we wrote.
  if (!file.HasReadableMeta()) ++next.meta.usn;
  next.counts = file.Counts();
  next.objects = file.ReadSmallObjects();
  next.graves = GravesOf(file, next.objects);
  // Rows of the file count as seen by every client that has it, even if a faulty program gave them usns from
  // the future.
  const Usn seen = SeenUsn(next.file.usn);
  next.max_usn = std::min(file.MaxUsn(), seen);
  for (auto* objects : {&next.objects.notetypes, &next.objects.decks, &next.objects.deck_configs}) {
    for (Object& object : *objects) object.usn = std::min(object.usn, seen);
  }
  for (Tag& tag : next.objects.tags) tag.usn = std::min(tag.usn, seen);
  for (Grave& grave : next.graves) grave.usn = std::min(grave.usn, seen);
  next.bytes = static_cast<std::int64_t>(bytes);
  return next;
}

// As count_content.sql counts them.
std::int64_t ContentBytesOf(const CollectionFile& file, const NewCollection& next) {
  std::int64_t bytes = file.TextBytes(kLongDataBytes);
  for (const auto* objects : {&next.objects.notetypes, &next.objects.decks, &next.objects.deck_configs}) {
    for (const Object& object : *objects) {
      bytes += static_cast<std::int64_t>(object.json.size() + object.name.size()) + kObjectBytes;
    }
  }
  for (const Tag& tag : next.objects.tags) bytes += static_cast<std::int64_t>(tag.name.size()) + kTagBytes;
  return bytes + static_cast<std::int64_t>(next.graves.size()) * kGraveBytes;
}

// Writes what is newer than the base file into a copy of that file. Reads one snapshot.
void ApplyChangesSinceBase(CollectionStore& store, const Collection& c, const std::string& path,
                           std::int64_t max_bytes = kAnySize) {
  CollectionFileWriter writer(path);
  if (c.was_unburied) writer.Unbury();
  const GraveIds graves = store.GravesSince(c.generation, c.base_usn);
  for (const std::int64_t id : graves.notes) writer.Bury({GraveKind::kNote, id, c.base_usn});
  for (const std::int64_t id : graves.cards) writer.Bury({GraveKind::kCard, id, c.base_usn});
  for (const std::int64_t id : graves.decks) writer.Bury({GraveKind::kDeck, id, c.base_usn});
  const Since since_base{c.generation, c.base_usn, 0, max_bytes};
  const SmallObjects objects = store.ObjectsSince(since_base);
  writer.PutNotetypes(objects.notetypes);
  writer.PutDecks(objects.decks);
  writer.PutDeckConfigs(objects.deck_configs);
  writer.PutTags(store.TagsSince(since_base));
  writer.PutConfig(store.Config(c.generation));

  const auto pages = [&](auto since, auto put) {
    RowPosition last;
    while (since(last, [&](const auto& row, RowPosition position) {
      put(row);
      last = position;
    })) {
    }
  };
  pages([&](RowPosition after,
            const auto& row) { return store.NotesSince(since_base, after, kBuildRows, row); },
        [&](const Note& note) { writer.PutNote(note); });
  pages([&](RowPosition after,
            const auto& row) { return store.CardsSince(since_base, after, kBuildRows, row); },
        [&](const Card& card) { writer.PutCard(card); });
  pages([&](RowPosition after,
            const auto& row) { return store.ReviewsSince(since_base, after, kBuildRows, row); },
        [&](const Review& review) { writer.PutReview(review); });
  CollectionMeta meta = c.meta;
  meta.last_sync_ms = meta.mod_ms;
  writer.SetMeta(meta);
  writer.Finish();
}

// A base file, opened for reading.
class OpenedFile {
 public:
  explicit OpenedFile(std::unique_ptr<TempFile> file)
      : temp_(std::move(file)), file_(CollectionFile::Open(temp_->path(), CollectionFile::Check::kTrusted)) {}
  const CollectionFile& file() const { return file_; }

 private:
  std::unique_ptr<TempFile> temp_;
  CollectionFile file_;
};

// Ids per statement.
constexpr std::int64_t kIdsAtOnce = 20'000;

void PutFileIds(FullSyncStore& store, std::int32_t generation, const CollectionFile& file) {
  const auto put = [&](Part part, auto ids_after) {
    std::int64_t after = std::numeric_limits<std::int64_t>::min();
    for (auto ids = ids_after(after); !ids.empty(); ids = ids_after(after)) {
      store.PutFileIds(generation, part, ids);
      after = ids.back();
    }
  };
  put(kCards, [&](std::int64_t after) { return file.CardIds(after, kIdsAtOnce); });
  put(kNotes, [&](std::int64_t after) { return file.NoteIds(after, kIdsAtOnce); });
  put(kReviews, [&](std::int64_t after) { return file.ReviewIds(after, kIdsAtOnce); });
}

// A page of base file rows of one kind, to be imported.
struct Page {
  ImportStep step;
  CardColumns cards{};
  NoteColumns notes{};
  ReviewColumns reviews{};
  std::vector<std::int64_t> usns{};  // of the page's rows, in order
  std::int64_t last = 0;             // id of the last row
};

// SQLite's text may be any bytes; PostgreSQL requires UTF-8 without NUL, so MakeText replaces the rest.
Page ReadPage(const CollectionFile& file, ImportStep step, std::int64_t after, Usn seen) {
  Page page{.step = step, .last = after};
  const auto add = [&](auto& columns, auto&& row) {
    page.usns.push_back(std::min(row.usn, seen));
    columns.Add(std::forward<decltype(row)>(row));
  };
  switch (step) {
    case ImportStep::kCards:
      page.last = file.EachCard(after, kImportRows, [&](Card card) {
        MakeText(card.data);
        add(page.cards, card);
      });
      break;
    case ImportStep::kNotes:
      page.last = file.EachNote(after, kImportRows, [&](Note note) {
        MakeText(note.guid);
        MakeText(note.tags);
        MakeText(note.fields);
        add(page.notes, std::move(note));
      });
      break;
    case ImportStep::kReviews:
      page.last =
          file.EachReview(after, kImportRows, [&](const Review& review) { add(page.reviews, review); });
      break;
    case ImportStep::kDone:
      break;
  }
  return page;
}

// If a sync has unburied cards since the upload, cards imported later must be unburied, too. Idempotent.
void Unbury(CardColumns& cards) {
  for (std::size_t i = 0; i < cards.ids.size(); ++i) {
    if (!IsBuried(cards.queues[i])) continue;
    cards.queues[i] =
        UnburiedQueue(static_cast<std::int32_t>(cards.types[i]), static_cast<std::int32_t>(cards.dues[i]));
  }
}

// Opens and fully checks a file. If it has a row of many MB, takes the turn for large requests first.
CollectionFile OpenUploaded(Context& context, const std::string& path) {
  constexpr auto kFull = CollectionFile::Check::kFull;
  try {
    return CollectionFile::Open(path, kFull, kLargeBytes);
  } catch (const RowTooLarge&) {
    context.TakeLargeTurn();
    return CollectionFile::Open(path, kFull, context.config().Of<Settings>().max_message_mib << 20);
  }
}

struct ImportPosition {
  ImportStep step;
  std::int64_t after;  // ids up to this one are imported
  auto operator<=>(const ImportPosition&) const = default;
};

// Imports the page that follows `at`, and returns the position after it; none if the collection has been replaced.
// Waits for the commit only if `is_awaited`, and for the last one. If a commit was lost, the next page finds an older
// position, imports nothing and returns that one.
std::optional<ImportPosition> ImportPage(Context& context, std::int32_t generation, const ImportPosition& at,
                                         Page& page, bool is_awaited) {
  ImportPosition next{at.step, page.last};
  if (page.usns.empty()) {
    next = {static_cast<ImportStep>(static_cast<int>(at.step) + 1), std::numeric_limits<std::int64_t>::min()};
  }
  const auto import = [&](FullSyncStore& store,
                          CollectionStore& collections) -> std::optional<ImportPosition> {
    const auto locked = collections.Lock();
    if (!locked || locked->generation != generation) return std::nullopt;
    const ImportPosition stored{locked->import_step, locked->import_after};
    if (stored != at) return stored;
    if (locked->was_unburied) Unbury(page.cards);
    store.ImportCards(generation, page.cards, page.usns);
    store.ImportNotes(generation, page.notes, page.usns);
    store.ImportReviews(generation, page.reviews, page.usns);
    store.RememberImport(generation, next.step, next.after);
    return next;
  };
  return is_awaited || next.step == ImportStep::kDone
             ? context.Write<FullSyncStore, CollectionStore>(import)
             : context.WriteUnawaited<FullSyncStore, CollectionStore>(import);
}

}  // namespace

void ReceiveUpload(Context& context, BodySource& body, UploadForm form, std::optional<std::size_t> bytes,
                   const std::string& client) {
  const auto open_room = [&](sql::Database& database) {
    return Reservation(database, context.user(), static_cast<std::int64_t>(bytes.value_or(0)));
  };
  Reservation room = context.WithDatabase(open_room);
  DiskReserve disk(context);
  // One copy in a temporary file, one in the database and one in its WAL; the expanded size is checked during
  // expansion.
  disk.Require(3 * static_cast<std::int64_t>(bytes.value_or(0)));
  TempFile frame(context.config().temp_dir);
  TempFile plain(context.config().temp_dir);
  KeepingSource keeping(body, frame, disk);
  const auto limit = static_cast<std::uint64_t>(context.config().Of<Settings>().max_collection_mib) << 20;
  try {
    if (form == UploadForm::kFrame) {
      Expand(keeping, limit, plain, &disk);
    } else {
      Copy(body, plain, &disk);
    }
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kTooLarge) throw;
    throw FileRefused("Your collection is larger than this server accepts (" +
                      std::to_string(context.config().Of<Settings>().max_collection_mib) + " MiB).");
  }
  const CollectionFile file = OpenUploaded(context, plain.path());
  RefuseStrangeCreation(file.Meta());
  NewCollection next = Describe(file, plain.Size(), context.NowMs());
  BlobWriter writer =
      context.WithDatabase([&](sql::Database& database) { return BlobWriter(database, &room); });
  context.WithDatabase([&](sql::Database&) {
    if (form == UploadForm::kPlain) {
      next.blob = WriteCompressed(writer, plain, &disk);
      return;
    }
    BlobSink sink(writer, &disk);
    frame.ReadAll(sink);
    next.blob = writer.Finish();
  });
  if (room.IsLimited()) next.content_bytes = ContentBytesOf(file, next);
  context.Write<FullSyncStore, ProblemStore, Transaction>(
      [&](FullSyncStore& store, ProblemStore& problems, Transaction& transaction) {
        room.Settle(transaction.tx);
        PutFileIds(store, store.Replace(next), file);
        // The rows and texts of the new collection count from now on.
        if (next.content_bytes) RequireRoom(transaction.tx, context.user(), 0);
        if (!file.Adjusted().empty()) problems.KeepUpload({context.device(), client}, file.Adjusted());
      });
  writer.Keep();
}

Adjustments CheckCollection(Context& context, const TempFile& plain) {
  const CollectionFile file = OpenUploaded(context, plain.path());
  RefuseStrangeCreation(file.Meta());
  return file.Adjusted();
}

bool BeginWith(Context& context, const TempFile& plain) {
  // The frame in the database, and in its log.
  DiskReserve(context).Require(2 * static_cast<std::int64_t>(plain.Size()));
  const CollectionFile file = CollectionFile::Open(plain.path(), CollectionFile::Check::kTrusted);
  NewCollection first = Describe(file, plain.Size(), context.NowMs());
  first.blob = StoreCompressed(context, plain);
  first.quota = Quota::kExempt;
  return context.Write<FullSyncStore>([&](FullSyncStore& store) {
    if (!store.Begin(first)) return false;
    PutFileIds(store, 1, file);
    return true;
  });
}

void EnsureCollection(Context& context) {
  const auto created_ms =
      context.Read<CollectionStore>([](CollectionStore& store) -> std::optional<std::int64_t> {
        const CollectionTimes times = store.FindTimes();
        return times.exists ? std::nullopt : std::optional(times.schema_ms);
      });
  if (!created_ms) return;
  TempFile plain(context.config().temp_dir);
  // A day of a collection begins at 4 a.m. (UTC here).
  constexpr std::int64_t kDay = 86'400, kFour = 4 * 3600;
  const std::int64_t created_s = (*created_ms / 1000 - kFour) / kDay * kDay + kFour;
  CreateEmptyCollection(
      plain.path(),
      {.created_s = created_s, .mod_ms = 0, .schema_ms = *created_ms, .last_sync_ms = 0, .usn = 0});
  const CollectionFile file = CollectionFile::Open(plain.path(), CollectionFile::Check::kTrusted);
  NewCollection first = Describe(file, plain.Size(), *created_ms);
  first.blob = StoreCompressed(context, plain);
  // There are no rows to import, so no other code would count its texts soon.
  context.Write<FullSyncStore, CheckStore>([&](FullSyncStore& store, CheckStore& check) {
    if (store.Begin(first)) check.CountContent();
  });
}

namespace {

// A frame of `bytes` expanded bytes, as a file.
std::unique_ptr<TempFile> Fetch(Context& context, BlobId blob, std::uint64_t bytes) {
  TempFile frame(context.config().temp_dir);
  context.WithDatabase([&](sql::Database& database) {
    ReadBlob(database, context.user(), kService, blob, [&](std::string_view piece) { frame.Write(piece); });
  });
  auto plain = std::make_unique<TempFile>(context.config().temp_dir);
  TempFileSource source(frame);
  Expand(source, bytes, *plain);
  return plain;
}

}  // namespace

std::unique_ptr<TempFile> FetchBase(Context& context, const Collection& collection) {
  return Fetch(context, collection.base_blob, static_cast<std::uint64_t>(collection.base_bytes));
}

std::unique_ptr<TempFile> CurrentFile(Context& context) {
  Download download = PrepareDownload(context);
  return download.file != nullptr ? std::move(download.file)
                                  : Fetch(context, download.verbatim, download.bytes);
}

Download PrepareDownload(Context& context) {
  std::int64_t max_bytes = kLargeBytes;
  for (;;) {
    const auto found = context.Read<CollectionStore>([](CollectionStore& store) { return store.Find(); });
    if (!found) throw NotFound("no_collection");
    const Collection& collection = *found;
    if (collection.IsBaseCurrent()) {
      return {collection.base_blob, nullptr, static_cast<std::uint64_t>(collection.base_bytes)};
    }
    auto file = FetchBase(context, collection);
    const auto build = [&](CollectionStore& store) {
      const auto now = store.Find();
      // If the collection was replaced meanwhile, start over with its base file. A sync meanwhile does not
      // matter: everything is read in this snapshot.
      if (!now || now->generation != collection.generation) return false;
      ApplyChangesSinceBase(store, *now, file->path(), max_bytes);
      return true;
    };
    try {
      if (!context.Read<CollectionStore>(build)) continue;
    } catch (const TooLargeToSend&) {
      context.TakeLargeTurn();
      max_bytes = kAnySize;
      continue;
    }
    const std::uint64_t bytes = file->Size();
    return {BlobId{}, std::move(file), bytes};
  }
}

Download PrepareOldDownload(Context& context) {
  auto file = CurrentFile(context);
  DowngradeToSchema11(file->path());
  const std::uint64_t bytes = file->Size();
  return {BlobId{}, std::move(file), bytes};
}

void ImportFile(Context& context, std::int32_t generation, JobControl& control) {
  const auto current = context.Read<CollectionStore>([](CollectionStore& store) { return store.Find(); });
  if (!current || current->generation != generation || current->IsImported()) return;
  DiskReserve disk(context);
  disk.Require(current->base_bytes);
  const OpenedFile opened(FetchBase(context, *current));
  const CollectionFile& file = opened.file();
  const CollectionCounts counts = file.Counts();
  const std::int64_t total = counts.cards + counts.notes + counts.revlog;

  // An upload received by an older version has none.
  context.Write<FullSyncStore>([&](FullSyncStore& store) {
    if (!store.HasFileIds(generation)) PutFileIds(store, generation, file);
  });

  std::int64_t done = 0;
  ImportPosition at{current->import_step, current->import_after};
  bool is_awaited = false;
  while (at.step != ImportStep::kDone) {
    control.Progress(done, total, "importing rows");
    disk.Require();
    Page page = ReadPage(file, at.step, at.after, SeenUsn(current->base_usn));
    done += static_cast<std::int64_t>(page.usns.size());
    const auto reached = ImportPage(context, generation, at, page, is_awaited);
    if (!reached) return;  // replaced meanwhile: its rows are no longer needed
    // After a failure the commit is awaited, so that a page that always fails ends the attempt.
    is_awaited = *reached < at;
    at = *reached;
  }
}

void ArchiveGeneration(Context& context, std::int32_t generation,
                       const std::function<void()>& between_steps) {
  const auto find = [&](FullSyncStore& store) { return store.LockHistory(generation); };
  const auto entry = context.Write<FullSyncStore>(find);
  if (!entry) return;
  if (!entry->is_archived) {
    DiskReserve(context).Require(2 * entry->collection.base_bytes);
    BlobInfo blob{entry->collection.base_blob, "", 0};
    std::int64_t bytes = entry->collection.base_bytes;
    if (!entry->collection.IsBaseCurrent()) {
      const auto file = FetchBase(context, entry->collection);
      context.Read<CollectionStore>(
          [&](CollectionStore& store) { ApplyChangesSinceBase(store, entry->collection, file->path()); });
      blob = StoreCompressed(context, *file);
      bytes = static_cast<std::int64_t>(file->Size());
    }
    context.Write<FullSyncStore>([&](FullSyncStore& store) {
      const auto locked = store.LockHistory(generation);
      if (locked && !locked->is_archived) store.MarkArchived(*locked, blob, bytes);
    });
  }
  do {
    between_steps();
  } while (context.Write<FullSyncStore>(
      [&](FullSyncStore& s) { return s.DeleteSomeRows(generation, kDeleteRows); }));
}

void ReplaceForAll(Context& context, std::unique_ptr<TempFile> file, const CollectionMeta& meta,
                   std::optional<BlobId> stored, const std::function<void(sql::Tx&)>& begin,
                   const std::function<void(sql::Tx&)>& end) {
  const auto bytes = file->Size();
  const BlobInfo blob = stored ? BlobInfo{*stored, "", 0} : StoreCompressed(context, *file);
  const OpenedFile opened(std::move(file));
  NewCollection next = Describe(opened.file(), bytes, context.NowMs());
  next.blob = blob;
  context.Write<FullSyncStore, CollectionStore, Transaction>(
      [&](FullSyncStore& store, CollectionStore& collections, Transaction& transaction) {
        next.meta = HeadAfter(collections.Lock(), meta, context.NowMs());
        begin(transaction.tx);
        PutFileIds(store, store.Replace(next), opened.file());
        end(transaction.tx);
      });
}

void ReplaceCollection(Context& context, const TempFile& plain, Reservation& room,
                       const std::function<void(sql::Tx&)>& begin, const std::function<void(sql::Tx&)>& end) {
  DiskReserve disk(context);
  // The frame in the database, and in its log.
  disk.Require(2 * static_cast<std::int64_t>(plain.Size()));
  RefuseStrangeCreation(OpenUploaded(context, plain.path()).Meta());
  // No device owns its pending changes; otherwise every device that downloads the file would send them.
  CollectionFileWriter pending(plain.path());
  pending.ForgetPending();
  pending.Finish();
  const CollectionFile file = CollectionFile::Open(plain.path(), CollectionFile::Check::kTrusted);
  NewCollection next = Describe(file, plain.Size(), context.NowMs());
  BlobWriter writer =
      context.WithDatabase([&](sql::Database& database) { return BlobWriter(database, &room); });
  context.WithDatabase([&](sql::Database&) { next.blob = WriteCompressed(writer, plain, &disk); });
  if (room.IsLimited()) next.content_bytes = ContentBytesOf(file, next);
  const CollectionMeta meta = next.meta;
  context.Write<FullSyncStore, CollectionStore, Transaction>(
      [&](FullSyncStore& store, CollectionStore& collections, Transaction& transaction) {
        next.meta = HeadAfter(collections.Lock(), meta, context.NowMs());
        begin(transaction.tx);
        room.Settle(transaction.tx);
        PutFileIds(store, store.Replace(next), file);
        if (next.content_bytes) RequireRoom(transaction.tx, context.user(), 0);
        end(transaction.tx);
      });
  writer.Keep();
}

}  // namespace syncline::anki
