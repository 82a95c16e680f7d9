#pragma once
// One batch of a delivery as a package (.apkg) for the import function of the anki service: notes, in the types that the
// subscriber's collection has, the cards that they need, their decks, and their files.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "handlers/anki/file/file_wire.h"
#include "handlers/anki/objects/rows_wire.h"
#include "handlers/base/context.h"
#include "handlers/base/response.h"
#include "handlers/base/temp_file.h"
#include "handlers/decks/catalogue/deck_store.h"
#include "handlers/decks/files/media_store.h"

namespace syncline::decks {

/// Where the cards of a subdeck go in a collection. `known`: the decks that earlier cards went to, which the subscriber may have
/// renamed or moved since.
class DeliveryHomes {
 public:
  DeliveryHomes(const std::string& title, std::map<std::string, std::int64_t> known,
                const std::vector<anki::Object>& decks);
  /// The name of the deck for a subdeck path of a card.
  std::string NameOf(const std::string& path);
  /// The deck that cards of this path went to, if it is still there.
  std::optional<std::int64_t> Find(const std::string& path) const;
  /// After an import: the decks that it has found or made, by id and name.
  void Note(std::int64_t id, const std::string& name);
  const std::map<std::string, std::int64_t>& known() const { return known_; }

 private:
  std::string Below(const std::string& path) const;

  const std::string& title_;
  std::map<std::string, std::int64_t> known_;  // by the folded path below the root
  std::map<std::int64_t, std::string> decks_;  // normal decks of the collection
  std::map<std::string, std::string> used_;    // paths of names that were given out
};

class DeliveryPackage {
 public:
  DeliveryPackage(Context& context, const Deck& deck, const std::vector<MediaFile>& media);

  /// This and Write throw Error StorageFull "disk_full". `note.id` is that of the subscriber's note, or one for a new note. `ords`: the cards that it shall have.
  void Put(anki::Note note, const anki::Object& notetype, const std::string& deck_name,
           const std::vector<std::int32_t>& ords, std::int32_t due);
  /// The id of a deck in the package.
  std::int64_t DeckIdOf(const std::string& deck_name) const;
  /// A file that no note names, for note types; the import takes it unless the account has one of its name.
  void PutFile(const std::string& name);
  /// Whether a note refers to one of these files.
  static bool RefersTo(const std::string& fields, const std::set<std::string>& names);

  bool is_empty() const { return notes_.empty() && files_.empty(); }
  /// Ends it.
  void Write(BodySink& sink);

 private:
  anki::CollectionFileWriter& Writer();
  void PutDeck(const std::string& name);

  Context& context_;
  const Deck& deck_;
  std::map<std::string, const MediaFile*> media_;  // of the deck
  std::set<std::string> files_;                    // to be packed
  std::set<std::int64_t> notes_, notetypes_;
  std::set<std::string> decks_;
  std::int64_t mod_ = 0, last_card_ = 0;
  std::unique_ptr<TempFile> collection_, stub_;
  std::unique_ptr<anki::CollectionFileWriter> writer_;  // from the first note on
};

}  // namespace syncline::decks
