#include "handlers/anki/collection/point_store.h"

#include "handlers/anki/collection/collection_store.h"
#include "sql/queries/anki.h"

namespace syncline::anki {
namespace {

Changed ChangedFromRow(const sql::Row& row, const char* added, const char* changed, const char* deleted) {
  return {row[added].As<std::int64_t>(), row[changed].As<std::int64_t>(), row[deleted].As<std::int64_t>()};
}

}  // namespace

std::vector<Point> PointStore::Points() {
  std::vector<Point> points;
  for (const sql::Row& row : tx_.Query(sql::anki::points, user_)) {
    Point point;
    point.generation = row["generation"].As<std::int32_t>();
    point.usn = row["usn"].As<Usn>();
    point.finished_at = row["finished_at"].As<sql::Time>();
    point.device = row["device"].As<std::string>();
    point.cards = ChangedFromRow(row, "cards_added", "cards_changed", "cards_deleted");
    point.notes = ChangedFromRow(row, "notes_added", "notes_changed", "notes_deleted");
    point.reviews = row["reviews"].As<std::int64_t>();
    point.objects = row["objects"].As<std::int64_t>();
    point.during_import = row["during_import"].As<bool>();
    points.push_back(std::move(point));
  }
  return points;
}

// By position, as in CollectionStore.
void PointStore::EachCard(std::int32_t generation, Usn usn, const std::function<void(const Card&)>& old,
                          const std::function<void(std::int64_t id)>& absent) {
  tx_.Each(
      sql::anki::old_cards,
      [&](const sql::Row& row) {
        if (!row[18].IsNull()) absent(row[18].As<std::int64_t>());
        if (!row[0].IsNull()) old(CollectionStore::CardFromRow(row));
      },
      user_, generation, usn);
}

void PointStore::EachNote(std::int32_t generation, Usn usn, const std::function<void(const Note&)>& old,
                          const std::function<void(std::int64_t id)>& absent) {
  tx_.Each(
      sql::anki::old_notes,
      [&](const sql::Row& row) {
        if (!row[7].IsNull()) absent(row[7].As<std::int64_t>());
        if (!row[0].IsNull()) old(CollectionStore::NoteFromRow(row));
      },
      user_, generation, usn);
}

void PointStore::EachAddedReviews(std::int32_t generation, Usn usn,
                                  const std::function<void(const std::vector<std::int64_t>&)>& ids) {
  tx_.Each(
      sql::anki::added_reviews, [&](const sql::Row& row) { ids(row["ids"].As<std::vector<std::int64_t>>()); },
      user_, generation, usn);
}

std::optional<OldSmallThings> PointStore::SmallThings(std::int32_t generation, Usn usn) {
  const auto row = tx_.MaybeOne(sql::anki::old_small, user_, generation, usn);
  if (!row) return std::nullopt;
  OldSmallThings things;
  things.created_s = (*row)["created_s"].As<std::int64_t>();
  things.config_json = (*row)["config"].As<std::optional<std::string>>();
  things.absent_tags = (*row)["tags"].As<std::vector<std::string>>();
  for (const sql::Row& object : tx_.Query(sql::anki::old_objects, user_, generation, usn)) {
    const auto kind = object["kind"].As<ObjectKind>();
    if (object["json"].IsNull()) {
      things.absent_objects.emplace_back(kind, object["id"].As<std::int64_t>());
      continue;
    }
    auto& list = kind == ObjectKind::kNotetype ? things.notetypes
                 : kind == ObjectKind::kDeck   ? things.decks
                                               : things.deck_configs;
    list.push_back({object["id"].As<std::int64_t>(), object["name"].As<std::string>(),
                    object["mod"].As<std::int64_t>(), object["usn"].As<Usn>(),
                    object["json"].As<std::string>(), object["field_count"].As<std::int32_t>(),
                    object["template_count"].As<std::int32_t>()});
  }
  return things;
}

void PointStore::Forget(std::int32_t generation, Usn usn) {
  tx_.Later(sql::anki::forget_points, user_, generation, usn);
}

}  // namespace syncline::anki
