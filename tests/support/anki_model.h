#pragma once
// A model of an Anki client: its collection, user actions on it, and how it handles each message of a sync.
//
// The rules are facts of the protocol, taken from upstream's client (rslib, 26.08): collection/*.rs of
// rslib/src/sync, decks/{name,addupdate,remove}.rs, notetype/mod.rs, tags/register.rs, storage/**/add*.sql.
// Each source is named at the code. Left out on purpose: media, full syncs, scheduling.
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/anki/collection/collection_store.h"
#include "handlers/anki/collection/messages_wire.h"
#include "handlers/anki/objects/rows_wire.h"

namespace syncline::tests {

inline constexpr anki::Usn kPending = -1;

/// A notetype, deck or deck config. `body` stands for all members that neither model nor server interprets.
struct ModelObject {
  std::string name;
  std::int64_t mod = 0;
  anki::Usn usn = kPending;
  std::string body = {};
};

using GraveKey = std::pair<anki::GraveKind, std::int64_t>;
using ObjectMap = std::map<std::int64_t, ModelObject>;

/// The contents of a collection, of a client or of the server.
struct ModelCollection {
  std::map<std::int64_t, anki::Note> notes;
  std::map<std::int64_t, anki::Card> cards;
  std::map<std::int64_t, anki::Review> reviews;
  std::array<ObjectMap, 3> objects;       ///< by anki::ObjectKind
  std::map<std::string, anki::Tag> tags;  ///< by the case-folded name
  std::map<GraveKey, anki::Usn> graves;
  std::string config_json = "{}";
  std::int64_t created_s = 0;
  std::int64_t mod_ms = 0, schema_ms = 0;
  anki::Usn usn = 0;

  ObjectMap& Of(anki::ObjectKind kind) { return objects[static_cast<std::size_t>(kind)]; }
  const ObjectMap& Of(anki::ObjectKind kind) const { return objects[static_cast<std::size_t>(kind)]; }
  ObjectMap& Decks() { return Of(anki::ObjectKind::kDeck); }
  /// Whether an object other than `id` has this name.
  bool IsNameTaken(anki::ObjectKind kind, std::string_view name, std::int64_t id) const;
};

/// One line per object, by kind and id: the state all devices must agree on. Without usns and graves, which
/// differ between devices; of tags and reviews only their existence (each side keeps the first one it had).
std::map<std::string, std::string> Contents(const ModelCollection& collection);
/// The lines that differ, prefixed with the names of the two sides.
std::string Difference(const std::map<std::string, std::string>& a, std::string_view a_name,
                       const std::map<std::string, std::string>& b, std::string_view b_name);

/// The result does not refer to `json`.
std::pair<std::int64_t, ModelObject> ObjectOfJson(anki::ObjectKind kind, std::string_view json);
std::string ObjectJson(anki::ObjectKind kind, std::int64_t id, const ModelObject& object);

/// Everything a client has sent in one sync, for the model of the server.
struct SentBySync {
  anki::Usn client_usn = 0, server_usn = 0;
  bool is_newer = false;
  std::vector<GraveKey> graves;
  std::array<std::vector<std::pair<std::int64_t, ModelObject>>, 3> objects;
  std::vector<std::string> tags;
  std::optional<std::string> config_json;
  std::optional<std::int64_t> created_s;
  std::vector<anki::Note> notes;
  std::vector<anki::Card> cards;
  std::vector<anki::Review> reviews;
};

/// How a client syncs; real clients differ in these.
struct SyncHabits {
  bool sends_graves_in_start = false;  ///< as AnkiDroid did for years
  int chunk_rows = 250;                ///< rows per message; upstream sends 250
};

class ModelClient {
 public:
  ModelCollection collection;
  std::int64_t clock_offset_s = 0;
  SyncHabits habits;

  // --- user actions. `now_s` is the true time; the caller chooses the ids. Each returns false, and changes
  // nothing, if it does not apply to the current state.

  bool AddNote(std::int64_t now_s, std::int64_t id, std::int64_t notetype, std::int64_t deck, int cards,
               const std::string& text, const std::string& tag);
  bool EditNote(std::int64_t now_s, std::int64_t id, const std::string& text, const std::string& tag);
  bool DeleteNote(std::int64_t now_s, std::int64_t id);
  bool AddCard(std::int64_t now_s, std::int64_t note, std::int64_t id, std::int64_t deck);
  /// Also deletes its note, if that has no other card.
  bool DeleteCard(std::int64_t now_s, std::int64_t id);
  bool MoveCard(std::int64_t now_s, std::int64_t id, std::int64_t deck);
  bool EditCard(std::int64_t now_s, std::int64_t id, int due);
  bool ReviewCard(std::int64_t now_s, std::int64_t id, std::int64_t review, int ease);
  bool AddDeck(std::int64_t now_s, std::int64_t id, const std::string& name);
  /// Renames the decks below it too. `fresh_id`: the id of the first missing parent; further ones count up.
  bool RenameDeck(std::int64_t now_s, std::int64_t id, const std::string& name, std::int64_t fresh_id);
  bool EditDeck(std::int64_t now_s, std::int64_t id, const std::string& body);
  /// Deletes the decks below it and all their cards too.
  bool DeleteDeck(std::int64_t now_s, std::int64_t id);
  bool AddObject(std::int64_t now_s, anki::ObjectKind kind, std::int64_t id, const std::string& name);
  bool RenameObject(std::int64_t now_s, anki::ObjectKind kind, std::int64_t id, const std::string& name);
  bool EditObject(std::int64_t now_s, anki::ObjectKind kind, std::int64_t id, const std::string& body);
  bool SetConfig(std::int64_t now_s, const std::string& json);
  bool SetCreated(std::int64_t now_s, std::int64_t created_s);
  /// Reverts the last action: rows, their usns and graves are as before. Does nothing after a sync.
  bool Undo(std::int64_t now_s);
  /// Undoes a deletion as old clients do, or as an import of a package does: the rows are back and pending,
  /// and the graves stay.
  bool BringBack(std::int64_t now_s, bool with_old_mod);

  // --- a sync, one request at a time

  enum class Step { kIdle, kMeta, kStart, kGraves, kChanges, kChunk, kApplyChunk, kSanity, kFinish };
  Step step() const { return step_; }
  bool IsSyncing() const { return step_ != Step::kIdle; }
  const SentBySync& sent() const { return sent_; }

  void BeginSync();
  /// The method and body of the next request.
  std::pair<std::string, std::string> Next();
  /// Handles the reply to it. Throws std::runtime_error where a real client would show an error.
  void Hear(std::int64_t now_s, std::string_view reply);
  /// The sync has failed, or the device has crashed: restores the collection from before the sync.
  void RollBack();

 private:
  struct Taken {  // removed by the last deletion
    std::vector<anki::Note> notes;
    std::vector<anki::Card> cards;
    std::map<std::int64_t, ModelObject> decks;
  };

  std::int64_t Now(std::int64_t now_s) const { return now_s + clock_offset_s; }
  template <typename F>
  bool Do(std::int64_t now_s, F&& change);
  void RegisterTag(const std::string& name, anki::Usn usn);
  bool CanBury(anki::GraveKind kind, std::int64_t id) const;
  void Bury(anki::GraveKind kind, std::int64_t id, anki::Usn usn);
  bool RemoveCards(const std::vector<std::int64_t>& ids);
  // Appends "+" until the name is unique, and then changes mod and usn, as clients do.
  void MakeNameUnique(anki::ObjectKind kind, std::int64_t id, ModelObject& object, std::int64_t now_s,
                      anki::Usn usn) const;
  std::vector<std::int64_t> ChildrenOf(const std::string& name) const;
  std::optional<std::string> ParentSpelling(const std::string& name) const;
  void CreateMissingParents(const std::string& name, std::int64_t now_s, std::int64_t fresh_id);

  void HearMeta(std::string_view reply);
  void TakePendingGraves();
  anki::GraveIds NextGraves();
  void ApplyGraves(std::string_view reply);
  std::string ChangesBody();
  void ApplyChanges(std::int64_t now_s, std::string_view reply);
  void MergeObject(std::int64_t now_s, anki::ObjectKind kind, std::string_view json);
  bool ApplyChunk(std::string_view reply);
  void GatherRows();
  std::string NextRows(bool& is_last);
  std::string SanityBody() const;

  Step step_ = Step::kIdle;
  ModelCollection before_;  // before the current sync
  SentBySync sent_;
  anki::GraveIds graves_left_;
  std::string start_reply_;
  std::vector<std::int64_t> reviews_left_, notes_left_, cards_left_;
  bool sends_last_rows_ = false;
  bool has_changed_ = false;  // since the last sync
  std::optional<ModelCollection> undo_;
  Taken taken_;
};

}  // namespace syncline::tests
