#include "handlers/anki/collection/integrity_store.h"

#include <string_view>
#include <vector>

#include "handlers/base/json.h"
#include "sql/queries/anki.h"

namespace syncline::anki {
namespace {

constexpr std::int64_t kDayMs = 24 * 60 * 60 * 1000;

// A number or a boolean, by the age of the client that wrote it.
bool IsSet(std::string_view json, std::string_view key) {
  const auto value = FindMember(json, key);
  return value && *value != "0" && *value != "false" && *value != "null";
}

}  // namespace

Integrity IntegrityStore::Check(std::int32_t generation, std::int64_t now_ms) {
  std::vector<std::int64_t> filtered_decks, cloze_notetypes;
  tx_.Each(
      sql::anki::integrity_objects,
      [&](const sql::Row& row) {
        const bool is_deck = row["kind"].As<ObjectKind>() == ObjectKind::kDeck;
        if (!IsSet(row["json"].As<std::string_view>(), is_deck ? "dyn" : "type")) return;
        (is_deck ? filtered_decks : cloze_notetypes).push_back(row["id"].As<std::int64_t>());
      },
      user_, generation);
  const std::int64_t last_id = now_ms + kDayMs;
  const sql::Row cards =
      tx_.One(sql::anki::integrity_cards, user_, generation, filtered_decks, cloze_notetypes, last_id);
  const sql::Row siblings = tx_.One(sql::anki::integrity_siblings, user_, generation);
  const sql::Row notes = tx_.One(sql::anki::integrity_notes, user_, generation, last_id);
  const sql::Row reviews = tx_.One(sql::anki::integrity_reviews, user_, generation, last_id);
  const sql::Row decks = tx_.One(sql::anki::integrity_deck_names, user_, generation);
  const auto count = [](const sql::Row& row, const char* column) { return row[column].As<std::int64_t>(); };
  return {.missing_notetypes = count(notes, "missing_notetypes"),
          .high_positions = count(cards, "high_positions"),
          .bad_cards = count(cards, "bad_values"),
          .without_note = count(cards, "without_note"),
          .missing_decks = count(cards, "missing_decks") + count(decks, "missing_parents"),
          .wrong_fields = count(notes, "wrong_fields"),
          .duplicate_cards = count(siblings, "duplicates"),
          .without_template = count(cards, "without_template"),
          .bad_reviews = count(reviews, "bad_values"),
          .in_future = count(notes, "in_future") + count(cards, "in_future") + count(reviews, "in_future")};
}

}  // namespace syncline::anki
