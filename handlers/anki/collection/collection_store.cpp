#include "handlers/anki/collection/collection_store.h"

#include <algorithm>
#include <utility>

#include "handlers/anki/objects/unicase_wire.h"
#include "handlers/base/errors.h"
#include "handlers/base/sha256.h"
#include "sql/queries/anki.h"

namespace syncline::anki {
namespace {

// A page of notes ends once its texts reach this many bytes, even after one note.
constexpr std::int64_t kMaxPageBytes = 4 << 20;

Object ObjectFromRow(const sql::Row& row) {
  return {row["id"].As<std::int64_t>(),
          row["name"].As<std::string>(),
          row["mod"].As<std::int64_t>(),
          row["usn"].As<Usn>(),
          row["json"].As<std::string>(),
          row["field_count"].As<std::int32_t>(),
          row["template_count"].As<std::int32_t>(),
          row["name_usn"].As<Usn>()};
}

}  // namespace

std::string TagKey(std::string_view name) {
  // A B-tree entry holds at most 2,704 bytes; real tags are much shorter.
  constexpr std::size_t kMaxKeyBytes = 1000;
  std::string key = UnicaseKey(name);
  if (key.size() <= kMaxKeyBytes) return key;
  return "sha256:" + HexText(Sha256(key));
}

Collection CollectionStore::FromRow(const sql::Row& row) {
  Collection c;
  c.generation = row["generation"].As<std::int32_t>();
  c.meta = {row["created_s"].As<std::int64_t>(), row["mod_ms"].As<std::int64_t>(),
            row["schema_ms"].As<std::int64_t>(), row["mod_ms"].As<std::int64_t>(), row["usn"].As<Usn>()};
  c.counts = {row["cards"].As<std::int64_t>(),  row["notes"].As<std::int64_t>(),
              row["revlog"].As<std::int64_t>(), row["notetypes"].As<std::int64_t>(),
              row["decks"].As<std::int64_t>(),  row["deck_configs"].As<std::int64_t>()};
  c.cards_usn = row["cards_usn"].As<Usn>();
  c.notes_usn = row["notes_usn"].As<Usn>();
  c.revlog_usn = row["revlog_usn"].As<Usn>();
  c.graves_usn = row["graves_usn"].As<Usn>();
  c.objects_usn = row["objects_usn"].As<Usn>();
  c.tags_usn = row["tags_usn"].As<Usn>();
  c.base_blob = row["base_blob"].As<BlobId>();
  c.base_bytes = row["base_bytes"].As<std::int64_t>();
  c.base_usn = row["base_usn"].As<Usn>();
  c.base_mod_ms = row["base_mod_ms"].As<std::int64_t>();
  c.base_schema_ms = row["base_schema_ms"].As<std::int64_t>();
  c.was_unburied = row["unburied_since_base"].As<bool>();
  c.import_step = row["import_step"].As<ImportStep>();
  c.import_after = row["import_after"].As<std::int64_t>();
  c.has_long_data = row["has_long_data"].As<bool>();
  return c;
}

CollectionTimes CollectionStore::FindTimes() {
  const auto found = tx_.MaybeOne(sql::anki::find_meta, user_);
  if (!found) throw AccountGone();
  const sql::Row& row = *found;
  CollectionTimes times{};
  times.is_over_quota = row["is_over_quota"].As<bool>();
  times.media_usn = row["media_usn"].As<Usn>();
  times.exists = !row["usn"].IsNull();
  times.mod_ms = times.exists ? row["mod_ms"].As<std::int64_t>() : 0;
  times.schema_ms = row[times.exists ? "schema_ms" : "created_ms"].As<std::int64_t>();
  times.usn = times.exists ? row["usn"].As<Usn>() : 0;
  times.is_empty = !times.exists || row["cards"].As<std::int64_t>() == 0;
  return times;
}

std::optional<Collection> CollectionStore::Find() {
  const auto row = tx_.MaybeOne(sql::anki::find_collection, user_);
  return row ? std::optional(FromRow(*row)) : std::nullopt;
}

std::optional<Collection> CollectionStore::MaybeFromRows(const sql::Rows& rows) {
  return rows.empty() ? std::nullopt : std::optional(FromRow(rows[0]));
}

sql::Asked<std::optional<Collection>> CollectionStore::AskFind() {
  return {tx_.Ask(sql::anki::find_collection, user_), MaybeFromRows};
}

std::optional<Collection> CollectionStore::Lock() {
  return AskLock().Get();
}

sql::Asked<std::optional<Collection>> CollectionStore::AskLock() {
  return {tx_.Ask(sql::anki::lock_collection, user_), MaybeFromRows};
}

std::optional<Collection> CollectionStore::LockOrReserve() {
  if (auto collection = Lock()) return collection;
  // Without a collection there is no row to lock, and two devices may create one at the same time. So lock
  // the account's row instead, and look again: another device may have created it while this one waited.
  if (tx_.Query(sql::anki::lock_account, user_).empty()) throw AccountGone();
  return Lock();
}

std::string CollectionStore::Config(std::int32_t generation, std::int64_t max_bytes) {
  const sql::Row row = tx_.One(sql::anki::find_config, user_, generation, max_bytes);
  if (row["config"].IsNull()) throw TooLargeToSend();
  return row["config"].As<std::string>();
}

std::optional<std::pair<Collection, std::string>> CollectionStore::FindWithConfig(std::int64_t max_bytes) {
  const auto row = tx_.MaybeOne(sql::anki::find_collection_and_config, user_, max_bytes);
  if (!row) return std::nullopt;
  if ((*row)["config"].IsNull()) throw TooLargeToSend();
  return std::pair(FromRow(*row), (*row)["config"].As<std::string>());
}

GraveIds CollectionStore::GravesSince(std::int32_t generation, Usn since, std::int64_t max_bytes) {
  GraveIds graves;
  constexpr std::int64_t kBytesOfOne = 16;  // as a number in JSON, or in memory
  for (const sql::Row& row :
       tx_.Query(sql::anki::graves_since, user_, generation, since, max_bytes / kBytesOfOne)) {
    if (row["ids"].IsNull()) throw TooLargeToSend();
    auto ids = row["ids"].As<std::vector<std::int64_t>>();
    switch (row["kind"].As<GraveKind>()) {
      case GraveKind::kCard:
        graves.cards = std::move(ids);
        break;
      case GraveKind::kNote:
        graves.notes = std::move(ids);
        break;
      case GraveKind::kDeck:
        graves.decks = std::move(ids);
        break;
    }
  }
  return graves;
}

SmallObjects CollectionStore::ObjectsSince(const Since& since) {
  SmallObjects objects;
  for (const sql::Row& row : tx_.Query(sql::anki::objects_since, user_, since.generation, since.usn,
                                       since.without_deleted_by, since.max_bytes)) {
    if (row["json"].IsNull()) throw TooLargeToSend();
    switch (row["kind"].As<ObjectKind>()) {
      case ObjectKind::kNotetype:
        objects.notetypes.push_back(ObjectFromRow(row));
        break;
      case ObjectKind::kDeck:
        objects.decks.push_back(ObjectFromRow(row));
        break;
      case ObjectKind::kDeckConfig:
        objects.deck_configs.push_back(ObjectFromRow(row));
        break;
    }
  }
  return objects;
}

std::vector<Tag> CollectionStore::TagsSince(const Since& since) {
  std::vector<Tag> tags;
  for (const sql::Row& row :
       tx_.Query(sql::anki::tags_since, user_, since.generation, since.usn, since.max_bytes)) {
    if (row["name"].IsNull()) throw TooLargeToSend();
    tags.push_back({row["name"].As<std::string>(), row["usn"].As<Usn>()});
  }
  return tags;
}

// Rows are read by position: a lookup by name would cost more than the value.
Card CollectionStore::CardFromRow(const sql::Row& row) {
  return {row[0].As<std::int64_t>(),  row[1].As<std::int64_t>(),  row[2].As<std::int64_t>(),
          row[3].As<std::int32_t>(),  row[4].As<std::int64_t>(),  row[5].As<Usn>(),
          row[6].As<std::int32_t>(),  row[7].As<std::int32_t>(),  row[8].As<std::int32_t>(),
          row[9].As<std::int64_t>(),  row[10].As<std::int32_t>(), row[11].As<std::int64_t>(),
          row[12].As<std::int64_t>(), row[13].As<std::int64_t>(), row[14].As<std::int32_t>(),
          row[15].As<std::int64_t>(), row[16].As<std::int32_t>(), row[17].As<std::string>()};
}

Note CollectionStore::NoteFromRow(const sql::Row& row) {
  return {row[0].As<std::int64_t>(), row[1].As<std::string>(), row[2].As<std::int64_t>(),
          row[3].As<std::int64_t>(), row[4].As<Usn>(),         row[5].As<std::string>(),
          row[6].As<std::string>()};
}

bool CollectionStore::CardsSince(const Since& since, RowPosition after, int limit,
                                 const std::function<void(const Card&, RowPosition)>& each) {
  Card card{};
  int count = 0;
  tx_.Each(
      sql::anki::cards_since,
      [&](const sql::Row& row) {
        if (row[17].IsNull()) throw TooLargeToSend();
        card = CardFromRow(row);
        ++count;
        each(card, {row[18].As<Usn>(), card.id});
      },
      user_, since.generation, since.usn, after.usn, after.id, limit, since.without_deleted_by,
      since.max_bytes == kAnySize ? kAnySize : std::min(since.max_bytes, kMaxCardData));
  return count == limit;
}

bool CollectionStore::NotesSince(const Since& since, RowPosition after, int limit,
                                 const std::function<void(const Note&, RowPosition)>& each) {
  Note note{};
  int count = 0;
  std::int64_t bytes = 0;
  tx_.Each(
      sql::anki::notes_since,
      [&](const sql::Row& row) {
        if (row[6].IsNull()) throw TooLargeToSend();
        note = NoteFromRow(row);
        ++count;
        bytes += static_cast<std::int64_t>(note.guid.size() + note.tags.size() + note.fields.size());
        each(note, {row[7].As<Usn>(), note.id});
      },
      user_, since.generation, since.usn, after.usn, after.id, limit, kMaxPageBytes, since.without_deleted_by,
      since.max_bytes);
  return count == limit || bytes >= kMaxPageBytes;
}

bool CollectionStore::ReviewsSince(const Since& since, RowPosition after, int limit,
                                   const std::function<void(const Review&, RowPosition)>& each) {
  Review review{};
  int count = 0;
  tx_.Each(
      sql::anki::revlog_since,
      [&](const sql::Row& row) {
        review = {row[0].As<std::int64_t>(), row[1].As<std::int64_t>(), row[2].As<Usn>(),
                  row[3].As<std::int32_t>(), row[4].As<std::int32_t>(), row[5].As<std::int32_t>(),
                  row[6].As<std::int64_t>(), row[7].As<std::int64_t>(), row[8].As<std::int32_t>()};
        ++count;
        each(review, {row[9].As<Usn>(), review.id});
      },
      user_, since.generation, since.usn, after.usn, after.id, limit);
  return count == limit;
}

}  // namespace syncline::anki
