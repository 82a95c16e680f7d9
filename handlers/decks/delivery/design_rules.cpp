#include "handlers/decks/delivery/design_rules.h"

#include <algorithm>
#include <set>
#include <utility>

#include "handlers/anki/objects/schema18_wire.h"
#include "handlers/base/json.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/sha256.h"
#include "handlers/decks/dialect/tag_rules.h"
#include "handlers/decks/files/packed_object_wire.h"

namespace syncline::decks {
namespace {

// Texts of one part that are remembered, and types that take each other's place.
constexpr std::size_t kMostKnown = 50;
constexpr int kMostSteps = 50;
// A type that lies further in the future was changed by a device with a wrong clock: nothing waits for that.
constexpr std::int64_t kClockDifference = 60;

// By part of a design: hashes of the texts that were delivered, the newest last.
using KnownTexts = std::map<std::string, std::vector<std::string>>;

KnownTexts ParseKnown(const std::string& json) {
  KnownTexts known;
  const JsonSpans spans(json);
  spans.EachIn(spans.Root(), [&](const JsonSpans::Value& part) {
    auto& hashes = known[std::string(spans.Key(part))];
    spans.EachIn(part, [&](const JsonSpans::Value& hash) { hashes.push_back(spans.Text(hash)); });
  });
  return known;
}
std::string PrintKnown(const KnownTexts& known) {
  JsonWriter json;
  json.Object();
  for (const auto& [part, hashes] : known) json.Add(part, hashes);
  return json.Finish();
}

std::string ShortHash(const std::string& text) {
  constexpr char kDigits[] = "0123456789abcdef";
  constexpr std::size_t kBytes = 10;
  const std::string hash = Sha256(text);
  std::string hex;
  for (std::size_t i = 0; i < kBytes; ++i) {
    const auto byte = static_cast<unsigned char>(hash[i]);
    hex += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return hex;
}

std::vector<std::string> NamesOf(const std::vector<CardTemplate>& templates) {
  std::vector<std::string> names;
  for (const CardTemplate& one : templates) names.push_back(one.name);
  return names;
}

bool HasFolded(const std::vector<std::string>& names, const std::string& name) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& other) { return Folded(other) == Folded(name); });
}

const anki::Object* FindType(const std::vector<anki::Object>& types, std::int64_t id) {
  const auto found =
      std::find_if(types.begin(), types.end(), [&](const anki::Object& one) { return one.id == id; });
  return found == types.end() ? nullptr : &*found;
}

// The texts of a design, part by part.
template <typename Design, typename Each>
void EachPart(Design& design, Each each) {
  each("css", design.css);
  for (auto& one : design.templates) {
    each("front " + one.name, one.front);
    each("back " + one.name, one.back);
  }
}

void Remember(KnownTexts& known, const CardDesign& design) {
  EachPart(design, [&](const std::string& part, const std::string& text) {
    auto& hashes = known[part];
    const std::string hash = ShortHash(text);
    if (std::find(hashes.begin(), hashes.end(), hash) != hashes.end()) return;
    hashes.push_back(hash);
    if (hashes.size() > kMostKnown) hashes.erase(hashes.begin());
  });
}

// Takes over the texts that are as they were delivered once. True: some have changed.
bool FollowTexts(const CardDesign& theirs, const KnownTexts& known, CardDesign& mine) {
  std::map<std::string, const std::string*> texts;
  EachPart(theirs, [&](const std::string& part, const std::string& text) { texts[part] = &text; });
  bool has_changed = false;
  EachPart(mine, [&](const std::string& part, std::string& text) {
    const auto theirs_of = texts.find(part);
    const auto hashes = known.find(part);
    if (theirs_of == texts.end() || *theirs_of->second == text || hashes == known.end()) return;
    if (std::find(hashes->second.begin(), hashes->second.end(), ShortHash(text)) == hashes->second.end())
      return;
    text = *theirs_of->second;
    has_changed = true;
  });
  return has_changed;
}

// `own` with other texts, and with the fields and templates that `fresh` has behind those of `own`.
anki::Object WithShape(const anki::Object& own, const OwnType& shape, const NoteType& type, std::int64_t id,
                       std::int64_t mod) {
  NoteType all = type;
  all.fields = shape.fields;
  const anki::Object fresh = NotetypeOf(id, all, shape.design);
  const JsonSpans spans(own.json), fresh_spans(fresh.json);
  std::map<std::string, std::vector<std::string>> added;  // by "flds" and "tmpls"
  fresh_spans.EachIn(fresh_spans.Root(), [&](const JsonSpans::Value& member) {
    const std::string key(fresh_spans.Key(member));
    if (key != "flds" && key != "tmpls") return;
    fresh_spans.EachIn(member,
                       [&](const JsonSpans::Value& one) { added[key].emplace_back(fresh_spans.Raw(one)); });
  });
  JsonWriter json;
  json.Object();
  spans.EachIn(spans.Root(), [&](const JsonSpans::Value& member) {
    const std::string key(spans.Key(member));
    if (key == "id") {
      json.Add(key, id);
    } else if (key == "mod") {
      json.Add(key, mod);
    } else if (key == "css") {
      json.Add(key, shape.design.css);
    } else if (key == "req") {
      json.Array(key).End();
    } else if (key == "flds" || key == "tmpls") {
      json.Array(key);
      std::size_t at = 0;
      spans.EachIn(member, [&](const JsonSpans::Value& one) {
        if (key == "flds") {
          json.Add(RawJson{spans.Raw(one)});
        } else {
          json.Object();
          spans.EachIn(one, [&](const JsonSpans::Value& part) {
            const std::string name(spans.Key(part));
            const CardTemplate& now = shape.design.templates.at(at);
            if (name == "qfmt" || name == "afmt") {
              json.Add(name, name == "qfmt" ? now.front : now.back);
            } else {
              json.Add(name, RawJson{spans.Raw(part)});
            }
          });
          json.End();
        }
        ++at;
      });
      const std::vector<std::string>& more = added[key];
      for (; at < more.size(); ++at) json.Add(RawJson{more[at]});
      json.End();
    } else {
      json.Add(key, RawJson{spans.Raw(member)});
    }
  });
  anki::Object changed = own;
  changed.id = id;
  changed.mod = mod;
  changed.usn = 0;
  changed.json = anki::NotetypeToJson(anki::NotetypeFromJson(json.Finish()));
  changed.field_count = static_cast<std::int32_t>(shape.fields.size());
  changed.template_count = static_cast<std::int32_t>(shape.design.templates.size());
  return changed;
}

struct Current {
  const anki::Object* own = nullptr;
  const DeliveredType* base = nullptr;  // null: nobody knows what of it was delivered
  int last_step = 0;
  std::vector<std::int64_t> earlier{};
};
Current CurrentOf(const TypeInput& in, const std::string& key) {
  Current current;
  for (const DeliveredType& one : in.delivered) {
    if (one.name_key != key) continue;
    current.last_step = std::max(current.last_step, one.step);
    const anki::Object* const own = FindType(in.notetypes, one.id);
    if (own == nullptr) continue;
    if (current.own != nullptr) current.earlier.push_back(current.own->id);
    current.own = own;
    current.base = &one;
  }
  if (current.own == nullptr) current.own = FindType(in.notetypes, StableId("type", in.deck, key));
  return current;
}

// Adds the fields and templates that the type lacks. False: there are none to add.
bool Extend(const NoteType& type, const CardDesign& theirs, OwnType& shape) {
  const std::size_t fields = shape.fields.size(), templates = shape.design.templates.size();
  for (const std::string& name : type.fields) {
    if (!HasFolded(shape.fields, name)) shape.fields.push_back(name);
  }
  const std::vector<std::string> had = NamesOf(shape.design.templates);
  for (const CardTemplate& one : theirs.templates) {
    if (!theirs.is_cloze && !HasFolded(had, one.name)) shape.design.templates.push_back(one);
  }
  return shape.fields.size() > fields || shape.design.templates.size() > templates;
}

}  // namespace

PlannedType PlanType(const TypeInput& in) {
  const std::string key = Folded(in.type.name);
  const CardDesign theirs = DesignOf(in.type);
  Current current = CurrentOf(in, key);
  PlannedType plan{.fate = DesignFate::kSame, .earlier = std::move(current.earlier)};
  if (current.own == nullptr) {
    plan.fate = DesignFate::kNew;
    plan.shape = {in.type.fields, theirs};
    plan.target = NotetypeOf(StableId("type", in.deck, key), in.type, theirs);
    plan.row = {.name_key = key, .step = 0, .id = plan.target.id, .fields = {}, .templates = {}};
  } else {
    const anki::Object& own = *current.own;
    plan.target = own;
    plan.shape = OwnTypeOf(own);
    if (current.base == nullptr) return plan;
    plan.row = *current.base;
    const bool is_theirs = plan.row.fields != plan.shape.fields ||
                           plan.row.templates != NamesOf(plan.shape.design.templates) ||
                           plan.shape.design.is_cloze != theirs.is_cloze;
    if (is_theirs || plan.shape.fields.empty()) return plan;
    OwnType shape = plan.shape;
    const bool has_changed = FollowTexts(theirs, ParseKnown(plan.row.known), shape.design);
    if (current.last_step < kMostSteps && Extend(in.type, theirs, shape)) {
      plan.fate = DesignFate::kExtended;
      plan.earlier.push_back(own.id);
      plan.row.step = current.last_step + 1;
      plan.row.id = StableId("type", in.deck, key + '\x1f' + std::to_string(plan.row.step));
      plan.target = WithShape(own, shape, in.type, plan.row.id, in.now_s);
      plan.shape = std::move(shape);
    } else if (has_changed) {
      if (own.mod >= in.now_s + kClockDifference) return plan;
      plan.fate = own.mod < in.now_s ? DesignFate::kInPlace : DesignFate::kTooEarly;
      // Newer than what devices have, and older than what a device has changed since and not sent yet: that wins.
      plan.target = WithShape(own, shape, in.type, own.id, own.mod + 1);
      plan.shape = std::move(shape);
    }
  }
  const DeliveredType before = plan.row;
  KnownTexts known = ParseKnown(plan.row.known);
  Remember(known, theirs);
  plan.row.known = PrintKnown(known);
  plan.row.fields = plan.shape.fields;
  plan.row.templates = NamesOf(plan.shape.design.templates);
  plan.has_news = plan.fate != DesignFate::kSame || plan.row.known != before.known;
  return plan;
}

bool CanBecome(const OwnType& from, const OwnType& to) {
  if (from.design.is_cloze != to.design.is_cloze) return false;
  const bool has_fields = std::all_of(from.fields.begin(), from.fields.end(), [&](const std::string& name) {
    return std::find(to.fields.begin(), to.fields.end(), name) != to.fields.end();
  });
  const auto a = NamesOf(from.design.templates), b = NamesOf(to.design.templates);
  return has_fields && a.size() <= b.size() && std::equal(a.begin(), a.end(), b.begin());
}

std::string HashOf(const std::vector<NoteType>& types) {
  std::string all;
  for (const NoteType& type : types) {
    all += type.name + '\0' + type.definition.value_or("") + '\0';
    for (const std::string& field : type.fields) all += field + '\0';
    all += '\1';
  }
  return Sha256(all);
}

}  // namespace syncline::decks
