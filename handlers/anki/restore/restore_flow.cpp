#include "handlers/anki/restore/restore_flow.h"

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
  auto file = CurrentFile(context);
  // A replacement meanwhile would have another generation's rows in the file.
  const auto now = context.Read<CollectionStore>([](CollectionStore& store) { return store.Find(); });
  if (!now || now->generation != generation) return LastStateOf(context, generation);
  return {*now, std::move(file), true};
}

OldSmallThings SmallThings(PointStore& store, std::int32_t generation, Usn usn) {
  auto found = store.SmallThings(generation, usn);
  if (!found) throw NotFound("no_such_sync");
  return *std::move(found);
}

// Undoes the syncs from this usn on. A sync after the file was made does no harm, because its changes are
// undone, too. Returns the creation time of the collection before that sync. Reads one snapshot, because the
// point may be dropped meanwhile.
std::int64_t TakeBack(Context& context, std::int32_t generation, Usn usn, const std::string& path) {
  return context.Read<PointStore>([&](PointStore& store) {
    const OldSmallThings small = SmallThings(store, generation, usn);
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

// Makes this file the collection, and restores the media to that time. Returns the result for the media.
RestoredMedia ReplaceWith(Context& context, std::unique_ptr<TempFile> file, const CollectionMeta& meta,
                          std::optional<BlobId> stored, sql::Time media_at) {
  RestoredMedia media;
  // The media are locked before the collection takes blobs, and change after the old one is in the history: they are then
  // younger than its end, which is how this is undone.
  ReplaceForAll(
      context, std::move(file), meta, stored,
      [&](sql::Tx& tx) { MediaRestoreStore(tx, context.user()).Lock(); },
      [&](sql::Tx& tx) { media = MediaRestoreStore(tx, context.user()).RestoreTo(media_at); });
  return media;
}

}  // namespace

RestoredMedia Restore(Context& context, std::int32_t generation, std::optional<sql::Time> media_at) {
  const HistoryEntry entry = Archived(context, generation);
  return ReplaceWith(context, FetchBase(context, entry.collection), entry.collection.meta,
                     entry.collection.base_blob, media_at.value_or(entry.replaced_at));
}

Restored RestoreBefore(Context& context, std::int32_t generation, Usn usn,
                       std::optional<sql::Time> media_at) {
  const OldSmallThings point =
      context.Read<PointStore>([&](PointStore& store) { return SmallThings(store, generation, usn); });
  const sql::Time at = media_at.value_or(point.finished_at);
  LastState last = LastStateOf(context, generation);
  if (point.during_import) {
    // An archive is no longer the uploaded file.
    if (!last.is_current) throw Conflict("during_import");
    return {RestoredTo::kUpload, ReplaceWith(context, FetchBase(context, last.collection),
                                             last.collection.meta, last.collection.base_blob, at)};
  }
  CollectionMeta meta = last.collection.meta;
  meta.created_s = TakeBack(context, generation, usn, last.file->path());
  return {RestoredTo::kBeforeSync, ReplaceWith(context, std::move(last.file), meta, std::nullopt, at)};
}

RestoredMedia RestoreMedia(Context& context, sql::Time at) {
  return context.Write<MediaRestoreStore>([&](MediaRestoreStore& media) { return media.RestoreTo(at); });
}

}  // namespace syncline::anki
