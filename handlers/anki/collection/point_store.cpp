#include "handlers/anki/collection/point_store.h"

#include <limits>

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

std::optional<sql::Time> PointStore::KnownSince() {
  const auto row = tx_.MaybeOne(sql::anki::known_since, user_);
  return row ? std::optional((*row)["known_since"].As<sql::Time>()) : std::nullopt;
}

namespace {

// Pieces of about a megabyte in one statement, so that it ends long before the statement timeout.
constexpr int kPiecesAtOnce = 16;
// Lists of up to 200 ids.
constexpr int kListsAtOnce = 1'000;

// Calls `row` with each row of the pieces, in pages: two columns from `cursor` on say which piece a row is from.
void EachOldRow(sql::Tx& tx, const sql::Statement& page, UserId user, std::int32_t generation, Usn usn,
                int cursor, const std::function<void(const sql::Row&)>& row) {
  auto last_usn = std::numeric_limits<Usn>::max();
  auto last_piece = std::numeric_limits<std::int64_t>::max();
  for (bool has_rows = true; has_rows;) {
    has_rows = false;
    tx.Each(
        page,
        [&](const sql::Row& old) {
          has_rows = true;
          last_usn = old[cursor].As<Usn>();
          last_piece = old[cursor + 1].As<std::int64_t>();
          row(old);
        },
        user, generation, usn, last_usn, last_piece, kPiecesAtOnce);
  }
}

}  // namespace

// By position, as in CollectionStore.
void PointStore::EachCard(std::int32_t generation, Usn usn, const std::function<void(const Card&)>& old,
                          const std::function<void(std::int64_t id)>& absent) {
  EachOldRow(tx_, sql::anki::old_cards, user_, generation, usn, 19, [&](const sql::Row& row) {
    if (!row[18].IsNull()) absent(row[18].As<std::int64_t>());
    if (!row[0].IsNull()) old(CollectionStore::CardFromRow(row));
  });
}

void PointStore::EachNote(std::int32_t generation, Usn usn, const std::function<void(const Note&)>& old,
                          const std::function<void(std::int64_t id)>& absent) {
  EachOldRow(tx_, sql::anki::old_notes, user_, generation, usn, 8, [&](const sql::Row& row) {
    if (!row[7].IsNull()) absent(row[7].As<std::int64_t>());
    if (!row[0].IsNull()) old(CollectionStore::NoteFromRow(row));
  });
}

void PointStore::EachAddedReviews(std::int32_t generation, Usn usn,
                                  const std::function<void(const std::vector<std::int64_t>&)>& ids) {
  Usn last_usn = usn;
  auto last_id = std::numeric_limits<std::int64_t>::min();
  for (bool has_rows = true; has_rows;) {
    has_rows = false;
    tx_.Each(
        sql::anki::added_reviews,
        [&](const sql::Row& row) {
          has_rows = true;
          last_usn = row["usn"].As<Usn>();
          last_id = row["last_id"].As<std::int64_t>();
          ids(row["ids"].As<std::vector<std::int64_t>>());
        },
        user_, generation, last_usn, last_id, kListsAtOnce);
  }
}

std::optional<OldSmallThings> PointStore::SmallThings(std::int32_t generation, Usn usn) {
  const auto row = tx_.MaybeOne(sql::anki::old_small, user_, generation, usn);
  if (!row) return std::nullopt;
  OldSmallThings things;
  things.finished_at = (*row)["finished_at"].As<sql::Time>();
  things.created_s = (*row)["created_s"].As<std::int64_t>();
  things.during_import = (*row)["during_import"].As<bool>();
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

bool PointStore::DeleteForgotten(int max_rows) {
  return tx_.One(sql::anki::delete_forgotten, user_, max_rows)["may_be_more"].As<bool>();
}

}  // namespace syncline::anki
