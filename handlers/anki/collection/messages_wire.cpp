#include "handlers/anki/collection/messages_wire.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <unordered_set>
#include <utility>

#include "handlers/anki/objects/schema18_wire.h"
#include "handlers/base/errors.h"
#include "handlers/base/id_map.h"
#include "handlers/base/json.h"

namespace syncline::anki {
namespace {

using Value = JsonSpans::Value;
using Kind = JsonSpans::Kind;

constexpr std::int64_t kMaxUint32 = std::numeric_limits<std::uint32_t>::max();

// Records the whole message: it holds at most a few hundred rows, whatever the size of the collection.
JsonSpans Parse(std::string_view json, int record_depth = JsonSpans::kMaxDepth) {
  try {
    return JsonSpans(json, record_depth);
  } catch (const BadJson& e) {
    throw BadInput(std::string(kBadJson), e.what());
  }
}

// A value of a message and its place, which errors name for the log. A value that is missing, of another type
// or out of range is "bad_json", as in upstream's parser; the session goes on.
class Item {
 public:
  static constexpr int kNone = -1;

  Item(const JsonSpans& spans, const Value& value, std::string_view name, int row = kNone, int index = kNone)
      : spans_(spans), value_(value), name_(name), row_(row), index_(index) {}

  Kind Type() const { return value_.kind; }
  std::string_view Raw() const { return spans_.Raw(value_); }

  std::string Text() const {
    if (value_.kind != Kind::kString) throw Misshapen("not a string");
    return spans_.Text(value_);
  }
  bool Bool() const {
    if (value_.kind != Kind::kTrue && value_.kind != Kind::kFalse) throw Misshapen("not a boolean");
    return value_.kind == Kind::kTrue;
  }
  template <typename Integer = std::int64_t>
  Integer Int(std::int64_t min = std::numeric_limits<Integer>::min(),
              std::int64_t max = std::numeric_limits<Integer>::max()) const {
    const auto number = value_.kind == Kind::kNumber ? WholeNumber(Raw()) : std::nullopt;
    if (!number || *number < min || *number > max) throw Misshapen("not an integer in range");
    return static_cast<Integer>(*number);
  }
  // For what the reference calls "number": floats are truncated, and values clamped to the range.
  template <typename Integer = std::int64_t>
  Integer Number(std::int64_t min = std::numeric_limits<Integer>::min(),
                 std::int64_t max = std::numeric_limits<Integer>::max()) const {
    if (value_.kind != Kind::kNumber) throw Misshapen("not a number");
    if (const auto number = WholeNumber(Raw())) return static_cast<Integer>(std::clamp(*number, min, max));
    double real = 0;
    std::from_chars(Raw().data(), Raw().data() + Raw().size(), real);
    if (!(real > static_cast<double>(min))) return static_cast<Integer>(min);
    if (!(real < static_cast<double>(max))) return static_cast<Integer>(max);
    return static_cast<Integer>(real);
  }
  // In lists of ids, old clients write numbers as strings.
  std::int64_t IdOrText() const {
    if (value_.kind != Kind::kString) return Int();
    const auto number = WholeNumber(Text());
    if (!number) throw Misshapen("not an id");
    return *number;
  }

  // The member of an object; nothing if it is missing.
  std::optional<Item> Find(std::string_view key) const {
    if (value_.kind != Kind::kObject) throw Misshapen("not an object; looked for key " + std::string(key));
    std::optional<Item> found;
    spans_.EachIn(value_, [&](const Value& member) {
      if (spans_.Key(member) != key) return;
      if (found) throw Misshapen("duplicate key " + std::string(key));
      found.emplace(spans_, member, key);
    });
    return found;
  }
  // Null counts as missing.
  std::optional<Item> FindUnlessNull(std::string_view key) const {
    const auto found = Find(key);
    return found && found->Type() != Kind::kNull ? found : std::nullopt;
  }
  Item Need(std::string_view key) const {
    const auto found = Find(key);
    if (!found) throw Misshapen("missing key " + std::string(key));
    return *found;
  }

  // The elements of a list, each under its position.
  template <typename Visit>
  void Each(Visit visit) const {
    if (value_.kind != Kind::kArray) throw Misshapen("not a list");
    int index = 0;
    spans_.EachIn(value_,
                  [&](const Value& element) { visit(Item(spans_, element, name_, index_, index++)); });
  }
  // A list whose positions have meanings. Like upstream's parser, refuses fewer than `min` and more than
  // `max` elements.
  std::vector<Item> Tuple(std::size_t min, std::size_t max) const {
    std::vector<Item> elements;
    elements.reserve(max);
    Each([&](const Item& element) {
      if (elements.size() == max) throw Misshapen("too long");
      elements.push_back(element);
    });
    if (elements.size() < min) throw Misshapen("too short");
    return elements;
  }

  Error Misshapen(const std::string& what) const {
    std::string place(name_);
    for (const int index : {row_, index_}) {
      if (index != kNone) place += '[' + std::to_string(index) + ']';
    }
    return BadInput(std::string(kBadJson), place + ": " + what);
  }

 private:
  const JsonSpans& spans_;
  const Value& value_;
  std::string_view name_;  // the key it is under: a literal
  int row_, index_;        // position of its list, and in its list; kNone: not in one
};

Item Root(const JsonSpans& spans) {
  return {spans, spans.Root(), "message"};
}

// PostgreSQL's text cannot hold NUL. In these columns NUL has no meaning to any client.
std::string WithoutNul(std::string text) {
  std::erase(text, '\0');
  return text;
}

// Removes control characters except tab, newline and the field separator, as upstream's server does.
std::string CleanFields(std::string fields) {
  std::erase_if(fields, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\x1f') || c == '\x7f';
  });
  return fields;
}

template <typename Ints = std::initializer_list<std::int64_t>>
void AppendInts(std::string& out, const Ints& values) {
  bool is_first = true;
  for (const std::int64_t value : values) {
    if (!std::exchange(is_first, false)) out += ',';
    char digits[24];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
}

void AppendRow(std::string& out) {
  if (!out.empty()) out += ',';
  out += '[';
}

std::string List(const std::vector<std::int64_t>& ids) {
  std::string out = "[";
  AppendInts(out, ids);
  return out + ']';
}

Card ParseCard(const Item& row) {
  const auto at = row.Tuple(18, 18);
  Card card{};
  card.id = at[0].Int();
  card.note_id = at[1].Int();
  card.deck_id = at[2].Int();
  card.ord = at[3].Int<std::int32_t>(0, 65535);
  card.mod = at[4].Number();
  at[5].Int<Usn>();  // checked only: rows get the session's usn
  card.type = at[6].Int<std::int32_t>(0, 3);
  card.queue = at[7].Int<std::int32_t>(-3, 4);
  card.due = at[8].Number<std::int32_t>();
  card.interval = at[9].Number(0, kMaxUint32);
  card.factor = at[10].Int<std::int32_t>(0, 65535);
  card.reps = at[11].Int(0, kMaxUint32);
  card.lapses = at[12].Int(0, kMaxUint32);
  card.left = at[13].Int(0, kMaxUint32);
  card.original_due = at[14].Number<std::int32_t>();
  card.original_deck_id = at[15].Int();
  card.flags = at[16].Int<std::int32_t>(0, 255);
  card.data = WithoutNul(at[17].Text());
  return card;
}

Note ParseNote(const Item& row) {
  const auto at = row.Tuple(11, 11);
  Note note{};
  note.id = at[0].Int();
  note.guid = WithoutNul(at[1].Text());
  note.notetype_id = at[2].Int();
  note.mod = at[3].Int();
  at[4].Int<Usn>();
  note.tags = WithoutNul(at[5].Text());
  note.fields = CleanFields(at[6].Text());
  return note;
}

Review ParseReview(const Item& row) {
  const auto at = row.Tuple(8, 9);
  Review review{};
  review.id = at[0].Int();
  review.card_id = at[1].Int();
  at[2].Int<Usn>();
  review.ease = at[3].Int<std::int32_t>(0, 255);
  review.interval = at[4].Number<std::int32_t>();
  review.last_interval = at[5].Number<std::int32_t>();
  review.factor = at[6].Number(0, kMaxUint32);
  review.taken_ms = at[7].Number(0, kMaxUint32);
  // Old clients omit the type, or send one that no longer exists.
  if (at.size() == 9 && at[8].Type() == Kind::kNumber) {
    const auto type = at[8].Number<std::int32_t>(-1, 255);
    review.type = type >= 0 && type <= 5 ? type : 0;
  }
  return review;
}

GraveIds ParseGraveIds(const Item& graves) {
  const auto ids = [&graves](std::string_view kind) {
    std::vector<std::int64_t> list;
    graves.Need(kind).Each([&](const Item& id) { list.push_back(id.IdOrText()); });
    return list;
  };
  return {ids("cards"), ids("notes"), ids("decks")};
}

// Accepts only what upstream's own conversion accepts. Otherwise every other client of the account would
// receive an object that it cannot parse, and could not sync until that object is gone.
Object ParseObject(const Item& item, ObjectKind kind) {
  const std::string_view json = item.Raw();
  Object object{};
  const auto take = [&object](const auto& row) {
    object.id = row.id;
    object.name = WithoutNul(row.name);
    object.mod = row.mod;
  };
  try {
    if (kind == ObjectKind::kNotetype) {
      const NotetypeRow row = NotetypeFromJson(json);
      take(row);
      object.field_count = static_cast<std::int32_t>(row.fields.size());
      object.template_count = static_cast<std::int32_t>(row.templates.size());
    } else if (kind == ObjectKind::kDeck) {
      const DeckRow row = DeckFromJson(json);
      take(row);
      // Normalised, as clients store it.
      object.name = WithoutNul(HumanDeckName(row.name));
    } else {
      take(DeckConfigFromJson(json));
    }
  } catch (const BadObject& e) {
    throw item.Misshapen(e.what());
  }
  // Only receiving clients would refuse these: id 0, and, outside of decks, duplicate keys.
  if (object.id == 0) throw item.Misshapen("id 0");
  if (kind != ObjectKind::kDeck) {
    for (const char* key : {"id", "name", "mod", "usn"}) item.Need(key);
  }
  object.json = json;
  return object;
}

// Limit for the names of all objects of a kind in a message: a merge holds some ten copies of each. 10,000 decks with
// names of 100 bytes have a quarter of it.
constexpr std::size_t kMaxNameBytes = 4 << 20;

// If a message has an id twice, the last object counts, as if they were applied one after the other.
std::vector<Object> ParseObjects(const Item& list, ObjectKind kind) {
  std::vector<Object> objects;
  IdMap<std::size_t> places;
  std::size_t name_bytes = 0;
  list.Each([&](const Item& item) {
    Object object = ParseObject(item, kind);
    name_bytes += object.name.size();
    if (name_bytes > kMaxNameBytes) throw item.Misshapen("names too long");
    const auto [place, is_new] = places.try_emplace(object.id, objects.size());
    if (is_new) {
      objects.push_back(std::move(object));
    } else {
      objects[place->second] = std::move(object);
    }
  });
  return objects;
}

void AppendObjects(std::string& out, const std::vector<Object>& objects) {
  out += '[';
  for (const Object& object : objects) {
    if (out.back() != '[') out += ',';
    out += object.json;
  }
  out += ']';
}

}  // namespace

LoginMessage ParseLogin(std::string_view json) {
  const JsonSpans spans = Parse(json);
  return {Root(spans).Need("u").Text(), Root(spans).Need("p").Text()};
}

std::string LoginReply(std::string_view key) {
  return "{\"key\":" + QuoteJson(key) + "}";
}

MetaMessage ParseMeta(std::string_view json) {
  const JsonSpans spans = Parse(json);
  Root(spans).Need("cv").Text();  // the client's version; the header has a shorter form
  return {Root(spans).Need("v").Int<int>(0, 255)};
}

std::string Print(const MetaReply& reply) {
  const auto truth = [](bool value) { return value ? "true" : "false"; };
  return "{\"mod\":" + std::to_string(reply.mod_ms) + ",\"scm\":" + std::to_string(reply.schema_ms) +
         ",\"usn\":" + std::to_string(reply.usn) + ",\"ts\":" + std::to_string(reply.now_s) +
         ",\"msg\":" + QuoteJson(reply.message) + ",\"cont\":" + truth(reply.may_continue) +
         ",\"hostNum\":0,\"empty\":" + truth(reply.is_empty) +
         ",\"media_usn\":" + std::to_string(reply.media_usn) + "}";
}

StartMessage ParseStart(std::string_view json) {
  const JsonSpans spans = Parse(json);
  StartMessage message{};
  message.client_usn = Root(spans).Need("minUsn").Int<Usn>();
  message.client_is_newer = Root(spans).Need("lnewer").Bool();
  if (const auto graves = Root(spans).FindUnlessNull("graves")) message.graves = ParseGraveIds(*graves);
  return message;
}

GraveIds ParseGraves(std::string_view json) {
  const JsonSpans spans = Parse(json);
  return ParseGraveIds(Root(spans).Need("chunk"));
}

std::string Print(const GraveIds& graves) {
  return "{\"cards\":" + List(graves.cards) + ",\"decks\":" + List(graves.decks) +
         ",\"notes\":" + List(graves.notes) + "}";
}

Changes ParseChanges(std::string_view json) {
  const JsonSpans spans = Parse(json);
  const Item root = Root(spans).Need("changes");
  Changes changes;
  changes.notetypes = ParseObjects(root.Need("models"), ObjectKind::kNotetype);
  const auto lists = root.Need("decks").Tuple(2, 2);
  changes.decks = ParseObjects(lists[0], ObjectKind::kDeck);
  changes.deck_configs = ParseObjects(lists[1], ObjectKind::kDeckConfig);
  root.Need("tags").Each([&](const Item& tag) { changes.tags.push_back(WithoutNul(tag.Text())); });
  if (const auto config = root.FindUnlessNull("conf")) {
    if (config->Type() != Kind::kObject) throw config->Misshapen("not an object");
    changes.config_json = config->Raw();
  }
  if (const auto created = root.FindUnlessNull("crt"))
    changes.created_s = created->Int(-kMaxCreatedSeconds, kMaxCreatedSeconds);
  return changes;
}

std::string Print(const Changes& changes) {
  std::string out = "{\"models\":";
  AppendObjects(out, changes.notetypes);
  out += ",\"decks\":[";
  AppendObjects(out, changes.decks);
  out += ',';
  AppendObjects(out, changes.deck_configs);
  out += "],\"tags\":[";
  for (const std::string& tag : changes.tags) {
    if (out.back() != '[') out += ',';
    out += QuoteJson(tag);
  }
  out += ']';
  if (changes.config_json) out += ",\"conf\":" + *changes.config_json;
  if (changes.created_s) out += ",\"crt\":" + std::to_string(*changes.created_s);
  return out + '}';
}

void CardColumns::Add(const Card& card) {
  ids.push_back(card.id);
  note_ids.push_back(card.note_id);
  deck_ids.push_back(card.deck_id);
  ords.push_back(card.ord);
  mods.push_back(card.mod);
  types.push_back(card.type);
  queues.push_back(card.queue);
  dues.push_back(card.due);
  intervals.push_back(card.interval);
  factors.push_back(card.factor);
  reps.push_back(card.reps);
  lapses.push_back(card.lapses);
  remainings.push_back(card.left);
  original_dues.push_back(card.original_due);
  original_deck_ids.push_back(card.original_deck_id);
  flags.push_back(card.flags);
  datas.push_back(card.data);
}

void NoteColumns::Add(Note note) {
  ids.push_back(note.id);
  guids.push_back(std::move(note.guid));
  notetype_ids.push_back(note.notetype_id);
  mods.push_back(note.mod);
  tags.push_back(std::move(note.tags));
  fields.push_back(std::move(note.fields));
}

void ReviewColumns::Add(const Review& review) {
  ids.push_back(review.id);
  card_ids.push_back(review.card_id);
  eases.push_back(review.ease);
  intervals.push_back(review.interval);
  last_intervals.push_back(review.last_interval);
  factors.push_back(review.factor);
  taken_mss.push_back(review.taken_ms);
  types.push_back(review.type);
}

ReceivedChunk ParseChunk(std::string_view json) {
  const JsonSpans spans = Parse(json);
  const Item root = Root(spans).Need("chunk");
  ReceivedChunk chunk;
  // The value is not needed: after its last chunk the client continues with the sanity check.
  if (const auto done = root.Find("done")) done->Bool();
  if (const auto rows = root.Find("cards"))
    rows->Each([&](const Item& row) { chunk.cards.Add(ParseCard(row)); });
  if (const auto rows = root.Find("notes"))
    rows->Each([&](const Item& row) { chunk.notes.Add(ParseNote(row)); });
  if (const auto rows = root.Find("revlog"))
    rows->Each([&](const Item& row) { chunk.revlog.Add(ParseReview(row)); });
  return chunk;
}

std::size_t ChunkPrinter::Add(const Card& card) {
  const std::size_t before = cards_.size();
  AppendRow(cards_);
  AppendInts(cards_, {card.id, card.note_id, card.deck_id, card.ord, card.mod, card.usn, card.type,
                      card.queue, card.due, card.interval, card.factor, card.reps, card.lapses, card.left,
                      card.original_due, card.original_deck_id, card.flags});
  cards_ += ',';
  AppendQuoted(cards_, card.data);
  cards_ += ']';
  return cards_.size() - before;
}

std::size_t ChunkPrinter::Add(const Note& note) {
  const std::size_t before = notes_.size();
  AppendRow(notes_);
  AppendInts(notes_, {note.id});
  notes_ += ',';
  AppendQuoted(notes_, note.guid);
  notes_ += ',';
  AppendInts(notes_, {note.notetype_id, note.mod, note.usn});
  // On the wire sfld and csum are empty strings; flags and data are not synced.
  notes_ += ',';
  AppendQuoted(notes_, note.tags);
  notes_ += ',';
  AppendQuoted(notes_, note.fields);
  notes_ += ",\"\",\"\",0,\"\"]";
  return notes_.size() - before;
}

std::size_t ChunkPrinter::Add(const Review& review) {
  const std::size_t before = revlog_.size();
  AppendRow(revlog_);
  AppendInts(revlog_, {review.id, review.card_id, review.usn, review.ease, review.interval,
                       review.last_interval, review.factor, review.taken_ms, review.type});
  revlog_ += ']';
  return revlog_.size() - before;
}

std::string ChunkPrinter::Finish(bool is_last) {
  std::string out = is_last ? "{\"done\":true" : "{\"done\":false";
  if (!revlog_.empty()) out += ",\"revlog\":[" + revlog_ + ']';
  if (!cards_.empty()) out += ",\"cards\":[" + cards_ + ']';
  // Notes may be large: insert the rest in front of them instead of copying them.
  if (notes_.empty()) return out + '}';
  return std::move(notes_.insert(0, out + ",\"notes\":[").append("]}"));
}

SanityMessage ParseSanity(std::string_view json) {
  const JsonSpans spans = Parse(json);
  const Item list = Root(spans).Need("client");
  const auto at = list.Tuple(8, 8);
  at[0].Tuple(3, 3);  // due counts: no longer compared
  const auto count = [&](std::size_t place) { return at[place].Int(0, kMaxUint32); };
  // at[4] counts graves, which are not compared: both sides may have different ones.
  count(4);
  return {{count(1), count(2), count(3), count(5), count(6), count(7)}, std::string(list.Raw())};
}

std::string SanityReply(bool is_ok, std::string_view client_json, const CollectionCounts& server) {
  std::string out = is_ok ? "{\"status\":\"ok\",\"c\":" : "{\"status\":\"bad\",\"c\":";
  out.append(client_json).append(",\"s\":[[0,0,0],");
  constexpr int kGravesNobodyCompares = 0;
  AppendInts(out, {server.cards, server.notes, server.revlog, kGravesNobodyCompares, server.notetypes,
                   server.decks, server.deck_configs});
  return out + "]}";
}

std::int32_t FieldCount(std::string_view joined_fields) {
  return 1 + static_cast<std::int32_t>(std::count(joined_fields.begin(), joined_fields.end(), '\x1f'));
}

std::string WithMembers(std::string_view object_json,
                        const std::vector<std::pair<std::string_view, std::string>>& members) {
  const JsonSpans spans = Parse(object_json, 1);
  std::string out;
  std::size_t copied = 0;
  bool is_empty = true;
  std::unordered_set<std::string_view> replaced;
  spans.EachIn(spans.Root(), [&](const Value& member) {
    is_empty = false;
    for (const auto& [key, value] : members) {
      if (spans.Key(member) != key) continue;
      out.append(object_json.substr(copied, member.begin - copied)).append(value);
      copied = member.end;
      replaced.insert(key);
    }
  });
  const std::size_t brace = object_json.rfind('}');
  out.append(object_json.substr(copied, brace - copied));
  for (const auto& [key, value] : members) {
    if (replaced.contains(key)) continue;
    out.append(is_empty ? "" : ",").append(QuoteJson(key)).append(":").append(value);
    is_empty = false;
  }
  return out.append(object_json.substr(brace));
}

}  // namespace syncline::anki
