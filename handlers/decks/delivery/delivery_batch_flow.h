#pragma once
// One batch of a delivery: what becomes of some cards in the collection. It is planned from what was read (DeliveredPart), and then
// carried out in one transaction, or not at all.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "handlers/anki/package/import_flow.h"
#include "handlers/anki/package/note_change_flow.h"
#include "handlers/base/context.h"
#include "handlers/base/job.h"
#include "handlers/decks/cards/delivery_store.h"
#include "handlers/decks/delivery/delivered_part_flow.h"
#include "handlers/decks/delivery/delivery_package_flow.h"
#include "handlers/decks/delivery/design_rules.h"

namespace syncline::decks {

/// A place in the log, before and after a batch. Equal for notes that are looked at again.
struct Step {
  std::int64_t from = 0, to = 0;
};

/// What a batch is planned with. All must outlive it.
struct BatchInput {
  const Deck& deck;
  const Delivery& delivery;
  const std::vector<MediaFile>& media;     ///< of the deck
  const std::set<std::string>& new_files;  ///< notes that name one of these get it
};

class DeliveryBatch {
 public:
  /// Plans it. Throws anki::ImportPutOff if it has to wait for the clock, BadJson.
  DeliveryBatch(Context& context, const BatchInput& in, DeliveredPart part);

  /// Notes are suspended, woken or deleted first, in a transaction of their own. The batch is then planned again.
  bool HasChanges() const;
  void Change(const Job& job);

  void Import(const Job& job, JobControl& control, const Step& step);
  /// Delivery::homes after that.
  const std::map<std::string, std::int64_t>& homes() const { return homes_.known(); }

 private:
  struct Saved {
    DeliveredNote row{};
    TextsByName base{};
    std::set<std::string> follows{};    // fields whose base is what is stored
    std::vector<std::string> fields{};  // of the note's type
    bool is_packed = false, is_stored = false;
  };
  // A note of the collection, in the type that it is to have.
  struct TypedNote {
    OwnType before{}, after{};
    std::vector<std::string> mine{};         // by the fields of `after`
    const anki::Object* notetype = nullptr;  // `after`
    const PlannedType* plan = nullptr;       // null: its type did not come with the deck
    bool changes_type = false;
  };

  void Plan(const Card& card);
  bool IsDeleted(const DeliveredNote& row) const;
  void Remove(const DeliveredNote& row, const anki::Note& note);
  void Wake(const DeliveredNote& row, const anki::Note& note);
  PlannedType& PlanOf(const NoteType& type);
  void Add(const Card& card);
  std::optional<TypedNote> Typed(const Card& card, const anki::Note& note);
  void ChangeType(const Card& card, anki::Note note);
  void Update(const Card& card, const anki::Note& note, const DeliveredNote* row);
  bool TakeNewFiles(const OwnType& shape, const ShownCardTexts& texts, MergedNote& merged) const;
  std::vector<std::int32_t> NewCards(const TypedNote& in, const MergedNote& merged) const;
  std::vector<anki::Card> CardsToMove(const Card& card, const anki::Note& note) const;
  void PutFilesOfTypes();
  void NoteStored(const anki::Note& note);
  void Commit(sql::Tx& tx, const Step& step);

  Context& context_;
  const BatchInput in_;
  const DeliveredPart part_;
  DeliveryHomes homes_;
  DeliveryPackage package_;
  std::map<std::string, PlannedType> types_{};  // by the names of the deck's types
  std::set<std::string> packed_types_{};
  std::vector<anki::MovedCard> moved_{};
  anki::NoteChanges changes_{};
  std::vector<Saved> saved_{};
  std::map<std::string, Saved*> by_guid_{};  // once all are planned
};

}  // namespace syncline::decks
