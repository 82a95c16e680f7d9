#include "handlers/anki/collection/check_flow.h"

#include <limits>
#include <optional>

#include "handlers/anki/collection/check_store.h"

namespace syncline::anki {
namespace {

constexpr int kAttempts = 3;

std::optional<Collection> Head(Context& context) {
  return context.ReadOnce<CollectionStore>([](CollectionStore& store) { return store.Find(); });
}

// Each step reads its own snapshot. The results are consistent if the collection has not changed meanwhile.
Counted Count(Context& context, JobControl& control, const Collection& collection) {
  Counted counted;
  const auto count = [&](auto page) {
    std::int64_t after = std::numeric_limits<std::int64_t>::min();
    while (UpkeepStep(control, [&] {
      return context.ReadOnce<CheckStore>([&](CheckStore& store) { return page(store, after); });
    })) {
    }
  };
  count([&](CheckStore& store, std::int64_t& after) { return store.CountCards(collection, after, counted); });
  count([&](CheckStore& store, std::int64_t& after) { return store.CountNotes(collection, after, counted); });
  count(
      [&](CheckStore& store, std::int64_t& after) { return store.CountReviews(collection, after, counted); });
  context.ReadOnce<CheckStore>([&](CheckStore& store) { store.CountSmallObjects(collection, counted); });
  return counted;
}

bool IsSame(const Collection& a, const std::optional<Collection>& b) {
  return b && a.generation == b->generation && a.meta.usn == b->meta.usn && a.meta.mod_ms == b->meta.mod_ms;
}

void Compare(const Collection& collection, const Counted& counted, std::vector<std::string>& findings) {
  const auto compare = [&](const char* kind, std::int64_t counter, std::int64_t rows) {
    if (rows == counter) return;
    findings.push_back(std::string(kind) + ": counter says " + std::to_string(counter) + ", there are " +
                       std::to_string(rows));
  };
  compare("cards", collection.counts.cards, counted.counts.cards);
  compare("notes", collection.counts.notes, counted.counts.notes);
  compare("revlog", collection.counts.revlog, counted.counts.revlog);
  compare("notetypes", collection.counts.notetypes, counted.counts.notetypes);
  compare("decks", collection.counts.decks, counted.counts.decks);
  compare("deck_configs", collection.counts.deck_configs, counted.counts.deck_configs);
  if (counted.newest_usn >= collection.meta.usn) {
    findings.push_back("a row has usn " + std::to_string(counted.newest_usn) + ", the collection is at " +
                       std::to_string(collection.meta.usn));
  }
  const auto require_listed = [&](const char* kind, std::int64_t unlisted) {
    if (unlisted == 0) return;
    findings.push_back(std::string(kind) + ": " + std::to_string(unlisted) + " changed but not listed");
  };
  require_listed("cards", counted.unlisted_cards);
  require_listed("notes", counted.unlisted_notes);
  require_listed("revlog", counted.unlisted_reviews);
}

// Whether every point of the history can be restored, and no rows of dropped points are left. A sync commits
// its point together with the kept rows, so each page is consistent.
void CheckHistory(Context& context, JobControl& control, std::vector<std::string>& findings) {
  CheckedHistory checked;
  const auto check = [&](auto page) {
    OldPosition after;
    while (UpkeepStep(control, [&] {
      return context.ReadOnce<CheckStore>([&](CheckStore& store) { return page(store, after); });
    })) {
    }
  };
  check([&](CheckStore& store, OldPosition& after) { return store.CheckPoints(after, checked); });
  check([&](CheckStore& store, OldPosition& after) { return store.CheckOldCards(after, checked); });
  check([&](CheckStore& store, OldPosition& after) { return store.CheckOldNotes(after, checked); });
  context.Read<CheckStore>([&](CheckStore& store) { store.CheckOldRest(checked); });
  const auto require_none = [&](std::int64_t count, const char* what) {
    if (count > 0) findings.push_back("history: " + std::to_string(count) + " " + what);
  };
  require_none(checked.incomplete_points, "points with more or less rows than they count");
  require_none(checked.lost_points, "points of a collection that is not kept");
  require_none(checked.damaged_pieces, "damaged rows");
  require_none(checked.stray_rows, "rows of no point");
}

}  // namespace

std::vector<std::string> CheckCollection(Context& context, JobControl& control) {
  std::vector<std::string> findings;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto collection = Head(context);
    // During an import there are fewer rows than the counters say.
    if (!collection || !collection->IsImported()) break;
    const Counted counted = Count(context, control, *collection);
    if (!IsSame(*collection, Head(context))) continue;
    Compare(*collection, counted, findings);
    break;
  }
  const auto add = [&](const auto& find) {
    const auto found = UpkeepStep(control, [&] { return context.Read<CheckStore>(find); });
    findings.insert(findings.end(), found.begin(), found.end());
  };
  add([](CheckStore& store) { return store.ContentFindings(); });
  add([](CheckStore& store) { return store.PointFindings(); });
  CheckHistory(context, control, findings);
  add([](CheckStore& store) { return store.FileFindings(); });
  return findings;
}

}  // namespace syncline::anki
