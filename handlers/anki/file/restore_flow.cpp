#include "handlers/anki/file/restore_flow.h"

#include <memory>
#include <optional>
#include <utility>

#include "handlers/anki/collection/point_store.h"
#include "handlers/anki/file/full_sync_flow.h"
#include "handlers/base/errors.h"
#include "handlers/base/temp_file.h"

namespace syncline::anki {
namespace {

// The last state of a collection, current or replaced, as a file.
struct LastState {
  Collection collection;
  std::unique_ptr<TempFile> file;
  bool is_current = false;
};

// A replaced collection, whose state is in its file.
HistoryEntry Archived(Context& context, std::int32_t generation) {
  for (;;) {
    const auto entry =
        context.Write<FullSyncStore>([&](FullSyncStore& store) { return store.LockHistory(generation); });
    if (!entry) throw NotFound("no_such_generation");
    if (entry->is_archived) return *entry;
    ArchiveGeneration(context, generation, [] {});
  }
}

LastState LastStateOf(Context& context, std::int32_t generation) {
  const auto current = context.Read<CollectionStore>([](CollectionStore& store) { return store.Find(); });
  if (!current || current->generation != generation) {
    const HistoryEntry entry = Archived(context, generation);
    return {entry.collection, FetchBase(context, entry.collection)};
  }
  Download download = PrepareDownload(context);
  // A replacement meanwhile would have another generation's rows in the file.
  const auto now = context.Read<CollectionStore>([](CollectionStore& store) { return store.Find(); });
  if (!now || now->generation != generation) return LastStateOf(context, generation);
  if (!download.file) download.file = FetchBase(context, *now);
  return {*now, std::move(download.file), true};
}

// Takes back what syncs from this usn on have done. A sync after the file was made does no harm: what it replaced
// or added is among what is taken back.
// Returns the creation time of the collection before that sync. Reads one snapshot: the point may be forgotten meanwhile.
std::int64_t TakeBack(Context& context, std::int32_t generation, Usn usn, const std::string& path) {
  return context.Read<PointStore>([&](PointStore& store) {
    const auto found = store.SmallThings(generation, usn);
    if (!found) throw NotFound("no_such_sync");
    const OldSmallThings& small = *found;
    CollectionFileWriter writer(path);
    writer.RemoveGraves(usn);
    for (const auto& [kind, id] : small.absent_objects) writer.RemoveObject(kind, id);
    writer.RemoveTags(small.absent_tags);
    writer.PutNotetypes(small.notetypes);
    writer.PutDecks(small.decks);
    writer.PutDeckConfigs(small.deck_configs);
    if (small.config_json) writer.PutConfig(*small.config_json);
    store.EachNote(
        generation, usn, [&](const Note& note) { writer.PutNote(note); },
        [&](std::int64_t id) { writer.RemoveNote(id); });
    store.EachCard(
        generation, usn, [&](const Card& card) { writer.PutCard(card); },
        [&](std::int64_t id) { writer.RemoveCard(id); });
    store.EachAddedReviews(generation, usn,
                           [&](const std::vector<std::int64_t>& ids) { writer.RemoveReviews(ids); });
    writer.Finish();
    return small.created_s;
  });
}

}  // namespace

void Restore(Context& context, std::int32_t generation) {
  const HistoryEntry entry = Archived(context, generation);
  ReplaceForAll(context, FetchBase(context, entry.collection), entry.collection.meta,
                entry.collection.base_blob);
}

RestoredTo RestoreBefore(Context& context, std::int32_t generation, Usn usn) {
  const auto find = [&]() -> std::optional<Point> {
    for (const Point& point : context.Read<PointStore>([](PointStore& store) { return store.Points(); })) {
      if (point.generation == generation && point.usn == usn) return point;
    }
    return std::nullopt;
  };
  const auto point = find();
  if (!point) throw NotFound("no_such_sync");
  LastState last = LastStateOf(context, generation);
  if (point->during_import) {
    // An archive is not the uploaded file any more.
    if (!last.is_current) throw Conflict("during_import");
    ReplaceForAll(context, FetchBase(context, last.collection), last.collection.meta,
                  last.collection.base_blob);
    return RestoredTo::kUpload;
  }
  CollectionMeta meta = last.collection.meta;
  meta.created_s = TakeBack(context, generation, usn, last.file->path());
  ReplaceForAll(context, std::move(last.file), meta, std::nullopt);
  return RestoredTo::kBeforeSync;
}

}  // namespace syncline::anki
