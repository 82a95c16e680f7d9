#include "handlers/anki/package/note_change_flow.h"

#include <algorithm>
#include <utility>

#include "handlers/anki/collection/session_store.h"
#include "handlers/anki/package/import_flow.h"
#include "handlers/anki/package/import_store.h"
#include "handlers/anki/package/own_session_flow.h"
#include "handlers/base/errors.h"

namespace syncline::anki {
namespace {

constexpr std::int32_t kSuspended = -1, kNew = 0, kLearning = 1, kReviewing = 2, kDayLearning = 3;
// A due value above this is a time in seconds, below it a day.
constexpr std::int32_t kFirstSecond = 1'000'000'000;

// As a client unsuspends a card.
std::int32_t QueueOf(const Card& card) {
  if (card.type == kNew || card.type == kReviewing) return card.type;
  const std::int32_t due = card.original_due > 0 ? card.original_due : card.due;
  return due > kFirstSecond ? kLearning : kDayLearning;
}

// " a b ", or nothing.
std::string WithTag(const std::string& tags, const std::string& tag) {
  return (tags.empty() ? " " : tags) + tag + " ";
}
std::string WithoutTag(std::string tags, const std::string& tag) {
  const std::string spaced = " " + tag + " ";
  if (const auto at = tags.find(spaced); at != tags.npos) tags.erase(at, spaced.size() - 1);
  return tags == " " ? "" : tags;
}

class Changing {
 public:
  Changing(Context& context, const NoteChanges& changes, const NoteChangeHost& host)
      : context_(context), changes_(changes), host_(host) {}

  void Run() {
    Collect();
    const auto begun = BeginOwnSession(context_, host_.name, host_.generation, host_.usn);
    if (!begun) throw ImportPutOff{"a device is syncing"};
    key_ = *begun;
    try {
      Stage();
      ApplyOwnSession(context_, key_, [&](sql::Tx& tx) { host_.commit(tx, suspended_); });
    } catch (const Error& e) {
      EndOwnSession(context_, key_);
      if (e.kind() == ErrorKind::kConflict) throw ImportPutOff{"a device has synced"};
      throw;
    } catch (...) {
      EndOwnSession(context_, key_);
      throw;
    }
  }

 private:
  void Collect() {
    std::vector<std::int64_t> suspended;
    std::vector<std::int64_t> woken, woken_cards;
    for (const Note& note : changes_.suspended) {
      suspended.push_back(note.id);
      AddNote(note, WithTag(WithoutTag(note.tags, changes_.tag), changes_.tag));
    }
    for (const SuspendedNote& one : changes_.woken) {
      woken.push_back(one.note.id);
      woken_cards.insert(woken_cards.end(), one.cards.begin(), one.cards.end());
      AddNote(one.note, WithoutTag(one.note.tags, changes_.tag));
    }
    std::sort(woken_cards.begin(), woken_cards.end());
    graves_.cards = changes_.deleted_cards;
    for (const Note& note : changes_.deleted) graves_.notes.push_back(note.id);
    const auto cards_of = [&](const std::vector<std::int64_t>& notes) {
      return notes.empty() ? std::vector<Card>() : context_.Read<ImportStore>([&](ImportStore& imports) {
        return imports.CardsOfNotes(host_.generation, notes);
      });
    };
    for (Card& card : cards_of(suspended)) {
      if (card.queue == kSuspended) continue;
      suspended_[card.note_id].push_back(card.id);
      card.queue = kSuspended;
      AddCard(card);
    }
    for (Card& card : cards_of(woken)) {
      if (card.queue != kSuspended || !std::binary_search(woken_cards.begin(), woken_cards.end(), card.id))
        continue;
      card.queue = QueueOf(card);
      AddCard(card);
    }
    for (const Card& card : cards_of(graves_.notes)) graves_.cards.push_back(card.id);
  }
  // Never older than what it replaces: a device that has reviewed the card meanwhile wins, as with any other device.
  void AddNote(Note note, std::string tags) {
    note.tags = std::move(tags);
    note.usn = host_.usn;
    chunk_.notes.Add(std::move(note));
  }
  void AddCard(Card& card) {
    card.usn = host_.usn;
    chunk_.cards.Add(card);
  }

  void Stage() {
    if (!graves_.empty()) {
      context_
          .Write<SessionStore>(
              [&](SessionStore& sessions) { return sessions.StageGraves(key_, kOwnSessionMinutes, graves_); })
          .Get();
    }
    if (chunk_.notes.ids.empty() && chunk_.cards.ids.empty()) return;
    if (!changes_.suspended.empty()) StageTag();
    context_
        .Write<SessionStore>(
            [&](SessionStore& sessions) { return sessions.StageChunk(key_, kOwnSessionMinutes, chunk_); })
        .Get();
  }

  // Clients list the tags of a collection beside those of its notes.
  void StageTag() {
    context_.Write<SessionStore, CollectionStore>([&](SessionStore& sessions, CollectionStore& collections) {
      const auto key = TagKey(changes_.tag);
      const auto tags = collections.TagsSince({host_.generation, 0});
      if (std::any_of(tags.begin(), tags.end(), [&](const Tag& tag) { return TagKey(tag.name) == key; }))
        return;
      MergedChanges merged;
      merged.tags.emplace_back(key, changes_.tag);
      const auto bytes = static_cast<std::int64_t>(key.size() + changes_.tag.size()) + 100;
      sessions.StageChanges(sessions.Touch(key_, kOwnSessionMinutes, {kTags, bytes}), merged, {});
    });
  }

  Context& context_;
  const NoteChanges& changes_;
  const NoteChangeHost& host_;
  std::string key_;
  ReceivedChunk chunk_{};
  GraveIds graves_{};
  std::map<std::int64_t, std::vector<std::int64_t>> suspended_{};
};

}  // namespace

void ChangeNotes(Context& context, const NoteChanges& changes, const NoteChangeHost& host) {
  Changing(context, changes, host).Run();
}

}  // namespace syncline::anki
