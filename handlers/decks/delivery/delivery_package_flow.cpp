#include "handlers/decks/delivery/delivery_package_flow.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "handlers/anki/file/field_text_wire.h"
#include "handlers/anki/objects/schema18_wire.h"
#include "handlers/anki/package/container_wire.h"
#include "handlers/anki/package/export_flow.h"
#include "handlers/base/blobs.h"
#include "handlers/base/disk_reserve.h"
#include "handlers/base/json.h"
#include "handlers/decks/cards/card_wire.h"
#include "handlers/decks/dialect/tag_rules.h"
#include "handlers/decks/files/packed_object_wire.h"

namespace syncline::decks {
namespace {

// As clients name it.
std::string DeckName(const std::string& name) {
  return anki::HumanDeckName(anki::NativeDeckName(name));
}

// Calls each(name) for the files that the fields of a note refer to.
template <typename Each>
void EachReference(const std::string& fields, Each each) {
  anki::ReplaceMediaReferences(fields, [&](const std::string& name) -> std::optional<std::string> {
    each(name);
    return std::nullopt;
  });
}

}  // namespace

DeliveryHomes::DeliveryHomes(const std::string& title, std::map<std::string, std::int64_t> known,
                             const std::vector<anki::Object>& decks)
    : title_(title), known_(std::move(known)) {
  for (const anki::Object& deck : decks) {
    if (FindMember(deck.json, "dyn").value_or("0") == "0") decks_.emplace(deck.id, deck.name);
  }
}

// The path below the deck's own name.
std::string DeliveryHomes::Below(const std::string& path) const {
  const std::string full = DeckName(FullPath(path, title_)), root = DeckName(title_);
  return full.size() > root.size() + 2 ? full.substr(root.size() + 2) : "";
}

std::optional<std::int64_t> DeliveryHomes::Find(const std::string& path) const {
  const auto home = known_.find(Folded(Below(path)));
  return home != known_.end() && decks_.contains(home->second) ? std::optional(home->second) : std::nullopt;
}

std::string DeliveryHomes::NameOf(const std::string& path) {
  const std::string below = Below(path);
  std::string name = DeckName(FullPath(path, title_));
  // From the subdeck itself up to the root: the first that is known.
  std::vector<std::string> made;
  for (std::string parent = below;;) {
    const auto home = known_.find(Folded(parent));
    const auto deck = home == known_.end() ? decks_.end() : decks_.find(home->second);
    if (deck != decks_.end()) {
      const std::string rest = parent.empty() ? "::" + below : below.substr(parent.size());
      name = below.empty() || rest.empty() ? deck->second : DeckName(deck->second + rest);
      break;
    }
    made.push_back(parent);
    if (parent.empty()) break;
    const std::size_t end = parent.rfind("::");
    parent = end == parent.npos ? "" : parent.substr(0, end);
  }
  // The import finds or makes the others.
  std::string at = name;
  for (const std::string& one : made) {
    used_[Folded(at)] = Folded(one);
    const std::size_t end = at.rfind("::");
    if (end == at.npos) break;
    at.resize(end);
  }
  return name;
}

void DeliveryHomes::Note(std::int64_t id, const std::string& name) {
  const auto used = used_.find(Folded(name));
  if (used != used_.end()) known_[used->second] = id;
}

DeliveryPackage::DeliveryPackage(Context& context, const Deck& deck, const std::vector<MediaFile>& media)
    : context_(context),
      deck_(deck),
      mod_(std::chrono::floor<std::chrono::seconds>(deck.shown.updated_at).time_since_epoch().count()) {
  for (const MediaFile& file : media) media_.emplace(file.name, &file);
}

anki::CollectionFileWriter& DeliveryPackage::Writer() {
  if (!writer_) {
    DiskReserve(context_).Require();
    collection_ = std::make_unique<TempFile>(context_.config().temp_dir);
    const std::int64_t now_ms = context_.NowMs();
    anki::CreateEmptyCollection(collection_->path(), {context_.NowSeconds(), now_ms, now_ms, 0, 0},
                                anki::StockContent::kWithoutNotetypes);
    writer_ = std::make_unique<anki::CollectionFileWriter>(collection_->path());
  }
  return *writer_;
}

void DeliveryPackage::PutDeck(const std::string& name) {
  if (!decks_.insert(Folded(name)).second) return;
  if (const std::size_t end = name.rfind("::"); end != name.npos) PutDeck(name.substr(0, end));
  Writer().PutDecks({AnkiDeck(DeckIdOf(name), name, mod_)});
}

std::int64_t DeliveryPackage::DeckIdOf(const std::string& deck_name) const {
  return StableId("deck", deck_, Folded(deck_name));
}

void DeliveryPackage::Put(anki::Note note, const anki::Object& notetype, const std::string& deck_name,
                          const std::vector<std::int32_t>& ords, std::int32_t due) {
  if (notetypes_.insert(notetype.id).second) Writer().PutNotetypes({notetype});
  while (!notes_.insert(note.id).second) ++note.id;
  note.usn = 0;
  EachReference(note.fields, [&](const std::string& name) {
    if (media_.contains(name)) files_.insert(name);
  });
  Writer().PutNote(note);
  if (!ords.empty()) PutDeck(deck_name);
  for (const std::int32_t ord : ords) {
    anki::Card card{};
    card.id = last_card_ = std::max(note.id, last_card_ + 1);
    card.note_id = note.id;
    card.deck_id = DeckIdOf(deck_name);
    card.ord = ord;
    card.mod = mod_;
    card.due = due;
    Writer().PutCard(card);
  }
}

void DeliveryPackage::PutFile(const std::string& name) {
  files_.insert(name);
}

bool DeliveryPackage::RefersTo(const std::string& fields, const std::set<std::string>& names) {
  bool refers = false;
  EachReference(fields, [&](const std::string& name) { refers = refers || names.contains(name); });
  return refers;
}

void DeliveryPackage::Write(BodySink& sink) {
  Writer().Finish();
  writer_.reset();
  anki::DowngradeToSchema11(collection_->path());
  stub_ = anki::MakeStub(context_);
  anki::PackageWriter package(sink, anki::PackageVersion::kLegacy2);
  package.Collection([&](BodySink& out) { collection_->ReadAll(out); });
  package.Stub(*stub_);
  for (const std::string& name : files_) {
    const MediaFile& file = *media_.at(name);
    package.Media(file.name, "", static_cast<std::uint64_t>(file.size_bytes), [&](BodySink& out) {
      context_.WithDatabase([&](sql::Database& database) {
        ReadBlob(database, deck_.owner, kBlobService, file.blob,
                 [&](std::string_view piece) { out.Write(piece); });
      });
    });
  }
  package.Finish();
}

}  // namespace syncline::decks
