#include "handlers/decks/delivery/delivered_part_flow.h"

#include <algorithm>
#include <utility>

#include "handlers/anki/package/import_flow.h"
#include "handlers/anki/package/import_store.h"
#include "handlers/base/json.h"
#include "handlers/decks/dialect/tag_rules.h"

namespace syncline::decks {

const anki::Object* DeliveredPart::FindNotetype(std::int64_t id) const {
  const auto found = std::find_if(objects.notetypes.begin(), objects.notetypes.end(),
                                  [&](const anki::Object& one) { return one.id == id; });
  return found == objects.notetypes.end() ? nullptr : &*found;
}

const NoteType* DeliveredPart::TypeOf(const Card& card) const {
  const auto found = types.find(Folded(card.content.note_type));
  return found == types.end() ? nullptr : &found->second;
}

NoteMerge DeliveredPart::MergeOf(const Card& card, const anki::Note& note,
                                 const std::vector<std::string>& fields, std::vector<std::string> mine,
                                 const ShownCardTexts& texts,
                                 const std::vector<std::string>& protected_fields) const {
  NoteMerge merge{
      .fields = fields, .mine = std::move(mine), .my_tags = JoinedTags(SplitTags(note.tags)), .card = texts};
  if (const auto base = delivered.find(card.guid); base != delivered.end()) {
    merge.base = &base->second;
    merge.is_same_card = base->second.hash == card.hash;
  }
  if (const auto known = earlier.find(card.guid); known != earlier.end()) {
    for (const auto& [field, values] : known->second) {
      for (const std::string& json : values)
        merge.earlier[field].insert(WithDeckNames(KeptText(json, to_nfc)));
    }
  }
  if (const auto known = earlier_tags.find(card.guid); known != earlier_tags.end())
    merge.earlier_tags = known->second;
  merge.protected_fields.insert(protected_fields.begin(), protected_fields.end());
  return merge;
}

std::optional<DeliveredPart> ReadPart(Context& context, DeckId deck, const std::vector<std::string>& guids) {
  DeliveredPart part;
  context.Read<CardStore, DeliveryStore>([&](CardStore& cards, DeliveryStore& deliveries) {
    part.cards = cards.Find(deck, guids);
    for (NoteType& type : cards.NoteTypes(deck)) {
      std::string key = Folded(type.name);
      part.types.emplace(std::move(key), std::move(type));
    }
    part.delivered = deliveries.Delivered(deck, guids);
    part.delivered_types = deliveries.Types(deck);
    part.elsewhere = deliveries.DeliveredElsewhere(deck, guids);
  });
  std::sort(part.cards.begin(), part.cards.end(), [](const Card& a, const Card& b) { return a.ord < b.ord; });
  const bool is_there = context.Read<anki::CollectionStore, anki::ImportStore>(
      [&](anki::CollectionStore& collections, anki::ImportStore& imports) {
        const auto found = collections.FindWithConfig(anki::kAnySize);
        if (!found) return false;
        part.head = found->first;
        part.notes.clear();
        part.note_cards.clear();
        if (!part.head.IsImported()) throw anki::ImportPutOff{"an upload is being imported"};
        part.to_nfc = FindMember(found->second, "normalize_note_text") != "false";
        part.objects = collections.ObjectsSince({part.head.generation, 0});
        std::vector<std::int64_t> ids;
        for (anki::Note& note : imports.NotesByGuid(part.head.generation, guids)) {
          std::string guid = note.guid;
          ids.push_back(note.id);
          part.notes.insert_or_assign(std::move(guid), std::move(note));
        }
        if (ids.empty()) return true;
        for (const anki::Card& card : imports.CardsOfNotes(part.head.generation, ids))
          part.note_cards[card.note_id].push_back(card);
        return true;
      });
  if (!is_there) return std::nullopt;
  std::vector<std::string> known;
  for (const auto& [guid, note] : part.notes) known.push_back(guid);
  context.Read<DeliveryStore>([&](DeliveryStore& deliveries) {
    part.earlier = deliveries.EarlierValues(deck, known);
    part.earlier_paths = deliveries.EarlierTexts(deck, "path", known);
    part.earlier_tags = deliveries.EarlierTexts(deck, "tags", known);
  });
  return part;
}

void RequireState(DeliveryStore& deliveries, DeckId deck, DeliveryState state) {
  if (deliveries.LockState(deck) != state) throw anki::ImportPutOff{"the delivery was changed"};
}

std::string SessionName(const Job& job) {
  return std::to_string(static_cast<std::int64_t>(job.id));
}

std::vector<std::string> SplitFields(const std::string& joined) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at <= joined.size(); at += texts.back().size() + 1)
    texts.push_back(joined.substr(at, joined.find('\x1f', at) - at));
  return texts;
}

}  // namespace syncline::decks
