#include "handlers/decks/publishing/push_flow.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "handlers/base/json_writer.h"
#include "handlers/decks/cards/card_rules.h"
#include "handlers/decks/dialect/error_wire.h"
#include "handlers/decks/dialect/tag_rules.h"

namespace syncline::decks {
namespace {

// A push may remove all cards of a deck of any size, so they are read in steps of bounded memory.
constexpr std::size_t kRemovedAtOnce = 200;

// A push under way.
struct Work {
  const DeckWriter& to;
  const Deck& deck;
  Push& push;
  Change change{};
  std::int64_t seq{};  // of the last log entry
  std::int64_t next_ord{};
  std::int64_t card_count{};
  std::string content_hash{};
  std::vector<SavedCard> saved{};   // staged
  std::vector<LogEntry> entries{};  // staged
  Pushed result{};
  std::int64_t growth = 0;         // bytes of texts
  std::optional<SeenPart> seen{};  // only for a copy that is behind the deck
};

std::vector<std::string> GuidsOf(const std::vector<PushedCard>& cards) {
  std::vector<std::string> guids;
  for (const PushedCard& card : cards) guids.push_back(card.guid);
  return guids;
}

std::unordered_map<std::string, Card> StoredCards(CardStore& store, DeckId deck,
                                                  const std::vector<PushedCard>& pushed) {
  std::unordered_map<std::string, Card> stored;
  if (pushed.empty()) return stored;
  for (Card& card : store.Find(deck, GuidsOf(pushed))) stored.emplace(card.guid, std::move(card));
  return stored;
}

std::vector<std::string> NamesOf(const Fields& fields) {
  std::vector<std::string> names;
  for (const FieldValue& field : fields) names.push_back(field.name);
  return names;
}

// Gives each card the deck's spelling of its note type's name, and adds the card's fields to the note type. Clients never
// send note types, so this is how the deck gets them.
void LearnNoteTypes(Work& work, const std::unordered_map<std::string, Card>& stored) {
  std::set<std::string> asked;
  for (const PushedCard& card : work.push.cards) {
    asked.insert(card.note_type);
    asked.emplace(OriginalName(card.note_type));
  }
  std::map<std::string, NoteType> known;  // by the name without case
  std::set<std::string> changed;
  if (!asked.empty()) {
    for (NoteType& type : work.to.cards.FindNoteTypes(work.deck.id, {asked.begin(), asked.end()}))
      known.emplace(Folded(type.name), std::move(type));
  }
  for (PushedCard& card : work.push.cards) {
    const auto names = NamesOf(card.fields);
    const std::string original(OriginalName(card.note_type));
    // The contributor's Anki may have renamed its copy of the note type.
    if (const auto old = stored.find(card.guid);
        old != stored.end() && old->second.content.note_type == original)
      card.note_type = original;
    const auto base = known.find(Folded(original));
    if (!known.contains(Folded(card.note_type)) && base != known.end() && base->second.fields == names)
      card.note_type = base->second.name;
    auto [type, is_new] = known.try_emplace(Folded(card.note_type), NoteType{.name = card.note_type});
    auto all = Union(type->second.fields, names);
    if (all.size() > kMaxFields) throw BadInput("too_many_fields");
    if (is_new || all != type->second.fields) changed.insert(type->first);
    type->second.fields = std::move(all);
    card.note_type = type->second.name;
  }
  for (const std::string& key : changed)
    work.growth += work.to.cards.SaveNoteType(work.change, known.at(key));
}

// The part of the log that the pusher has seen. Empty if it has seen everything.
std::optional<SeenPart> PartToMerge(const Work& work) {
  if (!work.push.is_copy || work.push.device == DeviceId{}) return std::nullopt;
  const auto place = work.to.readers.PlaceOf(work.deck.id, work.push.device);
  if (place.whole_seq >= work.deck.head_seq) return std::nullopt;
  return SeenPart{place.pushed_seq, place.whole_seq, work.push.who,
                  place.is_own ? work.push.device : DeviceId{}};
}

// Whether others have removed a card that the pusher still has and has not changed.
bool StaysRemoved(const Card& stored, const std::vector<UnseenChange>& changes, const PushedCard& pushed) {
  const bool was_removed = stored.removed_seq && !stored.is_cleared &&
                           std::any_of(changes.begin(), changes.end(), [](const UnseenChange& one) {
                             return one.kind == "delete" && !one.is_own;
                           });
  return was_removed && Compare(stored.content, pushed).IsEmpty();
}

// Restores what others have changed since this computer last pulled, unless this computer has changed the same value.
void KeepForeignChanges(Work& work, const std::unordered_map<std::string, Card>& stored) {
  if (!work.seen || stored.empty()) return;
  const auto unseen = work.to.cards.Unseen(work.deck.id, *work.seen, GuidsOf(work.push.cards));
  const auto gone = std::erase_if(work.push.cards, [&](PushedCard& card) {
    const auto old = stored.find(card.guid);
    const auto changes = unseen.find(card.guid);
    if (old == stored.end() || changes == unseen.end()) return false;
    work.result.kept += KeepUnseen(old->second.content, changes->second, card);
    return StaysRemoved(old->second, changes->second, card);
  });
  work.result.kept += static_cast<std::int64_t>(gone);
  work.result.processed += static_cast<std::int64_t>(gone);
}

UserId AuthorOf(const Work& work, const std::string& guid, const std::string& field) {
  return work.push.author ? work.push.author(guid, field) : work.push.who;
}

void Log(Work& work, const std::string& guid, const char* kind, const std::string& field = "",
         const std::string& old_value = "") {
  work.entries.push_back({guid, kind, field, old_value, AuthorOf(work, guid, field)});
  ++work.seq;
}

void LogChange(Work& work, const std::string& guid, const CardChange& change) {
  for (const FieldChange& field : change.fields) Log(work, guid, "modify", field.name, field.old_json);
  if (change.old_tags) Log(work, guid, "tags", "", *change.old_tags);
  if (change.old_type) Log(work, guid, "type", "", *change.old_type);
  if (change.old_path) Log(work, guid, "path", "", *change.old_path);
}

// Adds a card to those that the next WriteStaged writes, and to the hash of the deck.
SavedCard& StageCard(Work& work, const std::string& guid, CardContent content) {
  SavedCard& saved = work.saved.emplace_back();
  saved.guid = guid;
  saved.who = AuthorOf(work, guid, "");
  saved.hash = HashOfCard(guid, content);
  saved.content = std::move(content);
  work.content_hash = AddHash(work.content_hash, saved.hash);
  return saved;
}

void AddCard(Work& work, const PushedCard& pushed, CardContent content, bool has_ord) {
  Log(work, pushed.guid, "add");
  SavedCard& saved = StageCard(work, pushed.guid, std::move(content));
  saved.added_seq = work.seq;
  if (!has_ord) saved.new_ord = work.next_ord++;
  ++work.result.added;
  ++work.card_count;
}

void ReviveCard(Work& work, const Card& stored, const CardChange& change) {
  Log(work, stored.guid, "revive");
  LogChange(work, stored.guid, change);
  StageCard(work, stored.guid, change.next);
  ++work.card_count;
  // Removed by an earlier batch of the same version, so subscribers never see the removal.
  if (stored.version == work.change.version) {
    --work.result.removed;
    if (!change.IsEmpty()) ++work.result.modified;
  } else {
    ++work.result.added;
  }
}

void ChangeCard(Work& work, const Card& stored, const CardChange& change) {
  LogChange(work, stored.guid, change);
  work.content_hash = TakeHash(work.content_hash, stored.hash);
  StageCard(work, stored.guid, change.next);
  ++work.result.modified;
}

void TakeCards(Work& work, const std::unordered_map<std::string, Card>& stored) {
  for (const PushedCard& pushed : work.push.cards) {
    ++work.result.processed;
    const auto found = stored.find(pushed.guid);
    if (found == stored.end()) {
      AddCard(work, pushed, ContentOf(pushed), /*has_ord=*/false);
      continue;
    }
    const Card& card = found->second;
    const CardChange change = Compare(card.content, pushed);
    if (!card.removed_seq) {
      if (!change.IsEmpty()) ChangeCard(work, card, change);
    } else if (card.is_cleared) {
      ReviveCard(work, card, change);
    } else {
      // Readers get the whole card as a new one. The log entries keep an older copy from undoing the change.
      LogChange(work, card.guid, change);
      AddCard(work, pushed, change.next, /*has_ord=*/true);
    }
  }
}

// The cards to remove. Never those of the push itself.
std::vector<std::string> RemovedGuids(const Work& work) {
  std::vector<std::string> pushed = GuidsOf(work.push.cards);
  if (work.push.removes_others && !work.push.begins_anew && work.seen && work.seen->seq > 0) {
    // It cannot name cards that it has never had, so they stay.
    const auto added = work.to.cards.UnseenCards(work.deck.id, *work.seen);
    pushed.insert(pushed.end(), added.begin(), added.end());
  }
  if (work.push.begins_anew || work.push.removes_others)
    return work.to.cards.GuidsBeside(work.deck.id, pushed);
  if (work.push.removed.empty()) return {};
  const std::unordered_set<std::string> stays(pushed.begin(), pushed.end());
  std::vector<std::string> removed;
  for (const std::string& guid : work.push.removed) {
    if (!stays.contains(guid)) removed.push_back(guid);
  }
  return work.to.cards.LiveGuids(work.deck.id, removed);
}

void RemoveCards(Work& work, const std::vector<std::string>& guids) {
  for (const Card& card : work.to.cards.Find(work.deck.id, guids)) {
    if (card.removed_seq) continue;
    Log(work, card.guid, "delete");
    work.content_hash = TakeHash(work.content_hash, card.hash);
    SavedCard saved;
    saved.guid = card.guid;
    saved.who = AuthorOf(work, card.guid, "");
    saved.content = card.content;
    saved.hash = card.hash;
    saved.removed_seq = work.seq;
    saved.is_cleared = work.push.begins_anew;
    work.saved.push_back(std::move(saved));
    ++work.result.removed;
    --work.card_count;
  }
}

void WriteStaged(Work& work) {
  work.growth += work.to.cards.Save(work.change, work.saved);
  const auto count = static_cast<std::int64_t>(work.entries.size());
  work.growth += work.to.cards.AddToLog(work.change, work.seq - count + 1, work.entries);
  work.saved.clear();
  work.entries.clear();
}

void Remove(Work& work, const std::vector<std::string>& guids) {
  for (std::size_t first = 0; first < guids.size(); first += kRemovedAtOnce) {
    const auto begin = guids.begin() + static_cast<std::ptrdiff_t>(first);
    RemoveCards(work,
                {begin, begin + static_cast<std::ptrdiff_t>(std::min(kRemovedAtOnce, guids.size() - first))});
    WriteStaged(work);
  }
  // Cleared cards may come back with the next batch, and suggestions for them stay valid then.
  if (!guids.empty() && !work.push.begins_anew)
    work.to.suggestions.Supersede(work.deck.id, guids, work.push.suggestions);
}

// The version that this push makes.
//
// All batches of one push name the same version: the first one makes it, the others continue it as long as nobody else has
// published in between. A push that names it later makes the next patch, so that a finished version keeps its history.
Version NextVersion(const DeckWriter& to, const Deck& deck, const Push& push) {
  const Version now = deck.shown.version;
  if (!push.version) return NextPatch(now);
  const Version asked = *push.version;
  if (asked > now) {
    // Otherwise nothing could be published any more.
    if (!HasNext(asked)) throw BadInput("bad_version");
    return asked;
  }
  const auto release = to.cards.FindOpen(deck.id, now, push.who);
  const bool is_same_release = asked == now || (release && release->asked == asked);
  if (!is_same_release)
    throw Refused("version_not_newer", "The version must not be lower than that of the deck.");
  if (!release) return now;
  return release->is_open ? now : NextPatch(now);
}

// Refuses a push that looks like the deck itself under new guids, as some tools make it, until the publisher confirms it:
// subscribers would have every note twice, or lose their scheduling.
void RequireNoTwins(const Work& work, const std::unordered_map<std::string, Card>& stored) {
  constexpr std::int64_t kMinTwins = 20;
  constexpr std::int64_t kTwinsInTen = 8;
  if (!work.push.is_copy || work.push.is_confirmed || work.deck.shown.card_count == 0) return;
  std::vector<std::int64_t> keys;
  std::int64_t added = 0;
  for (const PushedCard& card : work.push.cards) {
    const auto old = stored.find(card.guid);
    if (old != stored.end() && (!old->second.removed_seq || old->second.is_cleared)) continue;
    ++added;
    if (const std::int64_t key = FirstKey(card.note_type, card.fields); key != 0) keys.push_back(key);
  }
  if (std::ssize(keys) < kMinTwins) return;
  const std::int64_t twins = work.to.cards.CountTwins(work.deck.id, keys, GuidsOf(work.push.cards));
  if (twins < kMinTwins || twins * 10 < added * kTwinsInTen) return;
  throw Refused(
      "confirmation_required",
      "The deck has cards with these first fields under other guids. Subscribers would get them twice. To "
      "add them all the same, send confirm as true.",
      JsonWriter()
          .Object()
          .Add("new_cards", added)
          .Add("same_first_fields", twins)
          .Add("cards_of_deck", work.deck.shown.card_count)
          .Finish());
}

// Applies the cards that the push has now.
void TakeStep(Work& work) {
  DropRepeats(work.push.cards);
  // Read before anything is removed: cards of a push that begins anew are compared with the former ones, too.
  const auto stored = StoredCards(work.to.cards, work.deck.id, work.push.cards);
  KeepForeignChanges(work, stored);
  LearnNoteTypes(work, stored);
  RequireNoTwins(work, stored);
  Remove(work, RemovedGuids(work));
  TakeCards(work, stored);
  WriteStaged(work);
}

bool HasChanged(const Work& work) {
  return work.seq > work.deck.head_seq || !work.push.note_types.empty() || work.push.changes_files;
}

// Whether the new cards also go into the owner's own collection: those of an import, and the first cards of a deck. A later push
// usually comes from an Anki that has its cards already.
bool BelongsInCollection(const Work& work) {
  return work.result.added > 0 && work.push.who == work.deck.owner &&
         (work.push.origin == "import" || work.deck.head_seq == 0);
}

void EnqueueJobs(Work& work) {
  if (BelongsInCollection(work)) work.to.decks.Collect(work.deck.id, work.deck.owner);
  if (HasChanged(work)) work.to.decks.Spread(work.deck.id);
}

// Writes the deck's counters, and checks the quota of its owner after that, because Advance adds the bytes of this push to
// what the quota counts. A push that only removes is never refused: it is how an owner over the quota gets below it.
void AdvanceDeck(Work& work) {
  work.to.decks.Advance(work.deck.id, {work.change.version, work.seq, work.next_ord, work.card_count,
                                       work.content_hash, work.growth});
  if (work.result.added + work.result.modified > 0 || !work.push.note_types.empty())
    work.to.decks.RequireRoom(work.deck.owner);
}

void SaveRelease(Work& work) {
  work.to.cards.SaveRelease(work.change,
                            {.version = work.change.version,
                             .notes = work.push.notes,
                             .added = work.result.added,
                             .modified = work.result.modified,
                             .deleted = work.result.removed,
                             .card_count = work.card_count,
                             .content_hash = work.content_hash,
                             .last_seq = work.seq},
                            work.push.version);
}

// A higher version is a release even if nothing has changed; otherwise a push without changes leaves no trace.
Pushed Finish(Work& work) {
  for (const NoteType& type : work.push.note_types)
    work.growth += work.to.cards.SaveNoteType(work.change, type);
  const bool is_newer = work.push.version && *work.push.version > work.deck.shown.version;
  const bool is_release = is_newer || HasChanged(work);
  work.result.version = is_release ? work.change.version : work.deck.shown.version;
  work.result.total = work.card_count;
  work.result.last_seq = work.seq;
  if (work.push.is_copy && !work.seen) work.to.readers.NotePush(work.deck.id, work.push.device, work.seq);
  if (!is_release) return work.result;
  EnqueueJobs(work);
  AdvanceDeck(work);
  SaveRelease(work);
  return work.result;
}

// `push` outlives the work.
Work Begin(const DeckWriter& to, const Deck& deck, Push& push) {
  Work work{.to = to,
            .deck = deck,
            .push = push,
            .change = {deck.id, NextVersion(to, deck, push), push.who, push.origin, push.device},
            .seq = deck.head_seq,
            .next_ord = deck.next_ord,
            .card_count = deck.shown.card_count,
            .content_hash = deck.content_hash};
  work.seen = PartToMerge(work);
  return work;
}

}  // namespace

Pushed ApplyPush(const DeckWriter& to, const Deck& deck, Push push) {
  Work work = Begin(to, deck, push);
  TakeStep(work);
  return Finish(work);
}

Pushed ApplySteps(const DeckWriter& to, const Deck& deck, Push push, const std::function<bool(Push&)>& next) {
  Work work = Begin(to, deck, push);
  while (next(push)) TakeStep(work);
  return Finish(work);
}

Pushed ApplyEdits(const DeckWriter& to, const Deck& deck, const std::vector<FieldEdit>& edits, Push push) {
  std::vector<std::string> guids;
  for (const FieldEdit& edit : edits) guids.push_back(edit.guid);
  // An edit of a card that the push also contains applies to the pushed card.
  DropRepeats(push.cards);
  std::unordered_map<std::string, PushedCard> changed;
  for (const PushedCard& card : push.cards) changed.emplace(card.guid, card);
  for (const Card& card : to.cards.Find(deck.id, guids)) {
    if (card.removed_seq) continue;
    changed.emplace(card.guid, PushedCard{card.guid, card.content.note_type, ParseFields(card.content.fields),
                                          std::nullopt, std::nullopt});
  }
  for (const FieldEdit& edit : edits) {
    const auto card = changed.find(edit.guid);
    if (card == changed.end()) continue;
    if (FieldValue* field = FindField(card->second.fields, edit.field)) field->json = edit.json;
  }
  for (PushedCard& card : push.cards) card = std::move(changed.extract(card.guid).mapped());
  for (const std::string& guid : guids) {
    if (auto card = changed.extract(guid)) push.cards.push_back(std::move(card.mapped()));
  }
  for (const PushedCard& card : push.cards) {
    if (IsTooLarge(card.fields)) throw BadInput("card_too_large");
  }
  return ApplyPush(to, deck, std::move(push));
}

}  // namespace syncline::decks
