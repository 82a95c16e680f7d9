#pragma once
// A deck as a package (.apkg) that Anki imports: for builds of the add-on that install from a file, and for the owner's own
// collection. Slow, so never call it inside a transaction. Left out on purpose: scheduling, which a deck has none of.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "handlers/base/context.h"
#include "handlers/base/response.h"
#include "handlers/base/temp_file.h"
#include "handlers/decks/catalogue/deck_store.h"
#include "handlers/decks/files/media_store.h"

namespace syncline::decks {

struct PackageChoice {
  std::function<bool(const std::string& guid)> wants{};  ///< none: all cards
  std::function<void()> between_cards{};                 ///< called often; may throw
};

/// A package, ready to be written. It is of the version that all clients since 2.1.0 read.
class DeckPackage {
 public:
  /// Throws Error StorageFull "disk_full".
  DeckPackage(Context& context, const Deck& deck, const PackageChoice& choice = {});
  std::int64_t cards() const { return cards_; }
  void Write(BodySink& sink) const;

 private:
  Context& context_;
  std::unique_ptr<TempFile> collection_, stub_;
  UserId owner_;
  std::vector<MediaFile> media_;
  std::int64_t cards_ = 0;
};

}  // namespace syncline::decks
