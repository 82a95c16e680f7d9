#pragma once
// What becomes of a subscriber's note when its card has changed: of each field, and of the tags, what nobody but the publisher has
// changed follows the card, and everything else stays the subscriber's. The same merge as everywhere in this service
// (cards/merge_rules.h): a value that the publisher once had counts as one that the subscriber has left alone. Pure.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "handlers/anki/objects/rows_wire.h"
#include "handlers/decks/cards/card_store.h"
#include "handlers/decks/cards/delivery_store.h"
#include "handlers/decks/cards/note_type_wire.h"
#include "handlers/decks/files/note_rules.h"

namespace syncline::decks {

/// The tag of notes whose cards were removed.
inline constexpr const char* kRemovedTag = "syncline::removed";

/// A note type of a collection. Fields go by their names, wherever the subscriber has moved them.
struct OwnType {
  std::vector<std::string> fields{};
  CardDesign design{};
};
/// Throws BadJson.
OwnType OwnTypeOf(const anki::Object& notetype);

/// Texts by the names of fields.
using TextsByName = std::map<std::string, std::string>;

/// A card as collections keep it: texts as clients keep them, and no tags that belong to whoever studies.
struct ShownCardTexts {
  TextsByName fields{};
  std::string tags{};  ///< joined
};
/// `fields`: of its note type; those that the card does not have are empty. `to_nfc`: the collection wants normal form C.
ShownCardTexts TextsOf(const CardContent& card, const std::vector<std::string>& fields, bool to_nfc);
/// As a client keeps it.
std::string KeptText(const std::string& json, bool to_nfc);

/// A text with the names that its files have in the deck: an import puts the hash of a file behind a name that is taken.
std::string WithDeckNames(std::string text);

struct NoteMerge {
  const std::vector<std::string>& fields;  ///< of the note's type
  std::vector<std::string> mine{};         ///< a text for each
  std::string my_tags{};                   ///< joined
  const ShownCardTexts& card;
  const DeliveredNote* base = nullptr;  ///< null: the note was there before
  bool is_same_card = false;            ///< the card is what was delivered
  /// By field: what the card was before (WithDeckNames).
  std::map<std::string, std::set<std::string>> earlier{};
  std::vector<std::string> earlier_tags{};  ///< joined: what the card had before
  std::set<std::string> protected_fields{};
};
struct MergedNote {
  std::vector<std::string> texts{};
  std::string tags{};
  bool is_changed = false;
  // The next base: `base` has the texts of fields that do not follow the card; those of `follows` are as they get stored.
  TextsByName base{};
  std::set<std::string> follows{};
  std::string base_tags{}, older_tags{};
};
MergedNote Merge(const NoteMerge& in);

/// A field that the subscriber has changed.
struct OwnEdit {
  std::string field{}, text{};
};
/// Without those that are protected.
std::vector<OwnEdit> EditsOf(const NoteMerge& in);

std::string PrintTexts(const TextsByName& texts);
TextsByName ParseTexts(const std::string& json);

}  // namespace syncline::decks
