// syncline-admin plan ... and deck ...: who may own how many shared decks, and what the administrator says of a deck.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "handlers/admin/commands.h"
#include "handlers/base/display.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/utf8.h"
#include "handlers/decks/catalogue/deck_store.h"
#include "handlers/decks/catalogue/person_store.h"
#include "handlers/decks/delivery/delivery_choice_flow.h"
#include "handlers/decks/dialect/cursor_rules.h"
#include "handlers/decks/dialect/id_wire.h"

namespace syncline::admin {
namespace {

using account::Account;
using decks::DeckStore;
using decks::PersonStore;

constexpr int kMostDecks = 1'000'000;
constexpr std::size_t kMostName = 100, kMostTitle = 200, kMostMessage = 5000;

struct Choice {
  std::string user, plan, until, name, deck, is_verified, is_featured, deletes_removed, stop_keeping, title,
      message, priority = "normal";
  int max_decks = 0;
  bool is_lifetime = false, owns_collection = false, loses_collection = false, restores_deleted = false;
};

int List(Tool& tool, const Choice&) {
  std::vector<std::vector<std::string>> rows;
  for (const decks::Plan& plan :
       tool.context().Read<PersonStore>([](PersonStore& people) { return people.Plans(); }))
    rows.push_back({plan.name, std::to_string(plan.max_decks)});
  PrintTable({"PLAN", "DECKS"}, rows);
  return 0;
}

// As in the table of plans.
bool IsPlanName(const std::string& name) {
  constexpr std::size_t kMost = 32;
  const auto is_small = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= kMost && is_small(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_small(c) || (c >= '0' && c <= '9') || c == '_'; });
}

int Set(Tool& tool, const Choice& choice) {
  if (!IsPlanName(choice.plan))
    throw UsageError("the name of a plan has up to 32 small letters, digits and _, and begins with a letter");
  tool.context().Write<PersonStore>([&](PersonStore& people) {
    people.SavePlan({choice.plan, choice.max_decks});
  });
  std::printf("the plan %s has room for %d decks\n", choice.plan.c_str(), choice.max_decks);
  return 0;
}

int Give(Tool& tool, const Choice& choice) {
  const Account account = tool.Find(choice.user);
  decks::PlanOfPerson plan{.plan = choice.plan,
                           .expires_at = std::nullopt,
                           .is_lifetime = choice.is_lifetime,
                           .owns_collection = std::nullopt};
  if (choice.owns_collection || choice.loses_collection) plan.owns_collection = choice.owns_collection;
  if (!choice.until.empty()) {
    const auto until = decks::ParseTime(choice.until);
    if (!until) throw UsageError("--until takes a day or a time, 2026-12-31, not " + choice.until);
    plan.expires_at = until->time;
    // A plan lasts until the end of its last day.
    if (choice.until.find(':') == choice.until.npos) *plan.expires_at += std::chrono::days(1);
  }
  if (plan.plan != "free" && !plan.expires_at && !plan.is_lifetime)
    throw UsageError("a plan needs its end, --until DAY, or --lifetime");
  const bool owns_collection = tool.context().Write<PersonStore>([&](PersonStore& people) {
    const auto plans = people.Plans();
    const bool is_known =
        std::any_of(plans.begin(), plans.end(), [&](const auto& p) { return p.name == plan.plan; });
    if (!is_known) throw Refusal("there is no plan " + plan.plan + "; syncline-admin plan list shows all");
    return people.SetPlan(account.id, plan);
  });
  std::printf("%s has the plan %s%s\n", account.name.c_str(), plan.plan.c_str(),
              owns_collection ? " and owns the collection" : "");
  return 0;
}

int Name(Tool& tool, const Choice& choice) {
  if (CountCharacters(choice.name) > kMostName) throw UsageError("a name has at most 100 characters");
  const Account account = tool.Find(choice.user);
  tool.context().Write<PersonStore>([&](PersonStore& people) { people.SetName(account.id, choice.name); });
  std::printf("others see %s as %s\n", account.name.c_str(), choice.name.c_str());
  return 0;
}

std::optional<bool> YesOrNo(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text == "yes";
}

void RequireDeckId(const std::string& id) {
  if (!decks::IsUuid(id)) throw UsageError("a deck is named by its id, not " + id);
}

int Mark(Tool& tool, const Choice& choice) {
  RequireDeckId(choice.deck);
  const bool is_done = tool.context().Write<DeckStore>([&](DeckStore& store) {
    return store.Mark(choice.deck, YesOrNo(choice.is_verified), YesOrNo(choice.is_featured));
  });
  if (!is_done) throw Refusal("there is no deck " + choice.deck);
  std::printf("marked %s\n", choice.deck.c_str());
  return 0;
}

int Announce(Tool& tool, const Choice& choice) {
  if (!choice.deck.empty()) RequireDeckId(choice.deck);
  const auto fits = [](const std::string& text, std::size_t most) {
    return !text.empty() && CountCharacters(text) <= most;
  };
  if (!fits(choice.title, kMostTitle) || !fits(choice.message, kMostMessage))
    throw UsageError("a title has 1 to 200 characters, and a message 1 to 5,000");
  decks::NewNotice notice{.type = "announcement", .title = choice.title, .message = choice.message};
  if (!choice.deck.empty()) notice.deck_public_id = choice.deck;
  notice.metadata = JsonWriter().Object().Add("priority", choice.priority).Finish();
  const std::int64_t told =
      tool.context().Write<PersonStore>([&](PersonStore& people) { return people.TellFollowers(notice); });
  std::printf("told %lld accounts\n", static_cast<long long>(told));
  return 0;
}

// The context of an account has no roles: the command does what that account could do itself.
int Deliver(Tool& tool, const Choice& choice) {
  RequireDeckId(choice.deck);
  const Account account = tool.Find(choice.user);
  Context& context = tool.ContextOf(account.id);
  if (choice.stop_keeping.empty()) {
    decks::DeliveryChoice started{.removed = {}, .restores_deleted = choice.restores_deleted};
    if (const auto deletes = YesOrNo(choice.deletes_removed))
      started.removed = *deletes ? decks::RemovedNotes::kDeleted : decks::RemovedNotes::kSuspended;
    decks::StartDelivery(context, choice.deck, started);
  } else {
    decks::StopDelivery(
        context, choice.deck,
        choice.stop_keeping == "notes" ? decks::NotesAfterwards::kStay : decks::NotesAfterwards::kGo);
  }
  std::printf(choice.stop_keeping.empty() ? "the deck comes into the collection of %s\n"
                                          : "the deck no longer comes into the collection of %s\n",
              account.name.c_str());
  return 0;
}

}  // namespace

void AddPlanCommands(CLI::App& app, Tool& tool) {
  const auto choice = std::make_shared<Choice>();
  const auto run = [&tool, choice](int (*command)(Tool&, const Choice&)) {
    return [&tool, choice, command] {
      tool.command = [&tool, choice, command] { return command(tool, *choice); };
    };
  };
  CLI::App* group = app.add_subcommand("plan", "Who may own how many shared decks");
  group->require_subcommand(1);
  group->add_subcommand("list", "All plans")->callback(run(List));

  CLI::App* set = group->add_subcommand("set", "Make a plan, or change it");
  set->add_option("PLAN", choice->plan,
                  "free: of whoever has no other; collection: of owners of the collection")
      ->required();
  set->add_option("--max-decks", choice->max_decks, "Decks that its holders may own")
      ->required()
      ->check(CLI::Range(0, kMostDecks));
  set->callback(run(Set));

  CLI::App* give = group->add_subcommand("give", "Give an account a plan");
  give->add_option("USER", choice->user)->required();
  give->add_option("PLAN", choice->plan)->required();
  give->add_option("--until", choice->until, "Its last day");
  give->add_flag("--lifetime", choice->is_lifetime, "It never ends");
  CLI::Option* owns =
      give->add_flag("--collection", choice->owns_collection, "The account owns the collection, too");
  give->add_flag("--no-collection", choice->loses_collection, "It does not; without either it stays as it is")
      ->excludes(owns);
  give->callback(run(Give));

  CLI::App* name = group->add_subcommand("name", "How others see an account");
  name->add_option("USER", choice->user)->required();
  name->add_option("NAME", choice->name)->required();
  name->callback(run(Name));

  CLI::App* deck = app.add_subcommand("deck", "Shared decks");
  deck->require_subcommand(1);
  CLI::App* mark = deck->add_subcommand("mark", "Say that a deck is verified or featured");
  mark->add_option("DECK", choice->deck, "Its id")->required();
  mark->add_option("--verified", choice->is_verified)->check(CLI::IsMember({"yes", "no"}));
  mark->add_option("--featured", choice->is_featured)->check(CLI::IsMember({"yes", "no"}));
  mark->callback(run(Mark));

  CLI::App* deliver = deck->add_subcommand("deliver", "Bring a deck into the collection of a subscriber");
  deliver->add_option("DECK", choice->deck, "Its id")->required();
  deliver->add_option("USER", choice->user)->required();
  deliver->add_option("--delete-removed", choice->deletes_removed, "Delete notes of removed cards")
      ->check(CLI::IsMember({"yes", "no"}));
  deliver->add_flag("--restore-deleted", choice->restores_deleted, "Bring notes again that were deleted");
  deliver->add_option("--stop-keeping", choice->stop_keeping, "End it, and keep its notes or nothing")
      ->check(CLI::IsMember({"notes", "nothing"}));
  deliver->callback(run(Deliver));

  CLI::App* announce = deck->add_subcommand("announce", "Tell everybody who has to do with shared decks");
  announce->add_option("TITLE", choice->title)->required();
  announce->add_option("MESSAGE", choice->message)->required();
  announce->add_option("--followers-of", choice->deck, "Only those who follow the deck with this id");
  announce->add_option("--priority", choice->priority)->check(CLI::IsMember({"low", "normal", "high"}));
  announce->callback(run(Announce));
}

}  // namespace syncline::admin
