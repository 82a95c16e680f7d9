#pragma once
// Suggestions: changes proposed by those who may not make them. Until they are decided they are also their author's pending
// edits, which meet changes of others. Whoever adds or decides holds the deck's lock.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "handlers/base/ids.h"
#include "handlers/decks/dialect/id_wire.h"
#include "handlers/decks/dialect/version_rules.h"
#include "sql/tx.h"

namespace syncline::decks {

struct NewSuggestion {
  std::string guid{};
  std::string kind = "field";  ///< field, tags, delete
  std::string field{};
  std::string base_value{}, value{};  ///< JSON strings of a field, joined tags, or nothing
  std::string reason{};
  std::optional<Version> base_version{};
};

struct AddedSuggestions {
  std::vector<std::int64_t> numbers{};      ///< in the order of the suggestions
  std::vector<std::int64_t> new_numbers{};  ///< those that were not there
};
/// What of an account waits for a decision in one deck.
struct PendingAmount {
  std::int64_t count = 0, bytes = 0;
};

struct Suggestion {
  std::int64_t number = 0;
  UserId contributor{};
  std::string guid{}, kind{}, field{}, base_value{}, value{}, reason{}, state{}, note{};
  std::optional<Version> base_version{}, applied_version{};
  std::optional<UserId> reviewer{};
  sql::Time created_at{};
  std::optional<sql::Time> reviewed_at{};
  // The card now. None: it is not there.
  std::optional<std::string> card_fields{}, card_tags{};
  // Of lists: the title is empty if the account may no longer read the deck.
  DeckId deck{};
  std::string deck_public_id{}, deck_title{};
};

/// One of a page. Its texts may have up to 3 MiB, so they are read a few at a time.
struct ListedSuggestion {
  DeckId deck{};
  std::int64_t number = 0;
  UserId contributor{};
  bool may_read = false;  ///< whether the account may read the deck
  std::size_t bytes = 0;  ///< about what Read returns for it
};

struct SuggestionPage {
  std::vector<ListedSuggestion> suggestions{};
  std::int64_t total = 0;
};

/// An edit of the account that nobody has decided on.
struct PendingEdit {
  std::int64_t number = 0;
  std::string guid{}, field{}, base_json{}, json{};
};

struct ShownConflict {
  std::string guid{}, field{};
  std::int64_t seq = 0, number = 0;
};

class SuggestionStore {
 public:
  SuggestionStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// Of one that says what a pending one says, that one's number.
  AddedSuggestions Add(DeckId deck, const std::vector<NewSuggestion>& suggestions);
  PendingAmount Pending(DeckId deck);
  /// Without their cards, by their numbers.
  std::vector<Suggestion> Lock(DeckId deck, const std::vector<std::int64_t>& numbers);
  SuggestionPage List(DeckId deck, std::string_view state, std::int64_t limit, std::int64_t offset);
  /// Of the account, in all decks.
  SuggestionPage ListOwn(std::int64_t limit, std::int64_t offset);
  /// With their cards and decks, in this order.
  std::vector<Suggestion> Read(const std::vector<ListedSuggestion>& listed);
  /// Those that are pending.
  void Decide(DeckId deck, const std::vector<std::int64_t>& numbers, std::string_view state,
              std::optional<UserId> reviewer, std::string_view note, std::optional<Version> version);
  /// Those for cards that were removed, except those that asked for it.
  void Supersede(DeckId deck, const std::vector<std::string>& guids,
                 const std::vector<std::int64_t>& asked_by);

  std::vector<PendingEdit> PendingEdits(DeckId deck, const std::vector<std::string>& guids);
  std::vector<ShownConflict> ShownConflicts(DeckId deck, DeviceId device,
                                            const std::vector<std::string>& guids);
  void NoteConflicts(DeckId deck, DeviceId device, const std::vector<ShownConflict>& conflicts);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::decks
