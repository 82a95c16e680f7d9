#include "handlers/anki/messages_wire.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "handlers/anki/json_spans_wire.h"
#include "handlers/anki/schema18_wire.h"
#include "handlers/base/errors.h"

namespace syncline::anki {
namespace {

using Value = JsonSpans::Value;
using Kind = JsonSpans::Kind;

// A message is parsed as a whole: messages hold at most a few hundred rows, however large the collection.
JsonSpans Parse(std::string_view json) {
  try {
    return JsonSpans(json);
  } catch (const BadJson& e) {
    throw BadInput(std::string(kBadJson), e.what());
  }
}

// A message of another shape is what upstream's parser calls bad JSON, too: the session goes on.
Error Misshapen(const std::string& what) {
  return BadInput(std::string(kBadJson), what);
}

const Value* Member(const JsonSpans& spans, const Value& object, std::string_view key) {
  const Value* found = nullptr;
  if (object.kind != Kind::kObject) throw Misshapen("not an object around " + std::string(key));
  spans.EachIn(object, [&](const Value& member) {
    if (spans.Key(member) != key) return;
    if (found != nullptr) throw Misshapen("duplicate key " + std::string(key));
    found = &member;
  });
  return found;
}

const Value& Required(const JsonSpans& spans, const Value& object, std::string_view key) {
  const Value* found = Member(spans, object, key);
  if (found == nullptr) throw Misshapen("missing key " + std::string(key));
  return *found;
}

std::int64_t Int(const JsonSpans& spans, const Value& value, std::int64_t min, std::int64_t max) {
  const std::string_view raw = spans.Raw(value);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), number);
  if (value.kind != Kind::kNumber || error != std::errc() || end != raw.data() + raw.size() || number < min ||
      number > max) {
    throw Misshapen("not an integer in range");
  }
  return number;
}

std::int64_t Id(const JsonSpans& spans, const Value& value) {
  return Int(spans, value, std::numeric_limits<std::int64_t>::min(),
             std::numeric_limits<std::int64_t>::max());
}

// Where the reference says "number": a float is accepted, truncated, and held inside the range.
std::int64_t Number(const JsonSpans& spans, const Value& value, std::int64_t min, std::int64_t max) {
  if (value.kind != Kind::kNumber) throw Misshapen("not a number");
  const std::string_view raw = spans.Raw(value);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), number);
  if (error == std::errc() && end == raw.data() + raw.size()) return std::clamp(number, min, max);
  double real = 0;
  std::from_chars(raw.data(), raw.data() + raw.size(), real);
  if (!(real > static_cast<double>(min))) return min;
  if (!(real < static_cast<double>(max))) return max;
  return static_cast<std::int64_t>(real);
}

constexpr std::int64_t kMaxInt32 = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMinInt32 = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t kMaxUint32 = std::numeric_limits<std::uint32_t>::max();
// The end of the year 9999: days are counted from it.
constexpr std::int64_t kMaxSeconds = 253'402'300'799;
constexpr std::int64_t kMaxInt64 = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMinInt64 = std::numeric_limits<std::int64_t>::min();

std::string_view Text(const JsonSpans& spans, const Value& value) {
  if (value.kind != Kind::kString) throw Misshapen("not a string");
  return spans.Text(value);
}

bool Bool(const JsonSpans&, const Value& value) {
  if (value.kind != Kind::kTrue && value.kind != Kind::kFalse) throw Misshapen("not a boolean");
  return value.kind == Kind::kTrue;
}

// PostgreSQL's text cannot hold NUL. In these columns it means nothing to any client.
std::string WithoutNul(std::string_view text) {
  std::string clean(text);
  std::erase(clean, '\0');
  return clean;
}

// Upstream's server does the same to what it receives: control characters but tab and newline go, the
// separator of fields stays.
std::string CleanFields(std::string_view fields) {
  std::string clean(fields);
  std::erase_if(clean, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\x1f') || c == '\x7f';
  });
  return clean;
}

void AppendInt(std::string& out, std::int64_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void AppendRow(std::string& out) {
  if (!out.empty()) out += ',';
  out += '[';
}

std::string List(const std::vector<std::int64_t>& ids) {
  std::string out = "[";
  for (const std::int64_t id : ids) {
    if (out.size() > 1) out += ',';
    AppendInt(out, id);
  }
  return out + ']';
}

// The elements of a tuple, in order. Upstream's parser wants at least `min` of them and ignores none.
std::vector<const Value*> Tuple(const JsonSpans& spans, const Value& row, std::size_t min, std::size_t max) {
  if (row.kind != Kind::kArray) throw Misshapen("row is not an array");
  std::vector<const Value*> elements;
  elements.reserve(max);
  spans.EachIn(row, [&](const Value& element) { elements.push_back(&element); });
  if (elements.size() < min || elements.size() > max) throw Misshapen("row of another length");
  return elements;
}

Card ParseCard(const JsonSpans& spans, const Value& row) {
  const auto at = Tuple(spans, row, 18, 18);
  Card card{};
  card.id = Id(spans, *at[0]);
  card.note_id = Id(spans, *at[1]);
  card.deck_id = Id(spans, *at[2]);
  card.ord = static_cast<std::int32_t>(Int(spans, *at[3], 0, 65535));
  card.mod = Number(spans, *at[4], kMinInt64, kMaxInt64);
  Int(spans, *at[5], kMinInt32, kMaxInt32);  // its usn: the session knows better
  card.type = static_cast<std::int32_t>(Int(spans, *at[6], 0, 3));
  card.queue = static_cast<std::int32_t>(Int(spans, *at[7], -3, 4));
  card.due = static_cast<std::int32_t>(Number(spans, *at[8], kMinInt32, kMaxInt32));
  card.interval = Number(spans, *at[9], 0, kMaxUint32);
  card.factor = static_cast<std::int32_t>(Int(spans, *at[10], 0, 65535));
  card.reps = Int(spans, *at[11], 0, kMaxUint32);
  card.lapses = Int(spans, *at[12], 0, kMaxUint32);
  card.left = Int(spans, *at[13], 0, kMaxUint32);
  card.original_due = static_cast<std::int32_t>(Number(spans, *at[14], kMinInt32, kMaxInt32));
  card.original_deck_id = Id(spans, *at[15]);
  card.flags = static_cast<std::int32_t>(Int(spans, *at[16], 0, 255));
  card.data = WithoutNul(Text(spans, *at[17]));
  return card;
}

Note ParseNote(const JsonSpans& spans, const Value& row) {
  const auto at = Tuple(spans, row, 11, 11);
  Note note{};
  note.id = Id(spans, *at[0]);
  note.guid = WithoutNul(Text(spans, *at[1]));
  note.notetype_id = Id(spans, *at[2]);
  note.mod = Id(spans, *at[3]);
  Int(spans, *at[4], kMinInt32, kMaxInt32);
  note.tags = WithoutNul(Text(spans, *at[5]));
  note.fields = CleanFields(Text(spans, *at[6]));
  return note;
}

Review ParseReview(const JsonSpans& spans, const Value& row) {
  const auto at = Tuple(spans, row, 8, 9);
  Review review{};
  review.id = Id(spans, *at[0]);
  review.card_id = Id(spans, *at[1]);
  Int(spans, *at[2], kMinInt32, kMaxInt32);
  review.ease = static_cast<std::int32_t>(Int(spans, *at[3], 0, 255));
  review.interval = static_cast<std::int32_t>(Number(spans, *at[4], kMinInt32, kMaxInt32));
  review.last_interval = static_cast<std::int32_t>(Number(spans, *at[5], kMinInt32, kMaxInt32));
  review.factor = Number(spans, *at[6], 0, kMaxUint32);
  review.taken_ms = Number(spans, *at[7], 0, kMaxUint32);
  // Old clients left out the type, or sent one that no longer exists.
  if (at.size() == 9 && at[8]->kind == Kind::kNumber) {
    const std::int64_t type = Number(spans, *at[8], -1, 255);
    review.type = type >= 0 && type <= 5 ? static_cast<std::int32_t>(type) : 0;
  }
  return review;
}

// Where ids are concerned old clients wrote numbers as strings.
std::int64_t IdOrText(const JsonSpans& spans, const Value& value) {
  if (value.kind != Kind::kString) return Id(spans, value);
  const std::string_view text = spans.Text(value);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) throw Misshapen("not an id");
  return number;
}

std::vector<std::int64_t> Ids(const JsonSpans& spans, const Value& list) {
  if (list.kind != Kind::kArray) throw Misshapen("ids are no list");
  std::vector<std::int64_t> ids;
  spans.EachIn(list, [&](const Value& id) { ids.push_back(IdOrText(spans, id)); });
  return ids;
}

GraveIds GravesFrom(const JsonSpans& spans, const Value& graves) {
  return {Ids(spans, Required(spans, graves, "cards")), Ids(spans, Required(spans, graves, "notes")),
          Ids(spans, Required(spans, graves, "decks"))};
}

enum class ObjectKind { kNotetype, kDeck, kDeckConfig };

// Upstream's own conversion decides what is an object, or every other client of the account would be handed
// one that it cannot parse, and could not sync until that one is gone.
Object ParseObject(std::string_view json, ObjectKind kind) {
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
      // As clients will know it: normalised.
      object.name = WithoutNul(HumanDeckName(row.name));
    } else {
      take(DeckConfigFromJson(json));
    }
  } catch (const BadObject& e) {
    throw Misshapen(e.what());
  }
  object.json = json;
  return object;
}

// Of an id that a message has twice the last one counts, as it would if they were applied one after the
// other.
std::vector<Object> ParseObjects(const JsonSpans& spans, const Value& list, ObjectKind kind) {
  if (list.kind != Kind::kArray) throw Misshapen("not a list");
  std::vector<Object> objects;
  std::unordered_map<std::int64_t, std::size_t> places;
  spans.EachIn(list, [&](const Value& value) {
    Object object = ParseObject(spans.Raw(value), kind);
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
  return {std::string(Text(spans, Required(spans, spans.Root(), "u"))),
          std::string(Text(spans, Required(spans, spans.Root(), "p")))};
}

std::string LoginReply(std::string_view key) {
  return "{\"key\":" + QuoteJson(key) + "}";
}

MetaMessage ParseMeta(std::string_view json) {
  const JsonSpans spans = Parse(json);
  MetaMessage message;
  message.version = static_cast<int>(Int(spans, Required(spans, spans.Root(), "v"), 0, 255));
  message.client = Text(spans, Required(spans, spans.Root(), "cv"));
  return message;
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
  message.client_usn =
      static_cast<Usn>(Int(spans, Required(spans, spans.Root(), "minUsn"), kMinInt32, kMaxInt32));
  message.client_is_newer = Bool(spans, Required(spans, spans.Root(), "lnewer"));
  const Value* graves = Member(spans, spans.Root(), "graves");
  if (graves != nullptr && graves->kind != Kind::kNull) message.graves = GravesFrom(spans, *graves);
  return message;
}

GraveIds ParseGraves(std::string_view json) {
  const JsonSpans spans = Parse(json);
  return GravesFrom(spans, Required(spans, spans.Root(), "chunk"));
}

std::string Print(const GraveIds& graves) {
  return "{\"cards\":" + List(graves.cards) + ",\"decks\":" + List(graves.decks) +
         ",\"notes\":" + List(graves.notes) + "}";
}

Changes ParseChanges(std::string_view json) {
  const JsonSpans spans = Parse(json);
  const Value& root = Required(spans, spans.Root(), "changes");
  Changes changes;
  changes.notetypes = ParseObjects(spans, Required(spans, root, "models"), ObjectKind::kNotetype);
  const auto lists = Tuple(spans, Required(spans, root, "decks"), 2, 2);
  changes.decks = ParseObjects(spans, *lists[0], ObjectKind::kDeck);
  changes.deck_configs = ParseObjects(spans, *lists[1], ObjectKind::kDeckConfig);
  const Value& tags = Required(spans, root, "tags");
  if (tags.kind != Kind::kArray) throw Misshapen("tags are no list");
  spans.EachIn(tags, [&](const Value& tag) { changes.tags.push_back(WithoutNul(Text(spans, tag))); });
  if (const Value* config = Member(spans, root, "conf"); config != nullptr && config->kind != Kind::kNull) {
    if (config->kind != Kind::kObject) throw Misshapen("conf is no object");
    changes.config_json = spans.Raw(*config);
  }
  if (const Value* created = Member(spans, root, "crt"); created != nullptr && created->kind != Kind::kNull) {
    changes.created_s = Int(spans, *created, 0, kMaxSeconds);
  }
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

void NoteColumns::Add(const Note& note) {
  ids.push_back(note.id);
  guids.push_back(note.guid);
  notetype_ids.push_back(note.notetype_id);
  mods.push_back(note.mod);
  tags.push_back(note.tags);
  fields.push_back(note.fields);
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
  const Value& root = Required(spans, spans.Root(), "chunk");
  ReceivedChunk chunk;
  if (const Value* done = Member(spans, root, "done")) chunk.is_last = Bool(spans, *done);
  const auto each = [&](std::string_view key, auto&& add) {
    const Value* rows = Member(spans, root, key);
    if (rows == nullptr) return;
    if (rows->kind != Kind::kArray) throw Misshapen("rows are no list");
    spans.EachIn(*rows, add);
  };
  each("cards", [&](const Value& row) { chunk.cards.Add(ParseCard(spans, row)); });
  each("notes", [&](const Value& row) { chunk.notes.Add(ParseNote(spans, row)); });
  each("revlog", [&](const Value& row) { chunk.revlog.Add(ParseReview(spans, row)); });
  return chunk;
}

std::size_t ChunkPrinter::Add(const Card& card) {
  const std::size_t before = cards_.size();
  AppendRow(cards_);
  for (const std::int64_t value :
       {card.id, card.note_id, card.deck_id, std::int64_t{card.ord}, card.mod, std::int64_t{card.usn},
        std::int64_t{card.type}, std::int64_t{card.queue}, std::int64_t{card.due}, card.interval,
        std::int64_t{card.factor}, card.reps, card.lapses, card.left, std::int64_t{card.original_due},
        card.original_deck_id, std::int64_t{card.flags}}) {
    AppendInt(cards_, value);
    cards_ += ',';
  }
  cards_ += QuoteJson(card.data) + ']';
  return cards_.size() - before;
}

std::size_t ChunkPrinter::Add(const Note& note) {
  const std::size_t before = notes_.size();
  AppendRow(notes_);
  AppendInt(notes_, note.id);
  notes_ += ',' + QuoteJson(note.guid) + ',';
  AppendInt(notes_, note.notetype_id);
  notes_ += ',';
  AppendInt(notes_, note.mod);
  notes_ += ',';
  AppendInt(notes_, note.usn);
  // sfld and csum are strings and empty on the wire; flags and data are not synced.
  notes_ += ',' + QuoteJson(note.tags) + ',' + QuoteJson(note.fields) + ",\"\",\"\",0,\"\"]";
  return notes_.size() - before;
}

std::size_t ChunkPrinter::Add(const Review& review) {
  const std::size_t before = revlog_.size();
  AppendRow(revlog_);
  for (const std::int64_t value :
       {review.id, review.card_id, std::int64_t{review.usn}, std::int64_t{review.ease},
        std::int64_t{review.interval}, std::int64_t{review.last_interval}, review.factor, review.taken_ms}) {
    AppendInt(revlog_, value);
    revlog_ += ',';
  }
  AppendInt(revlog_, review.type);
  revlog_ += ']';
  return revlog_.size() - before;
}

std::string ChunkPrinter::Finish(bool is_last) {
  std::string out = is_last ? "{\"done\":true" : "{\"done\":false";
  if (!revlog_.empty()) out += ",\"revlog\":[" + revlog_ + ']';
  if (!cards_.empty()) out += ",\"cards\":[" + cards_ + ']';
  if (!notes_.empty()) out += ",\"notes\":[" + notes_ + ']';
  return out + '}';
}

SanityMessage ParseSanity(std::string_view json) {
  const JsonSpans spans = Parse(json);
  const Value& list = Required(spans, spans.Root(), "client");
  const auto at = Tuple(spans, list, 8, 8);
  Tuple(spans, *at[0], 3, 3);  // due counts: nobody compares them any more
  SanityMessage message;
  message.client_json = spans.Raw(list);
  // Graves stand between revlog and notetypes and are not compared: both sides may have dug different ones.
  const std::array<std::size_t, 6> places{1, 2, 3, 5, 6, 7};
  for (std::size_t i = 0; i < places.size(); ++i)
    message.counts[i] = Int(spans, *at[places[i]], 0, kMaxUint32);
  Int(spans, *at[4], 0, kMaxUint32);
  return message;
}

std::string SanityReply(bool is_ok, std::string_view client_json, const SanityCounts& server) {
  std::string out = is_ok ? "{\"status\":\"ok\",\"c\":" : "{\"status\":\"bad\",\"c\":";
  out.append(client_json).append(",\"s\":[[0,0,0]");
  for (std::size_t i = 0; i < server.size(); ++i) {
    if (i == 3) out += ",0";  // graves, which nobody compares
    out += ',';
    AppendInt(out, server[i]);
  }
  return out + "]}";
}

std::int32_t FieldCount(std::string_view joined_fields) {
  return 1 + static_cast<std::int32_t>(std::count(joined_fields.begin(), joined_fields.end(), '\x1f'));
}

std::string WithMembers(std::string_view object_json,
                        const std::vector<std::pair<std::string_view, std::string>>& members) {
  JsonSpans spans = [&] {
    try {
      return JsonSpans(object_json, 1);
    } catch (const BadJson& e) {
      throw BadInput(std::string(kBadJson), e.what());
    }
  }();
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
