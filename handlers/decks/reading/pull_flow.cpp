#include "handlers/decks/reading/pull_flow.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "handlers/decks/cards/card_wire.h"

namespace syncline::decks {
namespace {

using FieldOfCard = std::pair<std::string, std::string>;

struct Start {
  std::int64_t seq = 0;
  std::optional<std::int64_t> told{};  ///< a place that the client knows
  bool is_reset = false;
};

// `place`: what the computer has itself downloaded or told.
Start StartOf(CardStore& cards, const Deck& deck, const PullRequest& request, std::int64_t place) {
  if (const auto* change = std::get_if<SeenChange>(&request.cursor)) {
    const auto id = ParseId(IdKind::kChange, change->id);
    if (id && id->deck == deck.id && id->number <= deck.head_seq) return {id->number, id->number, false};
    return {0, std::nullopt, true};
  }
  if (const auto* time = std::get_if<SeenTime>(&request.cursor)) {
    if (time->has_zone) return {cards.SeqAt(deck.id, time->time), std::nullopt, false};
    const std::int64_t early = cards.SeqAt(deck.id, time->time - kEasternmost);
    // At least the first download of the account, which may have been another computer's.
    return {std::max(early, place > 0 ? place : deck.baseline_seq.value_or(0)), std::nullopt, false};
  }
  return {deck.baseline_seq.value_or(0), std::nullopt, false};
}

// The entries of one row of the log.
void Expand(const PulledChange& row, std::vector<PulledEntry>& entries) {
  const Fields fields = ParseFields(row.fields);
  PulledEntry entry{.seq = row.seq,
                    .guid = row.guid,
                    .field = std::nullopt,
                    .kind = row.kind == "add" || row.is_new ? "add" : "modify",
                    .old_json = row.is_new ? std::string(kEmptyText) : row.old_value,
                    .json = "",
                    .version = row.version,
                    .created_at = row.created_at};
  for (const FieldValue& field : fields) {
    const auto& later = row.later_fields;
    const bool is_meant = row.kind == "add" ? std::find(later.begin(), later.end(), field.name) == later.end()
                                            : field.name == row.field;
    if (!is_meant) continue;
    entry.field = field.name;
    entry.json = field.json;
    entries.push_back(entry);
  }
  // A field that the card has lost is empty for those who know it.
  for (const std::string& name : row.changed_fields) {
    if (FindField(fields, name) != nullptr) continue;
    entry.kind = "modify";
    entry.field = name;
    entry.json = kEmptyText;
    entries.push_back(entry);
  }
  if (row.kind == "modify" && FindField(fields, row.field) == nullptr && entry.old_json != kEmptyText) {
    entry.field = row.field;
    entry.json = kEmptyText;
    entries.push_back(entry);
  }
}

// Takes from the entries what meets a pending edit of the account.
class Meeting {
 public:
  Meeting(SuggestionStore& suggestions, const Deck& deck, DeviceId device,
          const std::vector<std::string>& guids, std::int64_t known)
      : known_(known) {
    if (guids.empty()) return;
    for (PendingEdit& edit : suggestions.PendingEdits(deck.id, guids))
      edits_.emplace(FieldOfCard(edit.guid, edit.field), std::move(edit));
    for (ShownConflict& one : suggestions.ShownConflicts(deck.id, device, guids))
      shown_.emplace(FieldOfCard(one.guid, one.field), std::move(one));
  }

  /// Whether the entry stays in the list.
  bool Passes(const PulledEntry& entry, std::vector<PulledConflict>& conflicts) const {
    const FieldOfCard key(entry.guid, *entry.field);
    const auto shown = shown_.find(key);
    if (shown != shown_.end() && shown->second.seq >= entry.seq) return false;
    const auto edit = edits_.find(key);
    if (edit == edits_.end() || edit->second.json == entry.json) return true;
    // An edit is told to conflict once. What comes later are changes like all others.
    if (shown != shown_.end() && shown->second.number == edit->second.number) return true;
    // What was edited is what is there. Another computer of the account may not have it yet.
    if (edit->second.base_json == entry.json) return entry.seq > known_;
    conflicts.push_back(
        {entry.guid, *entry.field, edit->second.json, entry.json, entry.seq, edit->second.number});
    return false;
  }

 private:
  std::int64_t known_;  // the part of the log that this computer is known to have
  std::map<FieldOfCard, PendingEdit> edits_;
  std::map<FieldOfCard, ShownConflict> shown_;
};

std::vector<std::string> GuidsOf(const std::vector<PulledChange>& rows) {
  std::set<std::string> guids;
  for (const PulledChange& row : rows) guids.insert(row.guid);
  return {guids.begin(), guids.end()};
}

void NoteConflicts(SuggestionStore& suggestions, const Deck& deck, DeviceId device,
                   const std::vector<PulledConflict>& conflicts) {
  std::vector<ShownConflict> shown;
  for (const PulledConflict& one : conflicts) shown.push_back({one.guid, one.field, one.seq, one.number});
  suggestions.NoteConflicts(deck.id, device, shown);
}

}  // namespace

Pulled PullChanges(CardStore& cards, ReaderStore& readers, SuggestionStore& suggestions, const Deck& deck,
                   const PullRequest& request) {
  const std::int64_t place = readers.PlaceOf(deck.id, request.device).seq;
  const Start start = StartOf(cards, deck, request, place);
  Pulled pulled;
  pulled.is_reset = start.is_reset;
  const auto [rows, has_more] = cards.ChangesSince(deck.id, start.seq, deck.head_seq, request.limit);
  pulled.has_more = has_more;
  const std::int64_t end = pulled.has_more ? rows.back().seq : deck.head_seq;
  const Meeting meeting(suggestions, deck, request.device, GuidsOf(rows), place);
  for (const PulledChange& row : rows) {
    std::vector<PulledEntry> entries;
    Expand(row, entries);
    for (PulledEntry& entry : entries) {
      if (meeting.Passes(entry, pulled.conflicts)) pulled.entries.push_back(std::move(entry));
    }
  }
  for (const RemovedCard& card : cards.RemovedSince(deck.id, start.seq, end)) {
    pulled.entries.push_back({.seq = card.seq,
                              .guid = card.guid,
                              .field = std::nullopt,
                              .kind = "delete",
                              .version = card.version,
                              .created_at = card.created_at});
  }
  std::stable_sort(pulled.entries.begin(), pulled.entries.end(),
                   [](const PulledEntry& a, const PulledEntry& b) { return a.seq < b.seq; });
  pulled.revived = cards.RevivedSince(deck.id, start.seq, end);
  NoteConflicts(suggestions, deck, request.device, pulled.conflicts);
  if (!pulled.entries.empty()) {
    pulled.last_seq = pulled.entries.back().seq;
  } else if (pulled.has_more || !pulled.conflicts.empty()) {
    pulled.last_seq = end;
  } else if (start.told || deck.head_seq > 0) {
    pulled.last_seq = start.told.value_or(deck.head_seq);
  }
  if (start.told) {
    readers.NotePosition(deck.id, request.device, *start.told);
    readers.NotePull(
        deck.id, *start.told >= deck.head_seq ? deck.shown.version : cards.VersionAt(deck.id, *start.told));
  } else {
    readers.NotePull(deck.id, std::nullopt);
  }
  return pulled;
}

}  // namespace syncline::decks
