#include "handlers/anki/file/full_sync_store.h"

#include <limits>

#include "handlers/anki/collection/point_store.h"
#include "handlers/anki/collection/session_store.h"
#include "handlers/anki/objects/unicase_wire.h"
#include "handlers/base/job.h"
#include "handlers/base/json_writer.h"
#include "sql/queries/anki.h"

namespace syncline::anki {
namespace {

HistoryEntry EntryFromRow(const sql::Row& row) {
  return {CollectionStore::FromRow(row), row["replaced_at"].As<sql::Time>(), row["is_archived"].As<bool>()};
}

std::string JobArgs(std::int32_t generation) {
  return JsonWriter().Object().Add("generation", generation).Finish();
}

// PostgreSQL's text cannot hold NUL, and in a name it has no meaning to any client.
std::string WithoutNul(std::string text) {
  std::erase(text, '\0');
  return text;
}

}  // namespace

std::int32_t FullSyncStore::Replace(const NewCollection& next) {
  const auto current = CollectionStore(tx_, user_).LockOrReserve();
  if (!current) {
    Put(1, next);
    return 1;
  }
  SessionStore(tx_, user_).End();
  tx_.Later(sql::anki::archive_collection, user_);
  EnqueueJob(tx_, {.kind = "anki.archive",
                   .user = user_,
                   .args = JobArgs(current->generation),
                   .unique_key = std::to_string(static_cast<std::int64_t>(user_)) + "/" +
                                 std::to_string(current->generation)});
  Put(current->generation + 1, next);
  return current->generation + 1;
}

bool FullSyncStore::Begin(const NewCollection& first) {
  if (CollectionStore(tx_, user_).LockOrReserve()) return false;
  Put(1, first);
  return true;
}

void FullSyncStore::Put(std::int32_t generation, const NewCollection& next) {
  BlobRefs(tx_, user_).Add(kService, next.blob, next.quota);
  const CollectionCounts& c = next.counts;
  const bool has_rows = c.cards + c.notes + c.revlog > 0;
  tx_.Later(sql::anki::put_collection, user_, generation, next.meta.created_s, next.meta.mod_ms,
            next.meta.schema_ms, next.meta.usn, c.cards, c.notes, c.revlog, c.notetypes, c.decks,
            c.deck_configs, next.max_usn, next.blob.id, next.bytes, next.file.mod_ms, next.file.schema_ms,
            has_rows ? ImportStep::kCards : ImportStep::kDone, next.file.usn, next.content_bytes);
  tx_.Later(sql::anki::put_config, user_, generation, next.objects.config_json);

  std::vector<std::int64_t> kinds, ids, mods, usns, field_counts, template_counts;
  std::vector<std::string> names, keys, jsons;
  const auto add = [&](ObjectKind kind, const std::vector<Object>& objects) {
    for (const Object& object : objects) {
      kinds.push_back(static_cast<std::int64_t>(kind));
      ids.push_back(object.id);
      mods.push_back(object.mod);
      usns.push_back(object.usn);
      field_counts.push_back(object.field_count);
      template_counts.push_back(object.template_count);
      names.push_back(WithoutNul(object.name));
      keys.push_back(WithoutNul(UnicaseKey(object.name)));
      jsons.push_back(object.json);
    }
  };
  add(ObjectKind::kNotetype, next.objects.notetypes);
  add(ObjectKind::kDeck, next.objects.decks);
  add(ObjectKind::kDeckConfig, next.objects.deck_configs);
  tx_.Later(sql::anki::put_objects, user_, generation, kinds, ids, mods, usns, field_counts, template_counts,
            names, keys, jsons);

  std::vector<std::string> tag_keys, tag_names;
  std::vector<std::int64_t> tag_usns;
  for (const Tag& tag : next.objects.tags) {
    tag_keys.push_back(TagKey(WithoutNul(tag.name)));
    tag_names.push_back(WithoutNul(tag.name));
    tag_usns.push_back(tag.usn);
  }
  if (!tag_keys.empty()) tx_.Later(sql::anki::put_tags, user_, generation, tag_keys, tag_names, tag_usns);

  std::vector<std::int64_t> grave_kinds, grave_ids, grave_usns;
  for (const Grave& grave : next.graves) {
    grave_kinds.push_back(static_cast<std::int64_t>(grave.kind));
    grave_ids.push_back(grave.id);
    grave_usns.push_back(grave.usn);
  }
  if (!grave_ids.empty())
    tx_.Later(sql::anki::put_graves, user_, generation, grave_kinds, grave_ids, grave_usns);

  if (!has_rows) return;
  EnqueueJob(tx_, {.kind = "anki.import",
                   .user = user_,
                   .args = JobArgs(generation),
                   .unique_key =
                       std::to_string(static_cast<std::int64_t>(user_)) + "/" + std::to_string(generation)});
}

void FullSyncStore::ImportCards(std::int32_t generation, const CardColumns& c,
                                const std::vector<std::int64_t>& usns) {
  if (c.ids.empty()) return;
  tx_.Later(sql::anki::import_cards, user_, generation, c.ids, c.note_ids, c.deck_ids, c.ords, c.mods, usns,
            c.types, c.queues, c.dues, c.intervals, c.factors, c.reps, c.lapses, c.remainings,
            c.original_dues, c.original_deck_ids, c.flags, c.datas);
}

void FullSyncStore::ImportNotes(std::int32_t generation, const NoteColumns& n,
                                const std::vector<std::int64_t>& usns) {
  if (n.ids.empty()) return;
  tx_.Later(sql::anki::import_notes, user_, generation, n.ids, n.guids, n.notetype_ids, n.mods, usns, n.tags,
            n.fields);
}

void FullSyncStore::ImportReviews(std::int32_t generation, const ReviewColumns& r,
                                  const std::vector<std::int64_t>& usns) {
  if (r.ids.empty()) return;
  tx_.Later(sql::anki::import_revlog, user_, generation, r.ids, r.card_ids, usns, r.eases, r.intervals,
            r.last_intervals, r.factors, r.taken_mss, r.types);
}

void FullSyncStore::PutFileIds(std::int32_t generation, Part part, const std::vector<std::int64_t>& ids) {
  tx_.Later(sql::anki::put_file_ids, user_, generation, part, ids);
}

bool FullSyncStore::HasFileIds(std::int32_t generation) {
  return tx_.One(sql::anki::has_file_ids, user_, generation)[0].As<bool>();
}

void FullSyncStore::RememberImport(std::int32_t generation, ImportStep step, std::int64_t after) {
  tx_.Later(sql::anki::remember_import, user_, step, after);
  if (step == ImportStep::kDone) tx_.Later(sql::anki::delete_file_ids, user_, generation);
}

std::vector<HistoryEntry> FullSyncStore::History() {
  std::vector<HistoryEntry> entries;
  for (const sql::Row& row : tx_.Query(sql::anki::history, user_)) entries.push_back(EntryFromRow(row));
  return entries;
}

std::optional<HistoryEntry> FullSyncStore::LockHistory(std::int32_t generation) {
  const auto row = tx_.MaybeOne(sql::anki::lock_history, user_, generation);
  return row ? std::optional(EntryFromRow(*row)) : std::nullopt;
}

void FullSyncStore::MarkArchived(const HistoryEntry& entry, const BlobInfo& blob, std::int64_t bytes) {
  BlobRefs refs(tx_, user_);
  if (blob.id != entry.collection.base_blob) {
    refs.Add(kService, blob, Quota::kExempt);
    refs.Release(kService, entry.collection.base_blob);
  }
  tx_.Later(sql::anki::mark_archived, user_, entry.collection.generation, blob.id, bytes);
}

bool FullSyncStore::DeleteSomeRows(std::int32_t generation, std::int64_t limit) {
  for (const sql::Statement* statement :
       {&sql::anki::delete_some_cards, &sql::anki::delete_some_notes, &sql::anki::delete_some_revlog,
        &sql::anki::delete_some_graves, &sql::anki::delete_some_changed}) {
    if (tx_.Execute(*statement, user_, generation, limit) > 0) return true;
  }
  tx_.Later(sql::anki::delete_file_ids, user_, generation);
  tx_.Later(sql::anki::delete_objects, user_, generation);
  tx_.Later(sql::anki::delete_tags, user_, generation);
  tx_.Later(sql::anki::delete_config, user_, generation);
  return false;
}

void FullSyncStore::Forget(const HistoryEntry& entry) {
  CollectionStore(tx_, user_).Lock();  // first, as whoever replaces a collection does
  BlobRefs(tx_, user_).Release(kService, entry.collection.base_blob);
  PointStore(tx_, user_).Forget(entry.collection.generation, std::numeric_limits<Usn>::max());
  tx_.Later(sql::anki::forget_reviews, user_, entry.collection.generation);
  tx_.Later(sql::anki::delete_history, user_, entry.collection.generation);
}

}  // namespace syncline::anki
