#include "handlers/decks/files/collect_flow.h"

#include <optional>
#include <set>
#include <string>

#include "handlers/anki/collection/collection_store.h"
#include "handlers/anki/package/import_flow.h"
#include "handlers/anki/package/import_store.h"
#include "handlers/decks/files/package_flow.h"

namespace syncline::decks {
namespace {

using namespace std::chrono_literals;

// None: there is no collection.
std::optional<std::set<std::string>> GuidsOfCollection(Context& context) {
  return context.Read<anki::CollectionStore, anki::ImportStore>(
      [&](anki::CollectionStore& collections,
          anki::ImportStore& imports) -> std::optional<std::set<std::string>> {
        const auto head = collections.Find();
        if (!head) return std::nullopt;
        if (!head->IsImported()) throw anki::ImportPutOff{"an upload is being imported"};
        std::set<std::string> guids;
        imports.EachNote(head->generation, [&](std::int64_t, std::string guid, std::int64_t, std::int64_t) {
          guids.insert(std::move(guid));
        });
        return guids;
      });
}

void Import(Context& context, const DeckPackage& package, const Job& job, JobControl& control) {
  TempFile file(context.config().temp_dir);
  package.Write(file);
  const anki::ImportHost host{.name = std::to_string(static_cast<std::int64_t>(job.id)),
                              .progress = [&](std::int64_t done, std::int64_t total,
                                              std::string_view step) { control.Progress(done, total, step); },
                              .commit = [](sql::Tx&, const anki::ImportReport&) {}};
  constexpr auto kNever = anki::UpdateWhen::kNever;
  anki::ImportPackage(context, file, anki::PackageKind::kApkg,
                      {.update_notes = kNever, .update_notetypes = kNever}, host);
}

}  // namespace

void CollectDeck(Context& context, DeckId deck, const Job& job, JobControl& control) {
  std::set<std::string> added;
  const auto found = context.Read<DeckStore>([&](DeckStore& decks) {
    const auto here = decks.Find(deck);
    if (!here || here->is_deleted) return here;
    const auto guids = decks.Collected(deck, here->owner);
    added.insert(guids.begin(), guids.end());
    return here;
  });
  if (!found || found->is_deleted) return;
  const auto known = GuidsOfCollection(context);
  if (!known) return;
  const auto wants = [&](const std::string& guid) { return added.contains(guid) && !known->contains(guid); };
  const DeckPackage package(context, *found, {.wants = wants, .between_cards = [&] {
                                                control.Progress(0, 0, "reading the deck");
                                              }});
  if (package.cards() > 0) Import(context, package, job, control);
  // A push that comes now finds this job unfinished and adds none: it must not be forgotten.
  const bool is_whole =
      context.Write<DeckStore, Transaction>([&](DeckStore& decks, Transaction& transaction) {
        const auto now = decks.Lock(found->shown.id);
        // What was deleted from the collection meanwhile or before must not come back with the next cards.
        decks.NoteCollected(deck, found->head_seq);
        if (now && !now->is_deleted && now->head_seq != found->head_seq) return false;
        control.FinishIn(transaction.tx);
        return true;
      });
  if (!is_whole) throw JobPutOff("cards are still arriving", 10s);
}

}  // namespace syncline::decks
