#include "tests/support/anki_model.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "handlers/anki/objects/unicase_wire.h"
#include "handlers/base/json.h"

namespace syncline::tests {
namespace {

using anki::Card;
using anki::GraveKind;
using anki::Note;
using anki::ObjectKind;
using anki::Review;
using anki::UnicaseKey;
using anki::Usn;

constexpr std::string_view kBetween = "::";

// A value in a reply. Throws if the reply does not have the shape the protocol prescribes.
class Json {
 public:
  Json(const JsonSpans& spans, const JsonSpans::Value& value) : spans_(&spans), value_(&value) {}

  std::optional<Json> Find(std::string_view key) const {
    std::optional<Json> found;
    spans_->EachIn(*value_, [&](const JsonSpans::Value& member) {
      if (spans_->Key(member) == key) found = Json(*spans_, member);
    });
    return found;
  }
  Json At(std::string_view key) const {
    const auto found = Find(key);
    if (!found) throw std::runtime_error("the reply has no " + std::string(key));
    return *found;
  }
  std::vector<Json> List() const {
    if (value_->kind != JsonSpans::Kind::kArray) throw std::runtime_error("the reply has no list");
    std::vector<Json> list;
    spans_->EachIn(*value_, [&](const JsonSpans::Value& element) { list.emplace_back(*spans_, element); });
    return list;
  }
  std::int64_t Int() const {
    const auto number = WholeNumber(Raw());
    if (!number) throw std::runtime_error("no integer: " + std::string(Raw()));
    return *number;
  }
  template <typename Integer>
  Integer As() const {
    return static_cast<Integer>(Int());
  }
  std::string Text() const {
    if (value_->kind != JsonSpans::Kind::kString) throw std::runtime_error("no text: " + std::string(Raw()));
    return std::string(spans_->Text(*value_));
  }
  bool Bool() const { return value_->kind == JsonSpans::Kind::kTrue; }
  std::string_view Raw() const { return spans_->Raw(*value_); }

 private:
  const JsonSpans* spans_;
  const JsonSpans::Value* value_;
};

template <typename F>
auto Read(std::string_view json, F&& read) {
  const JsonSpans spans(json);
  return read(Json(spans, spans.Root()));
}

std::string Joined(const std::vector<std::string>& parts, std::string_view between = ",") {
  std::string joined;
  for (const std::string& part : parts) {
    if (&part != &parts.front()) joined += between;
    joined += part;
  }
  return joined;
}

std::string Numbers(const std::vector<std::int64_t>& numbers) {
  std::vector<std::string> parts;
  for (const std::int64_t number : numbers) parts.push_back(std::to_string(number));
  return "[" + Joined(parts) + "]";
}

std::string GravesJson(const anki::GraveIds& graves) {
  return "{\"cards\":" + Numbers(graves.cards) + ",\"decks\":" + Numbers(graves.decks) +
         ",\"notes\":" + Numbers(graves.notes) + "}";
}

// storage/sync.rs: `select id ... where usn = -1`.
template <typename Row>
std::vector<std::int64_t> PendingIds(const std::map<std::int64_t, Row>& rows) {
  std::vector<std::int64_t> ids;
  for (const auto& [id, row] : rows) {
    if (row.usn == kPending) ids.push_back(id);
  }
  return ids;
}

// The member that holds the body; nothing else in the model uses it.
std::string_view BodyKey(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kNotetype:
      return "css";
    case ObjectKind::kDeck:
      return "desc";
    case ObjectKind::kDeckConfig:
      return "note";
  }
  return "";
}

std::string CardJson(const Card& c) {
  std::vector<std::string> parts;
  for (const std::int64_t value :
       {c.id, c.note_id, c.deck_id, std::int64_t{c.ord}, c.mod, std::int64_t{c.usn}, std::int64_t{c.type},
        std::int64_t{c.queue}, std::int64_t{c.due}, c.interval, std::int64_t{c.factor}, c.reps, c.lapses,
        c.left, std::int64_t{c.original_due}, c.original_deck_id, std::int64_t{c.flags}}) {
    parts.push_back(std::to_string(value));
  }
  parts.push_back(QuoteJson(c.data));
  return "[" + Joined(parts) + "]";
}

std::string NoteJson(const Note& n) {
  return "[" +
         Joined({std::to_string(n.id), QuoteJson(n.guid), std::to_string(n.notetype_id),
                 std::to_string(n.mod), std::to_string(n.usn), QuoteJson(n.tags), QuoteJson(n.fields), "\"\"",
                 "\"\"", "0", "\"\""}) +
         "]";
}

std::string ReviewJson(const Review& r) {
  return Numbers({r.id, r.card_id, r.usn, r.ease, r.interval, r.last_interval, r.factor, r.taken_ms, r.type});
}

Card CardOf(const Json& row) {
  const std::vector<Json> at = row.List();
  Card c{};
  c.id = at.at(0).Int();
  c.note_id = at.at(1).Int();
  c.deck_id = at.at(2).Int();
  c.ord = at.at(3).As<std::int32_t>();
  c.mod = at.at(4).Int();
  c.usn = at.at(5).As<Usn>();
  c.type = at.at(6).As<std::int32_t>();
  c.queue = at.at(7).As<std::int32_t>();
  c.due = at.at(8).As<std::int32_t>();
  c.interval = at.at(9).Int();
  c.factor = at.at(10).As<std::int32_t>();
  c.reps = at.at(11).Int();
  c.lapses = at.at(12).Int();
  c.left = at.at(13).Int();
  c.original_due = at.at(14).As<std::int32_t>();
  c.original_deck_id = at.at(15).Int();
  c.flags = at.at(16).As<std::int32_t>();
  c.data = at.at(17).Text();
  return c;
}

Note NoteOf(const Json& row) {
  const std::vector<Json> at = row.List();
  return {.id = at.at(0).Int(),
          .guid = at.at(1).Text(),
          .notetype_id = at.at(2).Int(),
          .mod = at.at(3).Int(),
          .usn = at.at(4).As<Usn>(),
          .tags = at.at(5).Text(),
          .fields = at.at(6).Text()};
}

Review ReviewOf(const Json& row) {
  const std::vector<Json> at = row.List();
  return {.id = at.at(0).Int(),
          .card_id = at.at(1).Int(),
          .usn = at.at(2).As<Usn>(),
          .ease = at.at(3).As<std::int32_t>(),
          .interval = at.at(4).As<std::int32_t>(),
          .last_interval = at.at(5).As<std::int32_t>(),
          .factor = at.at(6).Int(),
          .taken_ms = at.at(7).Int(),
          .type = at.at(8).As<std::int32_t>()};
}

// Whether `name` is below `parent` in the "::" hierarchy, under the collation of the column.
bool IsBelow(std::string_view name, std::string_view parent) {
  return name.size() > parent.size() + kBetween.size() &&
         name.substr(parent.size(), kBetween.size()) == kBetween &&
         UnicaseKey(name.substr(0, parent.size())) == UnicaseKey(parent);
}

std::optional<std::string> ParentOf(const std::string& name) {
  const auto at = name.rfind(kBetween);
  return at == std::string::npos ? std::nullopt : std::optional(name.substr(0, at));
}

}  // namespace

// --- collections

bool ModelCollection::IsNameTaken(ObjectKind kind, std::string_view name, std::int64_t id) const {
  const std::string key = UnicaseKey(name);
  return std::any_of(Of(kind).begin(), Of(kind).end(), [&](const auto& object) {
    return object.first != id && UnicaseKey(object.second.name) == key;
  });
}

std::map<std::string, std::string> Contents(const ModelCollection& collection) {
  std::map<std::string, std::string> lines;
  const auto text = [](const auto&... parts) {
    std::string joined;
    const auto add = [&](const auto& part) {
      if (!joined.empty()) joined += " ";
      if constexpr (std::is_convertible_v<decltype(part), std::string>) {
        joined += QuoteJson(part);
      } else {
        joined += std::to_string(part);
      }
    };
    (add(parts), ...);
    return joined;
  };
  for (const auto& [id, n] : collection.notes) {
    lines["note " + std::to_string(id)] = text(n.guid, n.notetype_id, n.mod, n.tags, n.fields);
  }
  for (const auto& [id, c] : collection.cards) {
    lines["card " + std::to_string(id)] =
        text(c.note_id, c.deck_id, c.ord, c.mod, c.type, c.queue, c.due, c.interval, c.factor, c.reps,
             c.lapses, c.left, c.original_due, c.original_deck_id, c.flags, c.data);
  }
  for (const auto& [id, r] : collection.reviews) lines["review " + std::to_string(id)] = "";
  static constexpr const char* kKinds[] = {"notetype ", "deck ", "deck config "};
  for (std::size_t kind = 0; kind < 3; ++kind) {
    for (const auto& [id, o] : collection.objects[kind]) {
      lines[kKinds[kind] + std::to_string(id)] = text(o.name, o.mod, o.body);
    }
  }
  for (const auto& [key, tag] : collection.tags) lines["tag " + key] = "";
  lines["config"] = collection.config_json;
  lines["created"] = std::to_string(collection.created_s);
  return lines;
}

std::string Difference(const std::map<std::string, std::string>& a, std::string_view a_name,
                       const std::map<std::string, std::string>& b, std::string_view b_name) {
  std::string out;
  const auto line = [&](const std::string& what, const std::string* in_a, const std::string* in_b) {
    out += "  " + what + ": " + std::string(a_name) + (in_a != nullptr ? " has " + *in_a : " has none") +
           ", " + std::string(b_name) + (in_b != nullptr ? " has " + *in_b : " has none") + "\n";
  };
  for (const auto& [what, in_a] : a) {
    const auto in_b = b.find(what);
    if (in_b == b.end()) line(what, &in_a, nullptr);
    if (in_b != b.end() && in_b->second != in_a) line(what, &in_a, &in_b->second);
  }
  for (const auto& [what, in_b] : b) {
    if (!a.contains(what)) line(what, nullptr, &in_b);
  }
  return out;
}

std::pair<std::int64_t, ModelObject> ObjectOfJson(ObjectKind kind, std::string_view json) {
  return Read(json, [&](const Json& object) {
    return std::pair(object.At("id").Int(),
                     ModelObject{object.At("name").Text(), object.At("mod").Int(), object.At("usn").As<Usn>(),
                                 object.At(BodyKey(kind)).Text()});
  });
}

std::string ObjectJson(ObjectKind kind, std::int64_t id, const ModelObject& object) {
  std::string out = "{\"id\":" + std::to_string(id) + ",\"name\":" + QuoteJson(object.name) +
                    ",\"mod\":" + std::to_string(object.mod) + ",\"usn\":" + std::to_string(object.usn) +
                    ",\"" + std::string(BodyKey(kind)) + "\":" + QuoteJson(object.body);
  switch (kind) {
    case ObjectKind::kNotetype:
      out += R"(,"type":0,"sortf":0,"did":null,"latexPre":"","latexPost":"","latexsvg":false,"req":[],)"
             R"("tmpls":[{"name":"Card 1","ord":0,"qfmt":"{{Front}}","afmt":"{{Back}}"}],)"
             R"("flds":[{"name":"Front","ord":0,"sticky":false,"rtl":false,"font":"Arial","size":20},)"
             R"({"name":"Back","ord":1,"sticky":false,"rtl":false,"font":"Arial","size":20}])";
      break;
    case ObjectKind::kDeck:
      out += R"(,"lrnToday":[0,0],"revToday":[0,0],"newToday":[0,0],"timeToday":[0,0],"collapsed":false,)"
             R"("dyn":0,"conf":1)";
      break;
    case ObjectKind::kDeckConfig:
      out += R"(,"maxTaken":60,"autoplay":true,"timer":0,"new":{},"rev":{},"lapse":{})";
      break;
  }
  return out + "}";
}

// --- user actions

// Collection::transact: all or nothing; updates the collection's modification time.
template <typename F>
bool ModelClient::Do(std::int64_t now_s, F&& change) {
  if (IsSyncing()) return false;
  ModelCollection before = collection;
  taken_ = {};
  if (!change()) {
    collection = std::move(before);
    return false;
  }
  undo_ = std::move(before);
  has_changed_ = true;
  collection.mod_ms = Now(now_s) * 1000 + 999;
  return true;
}

// tags/register.rs: an existing tag is kept unchanged; a new one takes the spelling of its nearest parent.
void ModelClient::RegisterTag(const std::string& name, Usn usn) {
  if (name.empty() || collection.tags.contains(anki::TagKey(name))) return;
  std::string spelled = name;
  for (auto parent = ParentOf(name); parent; parent = ParentOf(*parent)) {
    const auto found = collection.tags.find(anki::TagKey(*parent));
    if (found == collection.tags.end()) continue;
    spelled = found->second.name + name.substr(parent->size());
    break;
  }
  collection.tags[anki::TagKey(name)] = {spelled, usn};
}

// Today's clients cannot delete an object again after it was deleted, restored and synced: the existing grave
// keeps its usn, the deletion is not sent, and the sanity check fails with any server. Graves of old clients
// had no key, so they added a second grave instead.
bool ModelClient::CanBury(GraveKind kind, std::int64_t id) const {
  const auto found = collection.graves.find({kind, id});
  return habits.sends_graves_in_start || found == collection.graves.end() || found->second == kPending;
}

// storage/graves/add.sql: an existing grave keeps its usn.
void ModelClient::Bury(GraveKind kind, std::int64_t id, Usn usn) {
  const auto [grave, is_new] = collection.graves.try_emplace({kind, id}, usn);
  if (!is_new && usn == kPending) grave->second = usn;  // see CanBury
}

bool ModelClient::AddNote(std::int64_t now_s, std::int64_t id, std::int64_t notetype, std::int64_t deck,
                          int cards, const std::string& text, const std::string& tag) {
  return Do(now_s, [&] {
    if (!collection.Of(ObjectKind::kNotetype).contains(notetype) || !collection.Decks().contains(deck) ||
        collection.notes.contains(id))
      return false;
    RegisterTag(tag, kPending);
    collection.notes[id] = {.id = id,
                            .guid = "g" + std::to_string(id),
                            .notetype_id = notetype,
                            .mod = Now(now_s),
                            .usn = kPending,
                            .tags = tag.empty() ? "" : " " + tag + " ",
                            .fields = text + "\x1f" + "back"};
    for (int ord = 0; ord < cards; ++ord) {
      Card card{};
      card.id = id + 1 + ord;
      card.note_id = id;
      card.deck_id = deck;
      card.ord = ord;
      card.mod = Now(now_s);
      card.usn = kPending;
      card.data = "{}";
      collection.cards[card.id] = card;
    }
    return true;
  });
}

bool ModelClient::EditNote(std::int64_t now_s, std::int64_t id, const std::string& text,
                           const std::string& tag) {
  return Do(now_s, [&] {
    const auto note = collection.notes.find(id);
    if (note == collection.notes.end()) return false;
    RegisterTag(tag, kPending);
    note->second.fields = text + "\x1f" + "back";
    note->second.tags = tag.empty() ? "" : " " + tag + " ";
    note->second.mod = Now(now_s);
    note->second.usn = kPending;
    return true;
  });
}

// notes/mod.rs and card/mod.rs: removes cards, then notes without cards left; adds a grave for each.
bool ModelClient::RemoveCards(const std::vector<std::int64_t>& ids) {
  for (const std::int64_t id : ids) {
    if (!CanBury(GraveKind::kCard, id)) return false;
    const Card card = collection.cards.at(id);
    taken_.cards.push_back(card);
    collection.cards.erase(id);
    Bury(GraveKind::kCard, id, kPending);
    const bool has_more =
        std::any_of(collection.cards.begin(), collection.cards.end(),
                    [&](const auto& other) { return other.second.note_id == card.note_id; });
    const auto note = collection.notes.find(card.note_id);
    if (has_more || note == collection.notes.end()) continue;
    if (!CanBury(GraveKind::kNote, note->first)) return false;
    taken_.notes.push_back(note->second);
    Bury(GraveKind::kNote, note->first, kPending);
    collection.notes.erase(note);
  }
  return true;
}

bool ModelClient::DeleteNote(std::int64_t now_s, std::int64_t id) {
  return Do(now_s, [&] {
    const auto note = collection.notes.find(id);
    if (note == collection.notes.end()) return false;
    std::vector<std::int64_t> cards;
    for (const auto& [card_id, card] : collection.cards) {
      if (card.note_id == id) cards.push_back(card_id);
    }
    if (!cards.empty()) return RemoveCards(cards);
    if (!CanBury(GraveKind::kNote, id)) return false;
    taken_.notes.push_back(note->second);
    Bury(GraveKind::kNote, id, kPending);
    collection.notes.erase(note);
    return true;
  });
}

bool ModelClient::AddCard(std::int64_t now_s, std::int64_t note, std::int64_t id, std::int64_t deck) {
  return Do(now_s, [&] {
    if (!collection.notes.contains(note) || !collection.Decks().contains(deck) ||
        collection.cards.contains(id))
      return false;
    Card card{};
    card.id = id;
    card.note_id = note;
    card.deck_id = deck;
    card.ord = 5;
    card.mod = Now(now_s);
    card.usn = kPending;
    card.data = "{}";
    collection.cards[id] = card;
    return true;
  });
}

bool ModelClient::DeleteCard(std::int64_t now_s, std::int64_t id) {
  return Do(now_s, [&] {
    if (!collection.cards.contains(id)) return false;
    return RemoveCards({id});
  });
}

bool ModelClient::MoveCard(std::int64_t now_s, std::int64_t id, std::int64_t deck) {
  return Do(now_s, [&] {
    const auto card = collection.cards.find(id);
    if (card == collection.cards.end() || !collection.Decks().contains(deck)) return false;
    card->second.deck_id = deck;
    card->second.mod = Now(now_s);
    card->second.usn = kPending;
    return true;
  });
}

bool ModelClient::EditCard(std::int64_t now_s, std::int64_t id, int due) {
  return Do(now_s, [&] {
    const auto card = collection.cards.find(id);
    if (card == collection.cards.end()) return false;
    card->second.due = due;
    card->second.flags = due % 8;
    card->second.mod = Now(now_s);
    card->second.usn = kPending;
    return true;
  });
}

bool ModelClient::ReviewCard(std::int64_t now_s, std::int64_t id, std::int64_t review, int ease) {
  return Do(now_s, [&] {
    const auto card = collection.cards.find(id);
    if (card == collection.cards.end()) return false;
    ++card->second.reps;
    card->second.queue = card->second.type = 2;
    card->second.interval = ease;
    card->second.mod = Now(now_s);
    card->second.usn = kPending;
    // storage/revlog/add.sql with unique ids: the next one after the last.
    if (collection.reviews.contains(review)) review = collection.reviews.rbegin()->first + 1;
    Review row{};
    row.id = review;
    row.card_id = id;
    row.usn = kPending;
    row.ease = ease;
    row.taken_ms = 1000 + Now(now_s) % 1000;
    collection.reviews[review] = row;
    return true;
  });
}

// decks/name.rs, notetype/mod.rs.
void ModelClient::MakeNameUnique(ObjectKind kind, std::int64_t id, ModelObject& object, std::int64_t now_s,
                                 Usn usn) const {
  while (collection.IsNameTaken(kind, object.name, id)) {
    object.name += "+";
    object.mod = Now(now_s);
    object.usn = usn;
  }
}

// decks/addupdate.rs: the nearest existing parent determines the spelling of all parents.
std::optional<std::string> ModelClient::ParentSpelling(const std::string& name) const {
  for (auto parent = ParentOf(name); parent; parent = ParentOf(*parent)) {
    for (const auto& [id, deck] : collection.Of(ObjectKind::kDeck)) {
      if (UnicaseKey(deck.name) == UnicaseKey(*parent)) return deck.name + name.substr(parent->size());
    }
  }
  return std::nullopt;
}

void ModelClient::CreateMissingParents(const std::string& name, std::int64_t now_s, std::int64_t fresh_id) {
  for (auto parent = ParentOf(name); parent; parent = ParentOf(*parent)) {
    if (!collection.IsNameTaken(ObjectKind::kDeck, *parent, 0))
      collection.Decks()[fresh_id++] = {*parent, Now(now_s), kPending, ""};
  }
}

std::vector<std::int64_t> ModelClient::ChildrenOf(const std::string& name) const {
  std::vector<std::int64_t> ids;
  for (const auto& [id, deck] : collection.Of(ObjectKind::kDeck)) {
    if (IsBelow(deck.name, name)) ids.push_back(id);
  }
  return ids;
}

bool ModelClient::AddDeck(std::int64_t now_s, std::int64_t id, const std::string& name) {
  return Do(now_s, [&] {
    if (collection.Decks().contains(id)) return false;
    ModelObject deck{name, Now(now_s), kPending, ""};
    MakeNameUnique(ObjectKind::kDeck, id, deck, now_s, kPending);
    deck.name = ParentSpelling(deck.name).value_or(deck.name);
    CreateMissingParents(deck.name, now_s, id + 1);
    collection.Decks()[id] = deck;
    return true;
  });
}

bool ModelClient::RenameDeck(std::int64_t now_s, std::int64_t id, const std::string& name,
                             std::int64_t fresh_id) {
  return Do(now_s, [&] {
    const auto found = collection.Decks().find(id);
    if (found == collection.Decks().end() || found->second.name == name || IsBelow(name, found->second.name))
      return false;
    const std::string old = found->second.name;
    ModelObject deck = found->second;
    deck.name = name;
    MakeNameUnique(ObjectKind::kDeck, id, deck, now_s, kPending);
    if (deck.name == old) return false;
    deck.mod = Now(now_s);
    deck.usn = kPending;
    deck.name = ParentSpelling(deck.name).value_or(deck.name);
    for (const std::int64_t child_id : ChildrenOf(old)) {
      ModelObject& child = collection.Decks().at(child_id);
      child.name = deck.name + child.name.substr(old.size());
      child.mod = Now(now_s);
      child.usn = kPending;
      // In the real client, a clash is a database error.
      if (collection.IsNameTaken(ObjectKind::kDeck, child.name, child_id)) return false;
    }
    collection.Decks()[id] = deck;
    CreateMissingParents(deck.name, now_s, fresh_id);
    return !collection.IsNameTaken(ObjectKind::kDeck, deck.name, id);
  });
}

bool ModelClient::EditDeck(std::int64_t now_s, std::int64_t id, const std::string& body) {
  return EditObject(now_s, ObjectKind::kDeck, id, body);
}

// decks/remove.rs.
bool ModelClient::DeleteDeck(std::int64_t now_s, std::int64_t id) {
  return Do(now_s, [&] {
    const auto found = collection.Decks().find(id);
    if (id == 1 || found == collection.Decks().end()) return false;
    std::vector<std::int64_t> ids = ChildrenOf(found->second.name);
    ids.insert(ids.begin(), id);
    for (const std::int64_t deck_id : ids) {
      if (deck_id == 1) continue;
      std::vector<std::int64_t> cards;
      for (const auto& [card_id, card] : collection.cards) {
        if (card.deck_id == deck_id) cards.push_back(card_id);
      }
      if (!RemoveCards(cards) || !CanBury(GraveKind::kDeck, deck_id)) return false;
      taken_.decks[deck_id] = collection.Decks().at(deck_id);
      collection.Decks().erase(deck_id);
      Bury(GraveKind::kDeck, deck_id, kPending);
    }
    return true;
  });
}

bool ModelClient::AddObject(std::int64_t now_s, ObjectKind kind, std::int64_t id, const std::string& name) {
  return Do(now_s, [&] {
    if (collection.Of(kind).contains(id)) return false;
    ModelObject object{name, Now(now_s), kPending, ""};
    if (kind != ObjectKind::kDeckConfig) MakeNameUnique(kind, id, object, now_s, kPending);
    collection.Of(kind)[id] = object;
    return true;
  });
}

bool ModelClient::RenameObject(std::int64_t now_s, ObjectKind kind, std::int64_t id,
                               const std::string& name) {
  return Do(now_s, [&] {
    const auto found = collection.Of(kind).find(id);
    if (found == collection.Of(kind).end()) return false;
    found->second.name = name;
    if (kind != ObjectKind::kDeckConfig) MakeNameUnique(kind, id, found->second, now_s, kPending);
    found->second.mod = Now(now_s);
    found->second.usn = kPending;
    return true;
  });
}

bool ModelClient::EditObject(std::int64_t now_s, ObjectKind kind, std::int64_t id, const std::string& body) {
  return Do(now_s, [&] {
    const auto found = collection.Of(kind).find(id);
    if (found == collection.Of(kind).end()) return false;
    found->second.body = body;
    found->second.mod = Now(now_s);
    found->second.usn = kPending;
    return true;
  });
}

bool ModelClient::SetConfig(std::int64_t now_s, const std::string& json) {
  return Do(now_s, [&] {
    collection.config_json = json;
    return true;
  });
}

bool ModelClient::SetCreated(std::int64_t now_s, std::int64_t created_s) {
  return Do(now_s, [&] {
    collection.created_s = created_s;
    return true;
  });
}

bool ModelClient::Undo(std::int64_t now_s) {
  if (IsSyncing() || !undo_) return false;
  collection = *std::exchange(undo_, std::nullopt);
  taken_ = {};
  collection.mod_ms = Now(now_s) * 1000 + 999;
  return true;
}

bool ModelClient::BringBack(std::int64_t now_s, bool with_old_mod) {
  const Taken taken = taken_;
  if (taken.notes.empty() && taken.cards.empty() && taken.decks.empty()) return false;
  return Do(now_s, [&] {
    const auto back = [&](auto& rows, auto row) {
      row.usn = kPending;
      if (!with_old_mod) row.mod = Now(now_s);
      rows.insert_or_assign(row.id, row);
    };
    for (const Note& note : taken.notes) back(collection.notes, note);
    for (const Card& card : taken.cards) back(collection.cards, card);
    for (const auto& [id, deck] : taken.decks) {
      if (collection.IsNameTaken(ObjectKind::kDeck, deck.name, id)) return false;
      collection.Decks()[id] = {deck.name, with_old_mod ? deck.mod : Now(now_s), kPending, deck.body};
    }
    return true;
  });
}

// --- a sync

void ModelClient::BeginSync() {
  step_ = Step::kMeta;
}

std::pair<std::string, std::string> ModelClient::Next() {
  switch (step_) {
    case Step::kIdle:
      break;
    case Step::kMeta:
      return {"meta", R"({"v":11,"cv":"model"})"};
    case Step::kStart: {
      // A client without graves to send omits them or sends null.
      std::string body = "{\"minUsn\":" + std::to_string(sent_.client_usn) +
                         ",\"lnewer\":" + (sent_.is_newer ? "true" : "false");
      if (habits.sends_graves_in_start) {
        TakePendingGraves();
        body += ",\"graves\":" + GravesJson(std::exchange(graves_left_, {}));
      }
      return {"start", body + "}"};
    }
    case Step::kGraves:
      return {"applyGraves", "{\"chunk\":" + GravesJson(NextGraves()) + "}"};
    case Step::kChanges:
      return {"applyChanges", ChangesBody()};
    case Step::kChunk:
      return {"chunk", R"({"_pad":null})"};
    case Step::kApplyChunk:
      return {"applyChunk", NextRows(sends_last_rows_)};
    case Step::kSanity:
      return {"sanityCheck2", SanityBody()};
    case Step::kFinish:
      return {"finish", R"({"_pad":null})"};
  }
  throw std::logic_error("no sync");
}

void ModelClient::Hear(std::int64_t now_s, std::string_view reply) {
  const auto begin_changes = [&] {
    // sync/collection/start.rs: the server's graves are applied after our own were sent.
    ApplyGraves(start_reply_);
    step_ = Step::kChanges;
  };
  const auto has_graves = [&] { return !graves_left_.empty(); };
  switch (step_) {
    case Step::kIdle:
      throw std::logic_error("no sync");
    case Step::kMeta:
      return HearMeta(reply);
    case Step::kStart:
      start_reply_ = reply;
      TakePendingGraves();
      step_ = Step::kGraves;
      if (!has_graves()) begin_changes();
      return;
    case Step::kGraves:
      if (!has_graves()) begin_changes();
      return;
    case Step::kChanges:
      ApplyChanges(now_s, reply);
      step_ = Step::kChunk;
      return;
    case Step::kChunk:
      if (!ApplyChunk(reply)) return;
      GatherRows();
      step_ = Step::kApplyChunk;
      return;
    case Step::kApplyChunk:
      if (sends_last_rows_) step_ = Step::kSanity;
      return;
    case Step::kSanity: {
      const std::string status = Read(reply, [](const Json& json) { return json.At("status").Text(); });
      if (status != "ok") throw std::runtime_error("the sanity check failed: " + std::string(reply));
      step_ = Step::kFinish;
      return;
    }
    case Step::kFinish:
      // sync/collection/finish.rs: the usn after the one this sync wrote, and the server's modification time.
      collection.mod_ms = Read(reply, [](const Json& json) { return json.Int(); });
      collection.usn = sent_.server_usn + 1;
      has_changed_ = false;
      step_ = Step::kIdle;
      return;
  }
}

void ModelClient::RollBack() {
  if (step_ != Step::kIdle && step_ != Step::kMeta) collection = before_;
  step_ = Step::kIdle;
}

// sync/collection/meta.rs.
void ModelClient::HearMeta(std::string_view reply) {
  sent_ = {};
  Read(reply, [&](const Json& meta) {
    const std::int64_t mod_ms = meta.At("mod").Int();
    // Both clocks at the same millisecond: never in practice, but it happens in thousands of tests.
    if (mod_ms == collection.mod_ms && has_changed_) ++collection.mod_ms;
    if (mod_ms == collection.mod_ms) {
      step_ = Step::kIdle;
      return;
    }
    if (meta.At("scm").Int() != collection.schema_ms) throw std::runtime_error("a full sync was asked for");
    sent_.is_newer = collection.mod_ms > mod_ms;
    sent_.client_usn = collection.usn;
    sent_.server_usn = meta.At("usn").As<Usn>();
    before_ = collection;
    undo_.reset();
    taken_ = {};
    start_reply_.clear();
    graves_left_ = {};
    step_ = Step::kStart;
  });
}

// storage/graves/mod.rs: pending graves get the server's usn.
void ModelClient::TakePendingGraves() {
  for (auto& [grave, usn] : collection.graves) {
    if (usn != kPending) continue;
    usn = sent_.server_usn;
    const auto& [kind, id] = grave;
    (kind == GraveKind::kCard   ? graves_left_.cards
     : kind == GraveKind::kNote ? graves_left_.notes
                                : graves_left_.decks)
        .push_back(id);
    sent_.graves.push_back(grave);
  }
}

// sync/collection/graves.rs: takes from the ends of the lists, in the order cards, notes, decks.
anki::GraveIds ModelClient::NextGraves() {
  anki::GraveIds chunk;
  int room = habits.chunk_rows;
  const auto move = [&](std::vector<std::int64_t>& from, std::vector<std::int64_t>& to) {
    for (; room > 0 && !from.empty(); --room) {
      to.push_back(from.back());
      from.pop_back();
    }
  };
  move(graves_left_.cards, chunk.cards);
  move(graves_left_.notes, chunk.notes);
  move(graves_left_.decks, chunk.decks);
  return chunk;
}

// sync/collection/graves.rs: objects with a grave on the server are removed here, whatever their state.
void ModelClient::ApplyGraves(std::string_view reply) {
  Read(reply, [&](const Json& graves) {
    const auto each = [&](std::string_view key, GraveKind kind, auto& rows) {
      for (const Json& id : graves.At(key).List()) {
        rows.erase(id.Int());
        Bury(kind, id.Int(), sent_.server_usn);
      }
    };
    each("notes", GraveKind::kNote, collection.notes);
    each("cards", GraveKind::kCard, collection.cards);
    each("decks", GraveKind::kDeck, collection.Decks());
  });
}

// sync/collection/changes.rs: pending objects get the server's usn and are sent.
std::string ModelClient::ChangesBody() {
  std::array<std::string, 3> lists;
  for (const auto kind : {ObjectKind::kNotetype, ObjectKind::kDeck, ObjectKind::kDeckConfig}) {
    std::vector<std::string> jsons;
    for (const std::int64_t id : PendingIds(collection.Of(kind))) {
      ModelObject& object = collection.Of(kind).at(id);
      object.usn = sent_.server_usn;
      jsons.push_back(ObjectJson(kind, id, object));
      sent_.objects[static_cast<std::size_t>(kind)].emplace_back(id, object);
    }
    lists[static_cast<std::size_t>(kind)] = "[" + Joined(jsons) + "]";
  }
  std::vector<std::string> tags;
  for (auto& [key, tag] : collection.tags) {
    if (tag.usn != kPending) continue;
    tag.usn = sent_.server_usn;
    tags.push_back(QuoteJson(tag.name));
    sent_.tags.push_back(tag.name);
  }
  std::string body = "{\"changes\":{\"models\":" + lists[0] + ",\"decks\":[" + lists[1] + "," + lists[2] +
                     "],\"tags\":[" + Joined(tags) + "]";
  if (sent_.is_newer) {
    sent_.config_json = collection.config_json;
    sent_.created_s = collection.created_s;
    body += ",\"conf\":" + collection.config_json + ",\"crt\":" + std::to_string(collection.created_s);
  }
  return body + "}}";
}

// sync/collection/changes.rs: applies the lists in order.
void ModelClient::ApplyChanges(std::int64_t now_s, std::string_view reply) {
  Read(reply, [&](const Json& changes) {
    for (const Json& item : changes.At("models").List())
      MergeObject(now_s, ObjectKind::kNotetype, item.Raw());
    const std::vector<Json> lists = changes.At("decks").List();
    for (const Json& item : lists.at(0).List()) MergeObject(now_s, ObjectKind::kDeck, item.Raw());
    for (const Json& item : lists.at(1).List()) MergeObject(now_s, ObjectKind::kDeckConfig, item.Raw());
    for (const Json& tag : changes.At("tags").List()) RegisterTag(tag.Text(), sent_.server_usn);
    if (const auto created = changes.Find("crt")) collection.created_s = created->Int();
    if (const auto config = changes.Find("conf")) collection.config_json = config->Raw();
  });
}

// Takes an object that is not older than ours, under a name that is free here.
void ModelClient::MergeObject(std::int64_t now_s, ObjectKind kind, std::string_view json) {
  auto [id, object] = ObjectOfJson(kind, json);
  const auto existing = collection.Of(kind).find(id);
  if (existing != collection.Of(kind).end() && existing->second.mod > object.mod) return;
  if (kind != ObjectKind::kDeckConfig) MakeNameUnique(kind, id, object, now_s, sent_.server_usn);
  collection.Of(kind)[id] = object;
}

// sync/collection/chunks.rs: a row is taken unless our own is pending and not older; of reviews, the first
// one is kept. Returns whether it was the last chunk.
bool ModelClient::ApplyChunk(std::string_view reply) {
  return Read(reply, [&](const Json& chunk) {
    const auto each = [&](std::string_view key, auto&& take) {
      if (const auto rows = chunk.Find(key)) {
        for (const Json& row : rows->List()) take(row);
      }
    };
    const auto merge = [](auto& rows, const auto& row) {
      const auto existing = rows.find(row.id);
      if (existing != rows.end() && existing->second.usn == kPending && existing->second.mod >= row.mod)
        return;
      rows.insert_or_assign(row.id, row);
    };
    each("revlog", [&](const Json& row) {
      const Review review = ReviewOf(row);
      collection.reviews.try_emplace(review.id, review);
    });
    each("cards", [&](const Json& row) { merge(collection.cards, CardOf(row)); });
    each("notes", [&](const Json& row) {
      const Note note = NoteOf(row);
      if (!collection.Of(ObjectKind::kNotetype).contains(note.notetype_id))
        throw std::runtime_error("note " + std::to_string(note.id) + " came without its notetype");
      merge(collection.notes, note);
    });
    return chunk.At("done").Bool();
  });
}

// Pending rows are collected once, after the server's rows have been merged.
void ModelClient::GatherRows() {
  reviews_left_ = PendingIds(collection.reviews);
  notes_left_ = PendingIds(collection.notes);
  cards_left_ = PendingIds(collection.cards);
}

// sync/collection/chunks.rs: takes from the ends of the lists, one of each kind in turn; the last message is
// the first with room left.
std::string ModelClient::NextRows(bool& is_last) {
  std::vector<std::string> reviews, cards, notes;
  int room = habits.chunk_rows;
  const auto take = [&](std::vector<std::int64_t>& ids, auto& rows, auto& sent, auto print,
                        std::vector<std::string>& out) {
    if (ids.empty()) return false;
    auto& row = rows.at(ids.back());
    ids.pop_back();
    row.usn = sent_.server_usn;
    sent.push_back(row);
    out.push_back(print(row));
    --room;
    return true;
  };
  for (bool has_more = true; room > 0 && has_more;) {
    const bool has_review = take(reviews_left_, collection.reviews, sent_.reviews, ReviewJson, reviews);
    const bool has_note = take(notes_left_, collection.notes, sent_.notes, NoteJson, notes);
    const bool has_card = take(cards_left_, collection.cards, sent_.cards, CardJson, cards);
    has_more = has_review || has_note || has_card;
  }
  is_last = room > 0;
  std::string chunk = std::string("{\"done\":") + (is_last ? "true" : "false");
  const auto add = [&](const char* key, const std::vector<std::string>& rows) {
    if (!rows.empty()) chunk += std::string(",\"") + key + "\":[" + Joined(rows) + "]";
  };
  add("revlog", reviews);
  add("cards", cards);
  add("notes", notes);
  return "{\"chunk\":" + chunk + "}}";
}

// storage/sync_check.rs: nothing may be pending any more.
std::string ModelClient::SanityBody() const {
  const auto none_pending = [](const char* what, const auto& rows) {
    if (!PendingIds(rows).empty()) throw std::runtime_error(std::string("still pending: ") + what);
  };
  none_pending("cards", collection.cards);
  none_pending("notes", collection.notes);
  none_pending("reviews", collection.reviews);
  for (const ObjectMap& objects : collection.objects) none_pending("objects", objects);
  const auto size = [](const auto& rows) { return static_cast<std::int64_t>(rows.size()); };
  const auto& [notetypes, decks, deck_configs] = collection.objects;
  const std::string counts =
      Numbers({size(collection.cards), size(collection.notes), size(collection.reviews),
               size(collection.graves), size(notetypes), size(decks), size(deck_configs)});
  return "{\"client\":[[0,0,0]," + counts.substr(1) + "}";
}

}  // namespace syncline::tests
