#include "handlers/decks/publishing/suggestion_store.h"

#include <map>
#include <set>
#include <tuple>

#include "handlers/base/sha256.h"
#include "sql/queries/decks.h"

namespace syncline::decks {
namespace {

Suggestion ReadSuggestion(const sql::Row& row) {
  Suggestion found{.number = row["suggestion_no"].As<std::int64_t>(),
                   .contributor = row["user_id"].As<UserId>(),
                   .guid = row["guid"].As<std::string>(),
                   .kind = row["kind"].As<std::string>(),
                   .field = row["field"].As<std::string>(),
                   .base_value = row["base_value"].As<std::string>(),
                   .value = row["value"].As<std::string>(),
                   .reason = row["reason"].As<std::string>(),
                   .state = row["state"].As<std::string>(),
                   .note = row["note"].As<std::string>(),
                   .base_version = row["base_version"].As<std::optional<Version>>(),
                   .applied_version = row["applied_version"].As<std::optional<Version>>(),
                   .reviewer = row["reviewer_id"].As<std::optional<UserId>>(),
                   .created_at = row["created_at"].As<sql::Time>(),
                   .reviewed_at = row["reviewed_at"].As<std::optional<sql::Time>>(),
                   .card_fields = std::nullopt,
                   .card_tags = std::nullopt,
                   .deck = {},
                   .deck_public_id = {},
                   .deck_title = {}};
  return found;
}

// With its card as it is now.
Suggestion ReadListed(const sql::Row& row) {
  Suggestion found = ReadSuggestion(row);
  if (row["is_there"].As<bool>() && !row["fields"].IsNull()) {
    found.card_fields = row["fields"].As<std::string>();
    found.card_tags = row["tags"].As<std::string>();
  }
  found.deck = row["deck_id"].As<DeckId>();
  found.deck_public_id = row["public_id"].As<std::string>();
  found.deck_title = row["title"].As<std::string>();
  return found;
}

SuggestionPage ReadPage(const sql::Rows& rows) {
  SuggestionPage page{{}, rows.empty() ? 0 : rows[0]["total"].As<std::int64_t>()};
  for (const sql::Row row : rows) {
    page.suggestions.push_back({row["deck_id"].As<DeckId>(), row["suggestion_no"].As<std::int64_t>(),
                                row["user_id"].As<UserId>(), row["may_read"].As<bool>(),
                                static_cast<std::size_t>(row["bytes"].As<std::int64_t>())});
  }
  return page;
}

// What makes two pending suggestions the same.
using Key = std::tuple<std::string, std::string, std::string, std::string>;

// Columns of arrays for one statement.
struct Columns {
  std::vector<std::string> guids{}, kinds{}, fields{}, bases{}, values{}, hashes{}, reasons{};
  std::vector<std::int64_t> versions{};  // 0: none

  explicit Columns(const std::vector<NewSuggestion>& suggestions) {
    for (const NewSuggestion& one : suggestions) {
      guids.push_back(one.guid);
      kinds.push_back(one.kind);
      fields.push_back(one.field);
      bases.push_back(one.base_value);
      values.push_back(one.value);
      hashes.push_back(Sha256(one.value));
      reasons.push_back(one.reason);
      versions.push_back(Number(one.base_version.value_or(Version{})));
    }
  }
  Key KeyAt(std::size_t place) const { return {guids[place], kinds[place], fields[place], hashes[place]}; }
};

}  // namespace

AddedSuggestions SuggestionStore::Add(DeckId deck, const std::vector<NewSuggestion>& suggestions) {
  AddedSuggestions added;
  if (suggestions.empty()) return added;
  const Columns all(suggestions);
  std::map<Key, std::int64_t> known;
  for (const sql::Row row : tx_.Query(sql::decks::find_same_suggestions, deck, user_, all.guids, all.kinds,
                                      all.fields, all.hashes)) {
    const std::size_t place = static_cast<std::size_t>(row["place"].As<std::int64_t>()) - 1;
    known.emplace(all.KeyAt(place), row["suggestion_no"].As<std::int64_t>());
  }
  std::vector<NewSuggestion> fresh;
  std::vector<std::size_t> places;
  std::set<Key> seen;
  for (std::size_t i = 0; i < suggestions.size(); ++i) {
    if (known.contains(all.KeyAt(i)) || !seen.insert(all.KeyAt(i)).second) continue;
    fresh.push_back(suggestions[i]);
    places.push_back(i);
  }
  if (!fresh.empty()) {
    const auto count = static_cast<std::int64_t>(fresh.size());
    auto next = tx_.One(sql::decks::count_suggestion, deck, count)["first"].As<std::int64_t>();
    const Columns c(fresh);
    tx_.Execute(sql::decks::add_suggestions, deck, next, user_, c.guids, c.kinds, c.fields, c.bases, c.values,
                c.hashes, c.reasons, c.versions);
    for (const std::size_t place : places) {
      added.new_numbers.push_back(next);
      known.emplace(all.KeyAt(place), next++);
    }
  }
  for (std::size_t i = 0; i < suggestions.size(); ++i) added.numbers.push_back(known.at(all.KeyAt(i)));
  return added;
}

PendingAmount SuggestionStore::Pending(DeckId deck) {
  const auto row = tx_.One(sql::decks::count_pending, deck, user_);
  return {row["count"].As<std::int64_t>(), row["bytes"].As<std::int64_t>()};
}

std::vector<Suggestion> SuggestionStore::Lock(DeckId deck, const std::vector<std::int64_t>& numbers) {
  std::vector<Suggestion> locked;
  for (const sql::Row row : tx_.Query(sql::decks::lock_suggestions, deck, numbers))
    locked.push_back(ReadSuggestion(row));
  return locked;
}

SuggestionPage SuggestionStore::List(DeckId deck, std::string_view state, std::int64_t limit,
                                     std::int64_t offset) {
  return ReadPage(tx_.Query(sql::decks::list_suggestions, deck, state, limit, offset));
}

SuggestionPage SuggestionStore::ListOwn(std::int64_t limit, std::int64_t offset) {
  return ReadPage(tx_.Query(sql::decks::list_own_suggestions, user_, limit, offset));
}

std::vector<Suggestion> SuggestionStore::Read(const std::vector<ListedSuggestion>& listed) {
  std::vector<std::int64_t> decks, numbers, may_read;
  for (const ListedSuggestion& one : listed) {
    decks.push_back(static_cast<std::int64_t>(one.deck));
    numbers.push_back(one.number);
    may_read.push_back(one.may_read ? 1 : 0);
  }
  std::vector<Suggestion> found;
  for (const sql::Row row : tx_.Query(sql::decks::read_suggestions, decks, numbers, may_read))
    found.push_back(ReadListed(row));
  return found;
}

void SuggestionStore::Decide(DeckId deck, const std::vector<std::int64_t>& numbers, std::string_view state,
                             std::optional<UserId> reviewer, std::string_view note,
                             std::optional<Version> version) {
  if (!numbers.empty())
    tx_.Execute(sql::decks::decide_suggestions, deck, numbers, state, reviewer, note, version);
}

void SuggestionStore::Supersede(DeckId deck, const std::vector<std::string>& guids,
                                const std::vector<std::int64_t>& asked_by) {
  tx_.Execute(sql::decks::supersede_suggestions, deck, guids, asked_by);
}

std::vector<PendingEdit> SuggestionStore::PendingEdits(DeckId deck, const std::vector<std::string>& guids) {
  std::vector<PendingEdit> edits;
  for (const sql::Row row : tx_.Query(sql::decks::list_pending_edits, deck, user_, guids)) {
    edits.push_back({row["suggestion_no"].As<std::int64_t>(), row["guid"].As<std::string>(),
                     row["field"].As<std::string>(), row["base_value"].As<std::string>(),
                     row["value"].As<std::string>()});
  }
  return edits;
}

std::vector<ShownConflict> SuggestionStore::ShownConflicts(DeckId deck, DeviceId device,
                                                           const std::vector<std::string>& guids) {
  std::vector<ShownConflict> shown;
  for (const sql::Row row : tx_.Query(sql::decks::list_shown_conflicts, deck, user_, device, guids)) {
    shown.push_back({row["guid"].As<std::string>(), row["field"].As<std::string>(),
                     row["seq"].As<std::int64_t>(), row["suggestion_no"].As<std::int64_t>()});
  }
  return shown;
}

void SuggestionStore::NoteConflicts(DeckId deck, DeviceId device,
                                    const std::vector<ShownConflict>& conflicts) {
  if (conflicts.empty()) return;
  std::vector<std::string> guids, fields;
  std::vector<std::int64_t> seqs, numbers;
  for (const ShownConflict& one : conflicts) {
    guids.push_back(one.guid);
    fields.push_back(one.field);
    seqs.push_back(one.seq);
    numbers.push_back(one.number);
  }
  tx_.Execute(sql::decks::note_conflicts, deck, user_, device, guids, fields, seqs, numbers);
}

}  // namespace syncline::decks
