#include "handlers/decks/publishing/suggestion_flow.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "handlers/base/json.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/utf8.h"
#include "handlers/decks/dialect/tag_rules.h"

namespace syncline::decks {
namespace {

// Of one account in one deck.
constexpr std::int64_t kMaxPending = 5000, kMaxPendingBytes = 16 << 20;

std::string MetadataOf(const Deck& deck, std::int64_t number, const Suggestion* suggestion,
                       std::string_view note) {
  JsonWriter json;
  json.Object()
      .Add("deck_title", deck.shown.title)
      .Add("suggestion_id", PrintId(IdKind::kSuggestion, {deck.id, number}));
  if (suggestion != nullptr) {
    json.Add("card_guid", suggestion->guid).Add("field_name", suggestion->field).Add("note", note);
  }
  return json.Finish();
}

std::pair<UserId, NewNotice> NoticeOf(const Deck& deck, const Suggestion& suggestion,
                                      const Decision& decision) {
  std::string message =
      decision.accepts ? "Your suggestion for the deck " : "Your suggestion was not taken for the deck ";
  message += deck.shown.title;
  message += decision.accepts ? " was accepted." : ".";
  if (!decision.note.empty()) message.append(" ").append(decision.note);
  return {suggestion.contributor,
          {.type = decision.accepts ? "suggestion_accepted" : "suggestion_rejected",
           .title = decision.accepts ? "Suggestion accepted" : "Suggestion not taken",
           .message = message,
           .deck_public_id = deck.shown.id,
           .metadata = MetadataOf(deck, suggestion.number, &suggestion, decision.note)}};
}

// What a suggestion would change of this card.
std::optional<std::string> PresentIn(const Suggestion& suggestion, const Fields& fields,
                                     const std::string& tags) {
  if (suggestion.kind == "delete") return "";
  if (suggestion.kind == "tags") return tags;
  const FieldValue* field = FindField(fields, suggestion.field);
  return field == nullptr ? std::nullopt : std::optional(field->json);
}

bool IsStale(const Suggestion& suggestion, const std::optional<std::string>& present) {
  return suggestion.kind != "delete" && present != suggestion.base_value;
}

// Cards as the suggestions that are accepted so far would leave them.
class Draft {
 public:
  Draft(CardStore& cards, DeckId deck, const std::vector<Suggestion>& suggestions) {
    std::set<std::string> guids;
    for (const Suggestion& one : suggestions) guids.insert(one.guid);
    for (const Card& card : cards.Find(deck, {guids.begin(), guids.end()})) {
      if (card.removed_seq) continue;
      cards_[card.guid].card = {card.guid, card.content.note_type, ParseFields(card.content.fields),
                                card.content.tags, std::nullopt};
    }
  }

  // None: its card is gone.
  std::optional<std::string> PresentOf(const Suggestion& suggestion) const {
    const auto found = cards_.find(suggestion.guid);
    if (found == cards_.end() || found->second.is_removed) return std::nullopt;
    return PresentIn(suggestion, found->second.card.fields, *found->second.card.tags);
  }

  void Accept(const Suggestion& suggestion, const std::string& value) {
    Drafted& drafted = cards_.at(suggestion.guid);
    drafted.is_changed = true;
    drafted.authors[suggestion.field] = drafted.authors[""] = suggestion.contributor;
    if (suggestion.kind == "delete") drafted.is_removed = true;
    if (suggestion.kind == "tags") drafted.card.tags = value;
    if (suggestion.kind != "field") return;
    if (FieldValue* field = FindField(drafted.card.fields, suggestion.field)) field->json = value;
  }

  void MoveTo(Push& push) {
    for (auto& [guid, drafted] : cards_) {
      if (!drafted.is_changed) continue;
      if (drafted.is_removed) {
        push.removed.push_back(guid);
      } else if (IsTooLarge(drafted.card.fields)) {
        throw BadInput("card_too_large");
      } else {
        push.cards.push_back(std::move(drafted.card));
      }
    }
    push.author = [this](const std::string& guid, const std::string& field) {
      return cards_.at(guid).authors.at(field);
    };
  }

 private:
  struct Drafted {
    PushedCard card{};
    bool is_changed = false, is_removed = false;
    std::map<std::string, UserId> authors{};  // by field; "": the last one
  };
  std::map<std::string, Drafted> cards_;
};

std::string_view OutcomeOf(const Suggestion& suggestion, const Decision& decision, const Draft& draft) {
  if (suggestion.state != "pending") return "decided_before";
  if (!decision.accepts) return "rejected";
  const auto present = draft.PresentOf(suggestion);
  if (!present) return "card_gone";
  return IsStale(suggestion, present) && !decision.is_forced ? "stale" : "accepted";
}

}  // namespace

bool IsTooLongToSuggest(std::string_view json) {
  if (json.size() <= kMaxSuggestedCharacters) return false;
  const JsonSpans spans(json, /*record_depth=*/0);
  return CountCharacters(spans.Text(spans.Root())) > kMaxSuggestedCharacters;
}

std::vector<std::int64_t> Suggest(const DeckWriter& to, PersonStore& people, const Deck& deck,
                                  const std::vector<NewSuggestion>& added) {
  if (std::ssize(added) > kMaxPending) throw BadInput("too_many_suggestions");
  auto [numbers, new_numbers] = to.suggestions.Add(deck.id, added);
  // A repeated call is told once.
  if (new_numbers.empty()) return numbers;
  const PendingAmount pending = to.suggestions.Pending(deck.id);
  if (pending.count > kMaxPending || pending.bytes > kMaxPendingBytes) throw BadInput("too_many_suggestions");
  people.Tell(to.decks.Editors(deck.id),
              {.type = "suggestion_received",
               .title = "Suggestions for " + deck.shown.title,
               .message = std::to_string(new_numbers.size()) +
                          (new_numbers.size() == 1 ? " change was" : " changes were") + " suggested.",
               .deck_public_id = deck.shown.id,
               .metadata = MetadataOf(deck, new_numbers.front(), nullptr, "")});
  return numbers;
}

bool IsProtected(const Deck& deck, const std::string& field) {
  return std::any_of(deck.protected_fields.begin(), deck.protected_fields.end(),
                     [&](const std::string& name) { return Folded(name) == Folded(field); });
}

std::optional<std::string> PresentOf(const Suggestion& suggestion) {
  if (!suggestion.card_fields) return std::nullopt;
  return PresentIn(suggestion, ParseFields(*suggestion.card_fields), suggestion.card_tags.value_or(""));
}

bool IsStale(const Suggestion& suggestion) {
  return IsStale(suggestion, PresentOf(suggestion));
}

std::vector<Decided> Decide(const DeckWriter& to, PersonStore& people, const Deck& deck, UserId reviewer,
                            const std::vector<std::int64_t>& numbers, const Decision& decision) {
  const auto locked = to.suggestions.Lock(deck.id, numbers);
  Draft draft(to.cards, deck.id, decision.accepts ? locked : std::vector<Suggestion>());
  std::vector<Decided> all;
  std::vector<std::int64_t> taken;
  std::vector<std::pair<UserId, NewNotice>> notices;
  for (const Suggestion& one : locked) {
    all.push_back({one.number, OutcomeOf(one, decision, draft), std::nullopt});
    if (all.back().outcome != "accepted" && all.back().outcome != "rejected") continue;
    if (decision.accepts) draft.Accept(one, decision.value.value_or(one.value));
    taken.push_back(one.number);
    notices.push_back(NoticeOf(deck, one, decision));
  }
  if (taken.empty()) return all;
  std::optional<Version> version;
  if (decision.accepts) {
    Push push;
    push.who = reviewer;
    push.origin = "suggestion";
    push.suggestions = taken;
    draft.MoveTo(push);
    version = ApplyPush(to, deck, std::move(push)).version;
  }
  to.suggestions.Decide(deck.id, taken, decision.accepts ? "accepted" : "rejected", reviewer, decision.note,
                        version);
  people.TellEach(notices);
  for (Decided& one : all) {
    if (one.outcome == "accepted") one.version = version;
  }
  return all;
}

}  // namespace syncline::decks
