#pragma once
// Suggestions on their way to a decision.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/decks/catalogue/person_store.h"
#include "handlers/decks/publishing/push_flow.h"
#include "handlers/decks/publishing/suggestion_store.h"

namespace syncline::decks {

/// As WriteDeck, for a function of a DeckWriter and a PersonStore: somebody is told of it.
template <typename F>
auto WriteDeckAndTell(Context& context, F block) {
  return WriteDeck<PersonStore>(context, block);
}

/// Of a suggested value. What its contributor saw may be as long as any field of a card.
inline constexpr std::size_t kMaxSuggestedCharacters = 100'000;
/// `json`: a JSON string.
bool IsTooLongToSuggest(std::string_view json);

/// Keeps suggestions, tells those who may decide of new ones, and returns their numbers. Throws Error BadInput
/// "too_many_suggestions" if more of the account would wait in this deck than 5,000 or 16 MiB.
std::vector<std::int64_t> Suggest(const DeckWriter& to, PersonStore& people, const Deck& deck,
                                  const std::vector<NewSuggestion>& added);

/// Whether the reader of this deck keeps the field as their own: what they write there is not for others.
bool IsProtected(const Deck& deck, const std::string& field);

/// Whether what it changes has changed since it was made.
bool IsStale(const Suggestion& suggestion);
/// What it would change now: a JSON string, joined tags, or nothing. None: its card is gone.
std::optional<std::string> PresentOf(const Suggestion& suggestion);

struct Decision {
  bool accepts = false;
  std::optional<std::string> value{};  ///< instead of the suggested one: a JSON string
  std::string note{};                  ///< for the contributor
  bool is_forced = false;              ///< although it is stale
};

/// What became of one suggestion: accepted, rejected, or why not.
struct Decided {
  std::int64_t number = 0;
  std::string_view outcome{};  ///< accepted, rejected, stale, card_gone, decided_before
  std::optional<Version> version{};
};

/// Decides on several, in the order of their numbers. Accepted ones make one version together, in the names of their
/// contributors, who are told. Throws Error BadInput "card_too_large".
std::vector<Decided> Decide(const DeckWriter& to, PersonStore& people, const Deck& deck, UserId reviewer,
                            const std::vector<std::int64_t>& numbers, const Decision& decision);

}  // namespace syncline::decks
