// syncline-admin anki check: what Anki's "Check Database" would find in a collection, and what the nightly checks of
// this server find. Read-only.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "handlers/admin/commands.h"
#include "handlers/anki/collection/check_flow.h"
#include "handlers/anki/collection/collection_store.h"
#include "handlers/anki/collection/integrity_store.h"
#include "handlers/anki/media/media_check_flow.h"

namespace syncline::admin {
namespace {

// The nightly checks, without their pauses.
class CheckHere : public JobControl {
 public:
  void Progress(std::int64_t, std::int64_t, std::string_view) override {}
  void FinishIn(sql::Tx&) override {}
  void Pause(std::chrono::milliseconds) override {}
};

// One line for each kind, with what Anki's check does about it.
std::vector<std::string> Describe(const anki::Integrity& found) {
  std::vector<std::string> lines;
  const auto add = [&](std::int64_t count, const char* one, const char* many, const char* repair) {
    if (count > 0) lines.push_back(CountText(count, one, many) + ": " + repair);
  };
  add(found.missing_notetypes, "note type is missing that notes use", "note types are missing that notes use",
      "they get new ones with the name db-check, without the fields' names and the card design");
  add(found.high_positions, "new card has a position of 2,000,000 or more",
      "new cards have a position of 2,000,000 or more", "repositioned");
  add(found.bad_cards, "value of a card is out of range", "values of cards are out of range", "corrected");
  add(found.without_note, "card has no note", "cards have no note", "deleted");
  add(found.missing_decks, "deck is missing that has cards or decks in it",
      "decks are missing that have cards or decks in them", "made anew, those with cards as recovered...");
  add(found.wrong_fields, "note does not have the fields of its note type",
      "notes do not have the fields of their note type", "fields are added or joined, tagged db-check");
  add(found.duplicate_cards, "card is there twice", "cards are there twice", "deleted");
  add(found.without_template, "card has no template", "cards have no template", "deleted");
  add(found.bad_reviews, "review has a time out of range", "reviews have a time out of range", "corrected");
  add(found.in_future, "note, card or review is from the future",
      "notes, cards or reviews are from the future", "they get new ids");
  return lines;
}

int Check(Tool& tool, const std::string& name) {
  Context& context = tool.ContextOf(tool.Find(name).id);
  const auto integrity = context.Read<anki::CollectionStore, anki::IntegrityStore>(
      [&](anki::CollectionStore& collections, anki::IntegrityStore& store) {
        const auto collection = collections.Find();
        if (!collection) throw Refusal(name + " has no collection yet");
        if (!collection->IsImported())
          throw Refusal("an upload is being imported; please try again in a minute");
        return store.Check(collection->generation, context.NowMs());
      });
  const std::vector<std::string> lines = Describe(integrity);
  if (!lines.empty()) {
    std::printf("Anki's Tools > Check Database would find, and repair as said:\n");
    for (const std::string& line : lines) std::printf("  %s\n", line.c_str());
    std::printf(
        "Run it on one device. If that device then asks whether to upload or download, choose upload; on the "
        "others, download.\n");
  }
  CheckHere control;
  std::vector<std::string> findings = anki::CheckCollection(context, control);
  const std::vector<std::string> media = anki::CheckMedia(context, control);
  findings.insert(findings.end(), media.begin(), media.end());
  if (!findings.empty()) {
    std::printf("The server's own checks find (a fault of the server; nothing that the user did):\n");
    for (const std::string& finding : findings) std::printf("  %s\n", finding.c_str());
  }
  if (lines.empty() && findings.empty()) std::printf("No problem of %s was found.\n", name.c_str());
  return lines.empty() && findings.empty() ? 0 : 1;
}

}  // namespace

void AddAnkiCheckCommand(CLI::App& group, Tool& tool) {
  const auto name = std::make_shared<std::string>();
  CLI::App* check = group.add_subcommand(
      "check",
      "Report what Anki's Check Database would find in a collection, and what the nightly checks find");
  check->add_option("NAME", *name, "Account")->required();
  check->callback([&tool, name] { tool.command = [&tool, name] { return Check(tool, *name); }; });
}

}  // namespace syncline::admin
