#pragma once
// A model of an Anki client: its collection, what its owner can do to it, and what it does with each message
// of a sync.
//
// The rules are facts of the protocol, read in upstream's client (rslib, 26.08): collection/*.rs of
// rslib/src/sync, decks/{name,addupdate,remove}.rs, notetype/mod.rs, tags/register.rs, storage/**/add*.sql.
// Each is named where it is applied. Left out on purpose: media, full syncs, scheduling.
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

/// A notetype, deck or deck config. `body` stands for all that only its owner looks at.
struct ModelObject {
  std::string name;
  std::int64_t mod = 0;
  anki::Usn usn = kPending;
  std::string body = {};
};

using GraveKey = std::pair<anki::GraveKind, std::int64_t>;
using ObjectMap = std::map<std::int64_t, ModelObject>;

/// Everything a collection holds, of a client or of the server.
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
  /// Whether another object than `id` has this name.
  bool IsNameTaken(anki::ObjectKind kind, std::string_view name, std::int64_t id) const;
};

/// One line for each thing, by what it is: what all devices must agree on. Without usns and graves, which
/// differ between devices; of a tag or a review only that it exists (each side keeps the first one it had).
std::map<std::string, std::string> Contents(const ModelCollection& collection);
/// The lines that differ, with the names of the two sides.
std::string Difference(const std::map<std::string, std::string>& a, std::string_view a_name,
                       const std::map<std::string, std::string>& b, std::string_view b_name);

/// Keeps what it reads from JSON of an object; `json` itself is not kept.
std::pair<std::int64_t, ModelObject> ObjectOfJson(anki::ObjectKind kind, std::string_view json);
std::string ObjectJson(anki::ObjectKind kind, std::int64_t id, const ModelObject& object);

/// What a client has sent in one sync, for the model of the server.
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

/// How a client goes about a sync; real ones differ in these.
struct SyncHabits {
  bool sends_graves_in_start = false;  ///< as AnkiDroid did for years
  int chunk_rows = 250;                ///< rows in one message; upstream's number is 250
};

class ModelClient {
 public:
  ModelCollection collection;
  std::int64_t clock_offset_s = 0;
  SyncHabits habits;

  // --- What its owner does. `now_s` is the right time; ids below come from whoever plays the owner. Each
  // returns false, and changes nothing, when it makes no sense here.

  bool AddNote(std::int64_t now_s, std::int64_t id, std::int64_t notetype, std::int64_t deck, int cards,
               const std::string& text, const std::string& tag);
  bool EditNote(std::int64_t now_s, std::int64_t id, const std::string& text, const std::string& tag);
  bool DeleteNote(std::int64_t now_s, std::int64_t id);
  bool AddCard(std::int64_t now_s, std::int64_t note, std::int64_t id, std::int64_t deck);
  /// With its note, when that has no other card.
  bool DeleteCard(std::int64_t now_s, std::int64_t id);
  bool MoveCard(std::int64_t now_s, std::int64_t id, std::int64_t deck);
  bool EditCard(std::int64_t now_s, std::int64_t id, int due);
  bool ReviewCard(std::int64_t now_s, std::int64_t id, std::int64_t review, int ease);
  bool AddDeck(std::int64_t now_s, std::int64_t id, const std::string& name);
  /// With the decks below it. `fresh_id`: of the first parent that has to be made, the others follow.
  bool RenameDeck(std::int64_t now_s, std::int64_t id, const std::string& name, std::int64_t fresh_id);
  bool EditDeck(std::int64_t now_s, std::int64_t id, const std::string& body);
  /// With the decks below it and all their cards.
  bool DeleteDeck(std::int64_t now_s, std::int64_t id);
  bool AddObject(std::int64_t now_s, anki::ObjectKind kind, std::int64_t id, const std::string& name);
  bool RenameObject(std::int64_t now_s, anki::ObjectKind kind, std::int64_t id, const std::string& name);
  bool EditObject(std::int64_t now_s, anki::ObjectKind kind, std::int64_t id, const std::string& body);
  bool SetConfig(std::int64_t now_s, const std::string& json);
  bool SetCreated(std::int64_t now_s, std::int64_t created_s);
  /// Takes back the last of the above: rows, their usn and graves are as before. Nothing to undo after a
  /// sync.
  bool Undo(std::int64_t now_s);
  /// As old clients undo a deletion, or as an import brings back what a package has: the rows are there
  /// again, pending, and the graves stay.
  bool BringBack(std::int64_t now_s, bool with_old_mod);

  // --- A sync, one request at a time.

  enum class Step { kIdle, kMeta, kStart, kGraves, kChanges, kChunk, kApplyChunk, kSanity, kFinish };
  Step step() const { return step_; }
  bool IsSyncing() const { return step_ != Step::kIdle; }
  const SentBySync& sent() const { return sent_; }

  void BeginSync();
  /// The method and body of the next request.
  std::pair<std::string, std::string> Next();
  /// The answer to it. Throws std::runtime_error where a real client would show an error.
  void Hear(std::int64_t now_s, std::string_view reply);
  /// The sync has failed, or the device has died: the collection is as before it.
  void RollBack();

 private:
  struct Taken {  // by the last deletion
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
  // Adds "+" until nobody else has the name, changing mod and usn then, as clients do.
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
  ModelCollection before_;  // of the running sync
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
