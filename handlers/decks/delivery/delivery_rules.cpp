#include "handlers/decks/delivery/delivery_rules.h"

#include <algorithm>
#include <string_view>

#include "handlers/anki/package/import_rules.h"
#include "handlers/base/json.h"
#include "handlers/base/json_writer.h"
#include "handlers/decks/cards/merge_rules.h"
#include "handlers/decks/dialect/tag_rules.h"
#include "handlers/decks/files/packed_object_wire.h"

namespace syncline::decks {
namespace {

constexpr std::string_view kSystemTags[] = {"marked", "leech"};

std::string TextOf(const JsonSpans& spans, const JsonSpans::Value& object, std::string_view key) {
  std::string text;
  spans.EachIn(object, [&](const JsonSpans::Value& member) {
    if (spans.Key(member) == key) text = spans.Text(member);
  });
  return text;
}

// Whether a device that had not seen a change of tags has replaced the note: all of that change is undone.
bool IsUndone(const std::string& earlier, const std::string& now, const std::string& mine) {
  const auto before = FoldedSet(earlier), after = FoldedSet(now), has = FoldedSet(mine);
  if (before == after) return false;
  const auto is_as_before = [&](const std::string& tag) { return before.contains(tag) == has.contains(tag); };
  return std::all_of(before.begin(), before.end(),
                     [&](const std::string& tag) { return after.contains(tag) || is_as_before(tag); }) &&
         std::all_of(after.begin(), after.end(),
                     [&](const std::string& tag) { return before.contains(tag) || is_as_before(tag); });
}

// The tags of the card that a device has brought back; null: none. Once after each change of the card: whoever removes the new tag
// again does not want it.
const std::string* UndoneTo(const NoteMerge& in) {
  if (FoldedSet(in.base->older_tags) == FoldedSet(in.base->tags)) return nullptr;
  if (IsUndone(in.base->older_tags, in.base->tags, in.my_tags)) return &in.base->older_tags;
  const auto found =
      std::find_if(in.earlier_tags.begin(), in.earlier_tags.end(),
                   [&](const std::string& tags) { return IsUndone(tags, in.base->tags, in.my_tags); });
  return found == in.earlier_tags.end() ? nullptr : &*found;
}

void MergeTags(const NoteMerge& in, MergedNote& merged) {
  merged.base_tags = in.card.tags;
  if (in.base == nullptr) {
    merged.tags = MergedTags("", in.my_tags, in.card.tags);
    merged.older_tags = in.card.tags;
    return;
  }
  const std::string* const undone = UndoneTo(in);
  const bool is_undone = undone != nullptr;
  const std::string& base = is_undone ? *undone : in.base->tags;
  merged.tags = in.is_same_card && !is_undone ? in.my_tags : MergedTags(base, in.my_tags, in.card.tags);
  const bool is_news = FoldedSet(in.base->tags) != FoldedSet(in.card.tags);
  merged.older_tags = is_news ? in.base->tags : is_undone ? in.card.tags : in.base->older_tags;
}

enum class Fate { kSame, kFollows, kStays };

// Of a field that the card has.
Fate FateOf(const NoteMerge& in, const std::string& name, const std::string& mine, const std::string& card,
            const std::string* base) {
  if (in.protected_fields.contains(name)) return Fate::kStays;
  if (mine == card) return Fate::kSame;
  // What is stored may differ from the card: a file may have got another name.
  if (base != nullptr && mine == *base) return in.is_same_card ? Fate::kSame : Fate::kFollows;
  const std::string plain = WithDeckNames(mine);
  if (plain == WithDeckNames(card)) return Fate::kSame;
  if (const auto earlier = in.earlier.find(name);
      earlier != in.earlier.end() && earlier->second.contains(plain))
    return Fate::kFollows;
  return base == nullptr && mine.empty() ? Fate::kFollows : Fate::kStays;
}

}  // namespace

OwnType OwnTypeOf(const anki::Object& notetype) {
  OwnType type;
  const JsonSpans spans(notetype.json);
  spans.EachIn(spans.Root(), [&](const JsonSpans::Value& member) {
    const std::string_view key = spans.Key(member);
    if (key == "flds") {
      spans.EachIn(member, [&](const JsonSpans::Value& field) {
        type.fields.push_back(TextOf(spans, field, "name"));
      });
    } else if (key == "tmpls") {
      spans.EachIn(member, [&](const JsonSpans::Value& one) {
        type.design.templates.push_back(
            {TextOf(spans, one, "name"), TextOf(spans, one, "qfmt"), TextOf(spans, one, "afmt")});
      });
    } else if (key == "type") {
      type.design.is_cloze = spans.Raw(member) == "1";
    } else if (key == "css") {
      type.design.css = spans.Text(member);
    }
  });
  return type;
}

std::string KeptText(const std::string& json, bool to_nfc) {
  std::string text = PlainText(json);
  anki::NormalizeFields(text, to_nfc);
  return text;
}

ShownCardTexts TextsOf(const CardContent& card, const std::vector<std::string>& fields, bool to_nfc) {
  ShownCardTexts texts;
  const Fields given = ParseFields(card.fields);
  for (const std::string& name : fields) {
    const FieldValue* field = FindField(given, name);
    texts.fields[name] = field == nullptr ? "" : KeptText(field->json, to_nfc);
  }
  std::vector<std::string> tags = SplitTags(card.tags);
  std::erase_if(tags, [](const std::string& tag) {
    return std::find(std::begin(kSystemTags), std::end(kSystemTags), Folded(tag)) != std::end(kSystemTags);
  });
  texts.tags = JoinedTags(tags);
  return texts;
}

std::string WithDeckNames(std::string text) {
  constexpr std::size_t kHashDigits = 40;
  for (std::size_t at = text.find('-'); at != text.npos; at = text.find('-', at)) {
    const std::size_t end = text.find_first_not_of("0123456789abcdef", ++at);
    if (end == text.npos || end - at != kHashDigits || text[end] != '.') continue;
    text.erase(at - 1, kHashDigits + 1);
  }
  return text;
}

MergedNote Merge(const NoteMerge& in) {
  MergedNote merged{.texts = in.mine};
  const TextsByName base = in.base == nullptr ? TextsByName() : ParseTexts(in.base->fields);
  for (std::size_t i = 0; i < in.fields.size() && i < in.mine.size(); ++i) {
    const std::string& name = in.fields[i];
    const auto card = in.card.fields.find(name);
    if (card == in.card.fields.end()) continue;
    const auto known = base.find(name);
    const std::string* const old = known == base.end() ? nullptr : &known->second;
    const Fate fate = FateOf(in, name, in.mine[i], card->second, old);
    if (fate == Fate::kFollows) {
      merged.texts[i] = card->second;
      merged.is_changed = true;
    }
    if (fate != Fate::kStays) {
      merged.follows.insert(name);
      merged.base[name] = merged.texts[i];
    } else if (!in.protected_fields.contains(name)) {
      merged.base[name] = card->second;
    } else if (old != nullptr) {
      // Once it is not protected any more, it goes on from there.
      merged.base[name] = *old;
    }
  }
  MergeTags(in, merged);
  merged.is_changed = merged.is_changed || FoldedSet(in.my_tags) != FoldedSet(merged.tags);
  return merged;
}

std::vector<OwnEdit> EditsOf(const NoteMerge& in) {
  std::vector<OwnEdit> edits;
  const TextsByName base = in.base == nullptr ? TextsByName() : ParseTexts(in.base->fields);
  for (std::size_t i = 0; i < in.fields.size() && i < in.mine.size(); ++i) {
    const std::string& name = in.fields[i];
    const auto card = in.card.fields.find(name);
    if (card == in.card.fields.end() || in.protected_fields.contains(name)) continue;
    const auto known = base.find(name);
    if (FateOf(in, name, in.mine[i], card->second, known == base.end() ? nullptr : &known->second) ==
        Fate::kStays)
      edits.push_back({name, in.mine[i]});
  }
  return edits;
}

std::string PrintTexts(const TextsByName& texts) {
  JsonWriter json;
  json.Object();
  for (const auto& [name, text] : texts) json.Add(name, text);
  return json.Finish();
}

TextsByName ParseTexts(const std::string& json) {
  TextsByName texts;
  const JsonSpans spans(json);
  spans.EachIn(spans.Root(),
               [&](const JsonSpans::Value& member) { texts.emplace(spans.Key(member), spans.Text(member)); });
  return texts;
}

}  // namespace syncline::decks
