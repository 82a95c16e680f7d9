#include "handlers/decks/files/package_flow.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "handlers/anki/file/file_wire.h"
#include "handlers/anki/objects/schema18_wire.h"
#include "handlers/anki/package/container_wire.h"
#include "handlers/anki/package/export_flow.h"
#include "handlers/base/blobs.h"
#include "handlers/base/disk_reserve.h"
#include "handlers/base/json_input.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/sha256.h"
#include "handlers/decks/cards/card_flow.h"
#include "handlers/decks/dialect/tag_rules.h"
#include "handlers/decks/files/note_rules.h"
#include "handlers/decks/files/packed_object_wire.h"

namespace syncline::decks {
namespace {

std::int64_t Seconds(sql::Time time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}
std::int64_t Milliseconds(sql::Time time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

struct PackedType {
  std::int64_t id = 0;
  NoteType type{};
  CardDesign design{};
  bool is_put = false;
};

// The deck's cards as notes of a collection.
class Packing {
 public:
  Packing(const Deck& deck, const std::string& path)
      : deck_(deck),
        mod_(Seconds(deck.shown.updated_at)),
        created_ms_(Milliseconds(deck.shown.created_at)),
        writer_(path) {}

  void Know(const std::vector<NoteType>& types) {
    for (const NoteType& type : types) types_.try_emplace(type.name, NewType(type));
  }
  bool Knows(const std::string& type) const { return types_.contains(type); }

  // Its note type and its deck, with the parents of that, before it.
  void Put(const Card& card) {
    PackedType* const type = PutType(card.content.note_type);
    if (type == nullptr) return;
    const std::string home_name = NameOf(card.content.subdeck_path);
    PutDeck(home_name);
    const std::int64_t note = created_ms_ + card.ord;
    std::vector<NoteField> fields = FieldsOf(card, type->type);
    writer_.PutNote({note, card.guid, type->id, Seconds(card.updated_at), 0, TagsOfNote(card.content.tags),
                     JoinedFields(fields)});
    const std::int64_t home = IdOfDeck(home_name);
    for (const std::int32_t ord : CardsOf(type->design, fields)) PutCard(note, home, ord, mod_);
    ++position_;
  }

  void Finish() {
    PutDeck(NameOf(""));
    writer_.Finish();
  }

 private:
  PackedType NewType(const NoteType& type) const {
    return {StableId("type", deck_, Folded(type.name)), type, DesignOf(type)};
  }
  // Null: not known.
  PackedType* PutType(const std::string& name) {
    const auto type = types_.find(name);
    if (type == types_.end()) return nullptr;
    if (!std::exchange(type->second.is_put, true))
      writer_.PutNotetypes({NotetypeOf(type->second.id, type->second.type, type->second.design)});
    return &type->second;
  }
  void PutDeck(const std::string& name) {
    if (decks_.contains(Folded(name))) return;
    if (const std::size_t end = name.rfind("::"); end != name.npos) PutDeck(name.substr(0, end));
    writer_.PutDecks({AnkiDeck(IdOfDeck(name), name, mod_)});
    decks_.insert(Folded(name));
  }
  // As clients name it.
  std::string NameOf(const std::string& path) const {
    return anki::HumanDeckName(anki::NativeDeckName(FullPath(path, deck_.shown.title)));
  }
  std::int64_t IdOfDeck(const std::string& name) const { return StableId("deck", deck_, Folded(name)); }

  static std::vector<NoteField> FieldsOf(const Card& card, const NoteType& type) {
    const Fields given = ParseFields(card.content.fields);
    std::vector<NoteField> fields;
    for (const std::string& name : type.fields) {
      const FieldValue* field = FindField(given, name);
      fields.push_back({name, field == nullptr ? "" : PlainText(field->json)});
    }
    return fields;
  }

  void PutCard(std::int64_t note, std::int64_t home, std::int32_t ord, std::int64_t mod) {
    anki::Card card{};
    card.id = std::max(note, last_card_ + 1);
    card.note_id = note;
    card.deck_id = home;
    card.ord = ord;
    card.mod = mod;
    card.due = position_;
    last_card_ = card.id;
    writer_.PutCard(card);
  }

  const Deck& deck_;
  std::int64_t mod_, created_ms_, last_card_ = 0;
  std::int32_t position_ = 1;
  std::map<std::string, PackedType> types_;
  std::set<std::string> decks_;  // that are put, by their names without case
  anki::CollectionFileWriter writer_;
};

}  // namespace

DeckPackage::DeckPackage(Context& context, const Deck& deck, const PackageChoice& choice)
    : context_(context), owner_(deck.owner) {
  DiskReserve(context).Require();
  collection_ = std::make_unique<TempFile>(context.config().temp_dir);
  const std::int64_t now_ms = context.NowMs();
  anki::CreateEmptyCollection(collection_->path(), {context.NowSeconds(), now_ms, now_ms, 0, 0},
                              anki::StockContent::kWithoutNotetypes);
  Packing packing(deck, collection_->path());
  const auto [types, media] = context.Read<CardStore, MediaStore>([&](CardStore& cards, MediaStore& files) {
    return std::pair(cards.NoteTypes(deck.id), files.List(deck.id));
  });
  media_ = media;
  packing.Know(types);
  // One pass, so that what is pushed meanwhile finds its deck and its note type.
  const auto put = [&](const Card& card) {
    if (choice.wants && !choice.wants(card.guid)) return;
    if (!packing.Knows(card.content.note_type))
      packing.Know(context.ReadOnce<CardStore>([&](CardStore& cards) { return cards.NoteTypes(deck.id); }));
    packing.Put(card);
    ++cards_;
  };
  EachCard(context, deck.id, 0, kAllCards, put, choice.between_cards);
  packing.Finish();
  anki::DowngradeToSchema11(collection_->path());
  stub_ = anki::MakeStub(context);
}

void DeckPackage::Write(BodySink& sink) const {
  anki::PackageWriter package(sink, anki::PackageVersion::kLegacy2);
  package.Collection([&](BodySink& out) { collection_->ReadAll(out); });
  package.Stub(*stub_);
  for (const MediaFile& file : media_) {
    package.Media(file.name, "", static_cast<std::uint64_t>(file.size_bytes), [&](BodySink& out) {
      context_.WithDatabase([&](sql::Database& database) {
        ReadBlob(database, owner_, kBlobService, file.blob,
                 [&](std::string_view piece) { out.Write(piece); });
      });
    });
  }
  package.Finish();
}

}  // namespace syncline::decks
