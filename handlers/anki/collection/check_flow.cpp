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

// Each step sees the rows of its own moment. They fit together if the collection has not changed meanwhile.
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
  const auto of_texts = UpkeepStep(control, [&] {
    return context.Read<CheckStore>([](CheckStore& store) { return store.ContentFindings(); });
  });
  findings.insert(findings.end(), of_texts.begin(), of_texts.end());
  const auto of_points = context.Read<CheckStore>([](CheckStore& store) { return store.PointFindings(); });
  findings.insert(findings.end(), of_points.begin(), of_points.end());
  const auto of_files = UpkeepStep(control, [&] {
    return context.Read<CheckStore>([](CheckStore& store) { return store.FileFindings(); });
  });
  findings.insert(findings.end(), of_files.begin(), of_files.end());
  return findings;
}

}  // namespace syncline::anki
