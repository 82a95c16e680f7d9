// Reads an uploaded collection file.
//
// The full check. Upstream and its clients run PRAGMA integrity_check, which looks up every row in every
// index: 2.1 s of random access on a million reviews, more than the whole upload may take. We give the same
// guarantee, that a client's integrity_check passes on the file and all rows can be read, but by sequential
// reading:
//  1. quick_check: every page, tree, cell, NOT NULL (a third of a second for 100 MB);
//  2. notes, cards, revlog: one scan that reads every row and, per index, sums hashes of the stored key that
//     the index must hold for it; then one scan of each index that checks its order and compares count and
//     sum. A sum can be forged, but the only effect is that the forger's own client refuses the download;
//  3. integrity_check for every other table, and for one of the three that has an index or a value which (2)
//     does not expect;
//  4. the objects: all protobuf and JSON is converted once.
//
// Odd values. SQLite stores any value in any column, and old files have reals, negative numbers and blobs
// where Anki's reader expects a small integer or a text. A client opens and syncs such a file as long as it
// does not have to read that row. So we accept the file and keep it unchanged. The row that we make of it has
// the value that Anki's reader would see or, where it would fail, the nearest value that it can read. Such
// values are counted by column. Left out on purpose: repairing the file, because the user could not see what
// was changed.
#include "handlers/anki/file/file_wire.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <exception>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "handlers/anki/file/file_wire_sqlite.h"
#include "handlers/base/utf8.h"

namespace syncline::anki {
namespace {

using sqlite::Connection;
using sqlite::kDamaged;
using sqlite::kForeignParts;
using sqlite::Statement;

// Verbatim from the reference server: its protocol tests compare the text.
constexpr char kNotACollection[] =
    "Your upload was corrupt. Please use Check Database, or restore from backup.";

// --- Rows. As in upstream, some columns are cast and others fall back to 0.

constexpr char kCardColumns[] =
    "SELECT id, nid, did, ord, mod, usn, type, queue, due, ivl, factor, reps, lapses, left, odue, odid, "
    "flags, data "
    "FROM cards NOT INDEXED WHERE id > ? ORDER BY id LIMIT ?";
constexpr char kNoteColumns[] =
    "SELECT id, guid, mid, mod, usn, tags, flds, csum FROM notes NOT INDEXED WHERE id > ? ORDER BY id LIMIT "
    "?";
constexpr char kReviewColumns[] =
    "SELECT id, cid, usn, ease, ivl, lastIvl, factor, time, type FROM revlog NOT INDEXED WHERE id > ? ORDER "
    "BY id "
    "LIMIT ?";

constexpr std::int64_t kUint32High = std::numeric_limits<std::uint32_t>::max();
// Not above any id.
constexpr std::int64_t kInt64Low = std::numeric_limits<std::int64_t>::min();
template <typename Int>
constexpr std::int64_t kLow = std::numeric_limits<Int>::min();
template <typename Int>
constexpr std::int64_t kHigh = std::numeric_limits<Int>::max();

// Reads the columns of one row. Counts values that it changes in `adjusted`, unless that is null.
struct RowReader {
  const Statement& row;
  const char* table;
  Adjustments* adjusted;

  void Adjust(const char* column) const {
    if (adjusted != nullptr) sqlite::CountAdjusted(*adjusted, table, column, row.Int(0));
  }
  // The value converted as by SQL's CAST and clamped to the range.
  template <typename Int = std::int64_t>
  Int Nearest(int column, const char* name, std::int64_t low = kLow<Int>,
              std::int64_t high = kHigh<Int>) const {
    const bool integer = row.Type(column) == SQLITE_INTEGER;
    const auto value = row.Int(column);
    if (!integer || value < low || value > high) Adjust(name);
    return static_cast<Int>(std::clamp(value, low, high));
  }
  // An integer in range, else `fallback`.
  template <typename Int = std::int64_t>
  Int Or(Int fallback, int column, const char* name, std::int64_t low = kLow<Int>,
         std::int64_t high = kHigh<Int>) const {
    const bool integer = row.Type(column) == SQLITE_INTEGER;
    const auto value = row.Int(column);
    if (integer && value >= low && value <= high) return static_cast<Int>(value);
    Adjust(name);
    return fallback;
  }
  // As Or, but first cuts an integer to `Bits`, as Anki's reader does for these columns.
  template <typename Bits>
  std::int32_t Cut(std::int32_t fallback, int column, const char* name, std::int64_t low,
                   std::int64_t high) const {
    const bool integer = row.Type(column) == SQLITE_INTEGER;
    const auto value = row.Int(column);
    if (integer && value >= low && value <= high) return static_cast<std::int32_t>(value);
    Adjust(name);
    const auto cut = static_cast<Bits>(value);
    return integer && cut >= low && cut <= high ? cut : fallback;
  }
  Usn RowUsn(int column) const {
    const bool integer = row.Type(column) == SQLITE_INTEGER;
    const auto value = row.Int(column);
    if (!integer || value < 0 || value > kHigh<Usn>) Adjust("usn");
    return sqlite::SoundUsn(value);
  }
  // The text, or the bytes of a value of another type.
  std::string_view Text(int column, const char* name) const {
    // Check the type first: sqlite3_column_text converts the value.
    const bool text = row.Type(column) == SQLITE_TEXT;
    const auto bytes = text ? row.Text(column) : row.Blob(column);
    if (!text || !IsUtf8(bytes)) Adjust(name);
    return bytes;
  }
};

// Used for queues that Anki does not know: no client shows such a card.
constexpr std::int32_t kSuspended = -1;

void Read(const Statement& statement, Card& card, Adjustments* adjusted) {
  const RowReader row{statement, "cards", adjusted};
  card.id = statement.Int(0);
  card.note_id = row.Nearest(1, "nid");
  card.deck_id = row.Nearest(2, "did");
  card.ord = row.Nearest<std::int32_t>(3, "ord", 0, 0xFFFF);
  card.mod = row.Nearest(4, "mod");
  card.usn = row.RowUsn(5);
  card.type = row.Cut<std::uint8_t>(0, 6, "type", 0, 3);
  card.queue = row.Cut<std::int8_t>(kSuspended, 7, "queue", -3, 4);
  card.due = row.Or<std::int32_t>(0, 8, "due");
  card.interval = row.Nearest(9, "ivl", 0, kUint32High);
  card.factor = row.Nearest<std::int32_t>(10, "factor", 0, 0xFFFF);
  card.reps = row.Nearest(11, "reps", 0, kUint32High);
  card.lapses = row.Nearest(12, "lapses", 0, kUint32High);
  card.left = row.Nearest(13, "left", 0, kUint32High);
  card.original_due = row.Or<std::int32_t>(0, 14, "odue");
  card.original_deck_id = row.Nearest(15, "odid");
  card.flags = row.Nearest<std::int32_t>(16, "flags", 0, 0xFF);
  // A value that is not text reads as empty.
  if (statement.Type(17) == SQLITE_TEXT) {
    card.data = row.Text(17, "data");
  } else {
    row.Adjust("data");
    card.data.clear();
  }
}

void Read(const Statement& statement, Note& note, Adjustments* adjusted) {
  const RowReader row{statement, "notes", adjusted};
  note.id = statement.Int(0);
  note.guid = row.Text(1, "guid");
  note.notetype_id = row.Nearest(2, "mid");
  note.mod = row.Nearest(3, "mod");
  note.usn = row.RowUsn(4);
  note.tags = row.Text(5, "tags");
  note.fields = row.Text(6, "flds");
}

void Read(const Statement& statement, Review& review, Adjustments* adjusted) {
  const RowReader row{statement, "revlog", adjusted};
  review.id = statement.Int(0);
  review.card_id = row.Nearest(1, "cid");
  review.usn = row.RowUsn(2);
  review.ease = row.Nearest<std::int32_t>(3, "ease", 0, 0xFF);
  review.interval = row.Nearest<std::int32_t>(4, "ivl");
  review.last_interval = row.Nearest<std::int32_t>(5, "lastIvl");
  review.factor = row.Nearest(6, "factor", 0, kUint32High);
  review.taken_ms = row.Or(std::int64_t{0}, 7, "time", 0, kUint32High);
  review.type = row.Cut<std::uint8_t>(0, 8, "type", 0, 5);
}

std::size_t TextBytes(const Card& card) {
  return card.data.size();
}
std::size_t TextBytes(const Note& note) {
  return note.guid.size() + note.tags.size() + note.fields.size();
}
std::size_t TextBytes(const Review&) {
  return 0;
}

// Limit for the text of a page, exceeded by at most one row: notes can have megabytes.
std::size_t PageBytes(std::int64_t limit) {
  return limit < 0 ? std::numeric_limits<std::size_t>::max() : std::size_t{4} << 20;
}

template <typename Row>
std::int64_t EachRow(Statement& statement, std::int64_t after, std::int64_t limit,
                     const std::function<void(const Row&)>& each,
                     std::size_t max_bytes = std::numeric_limits<std::size_t>::max(),
                     Adjustments* adjusted = nullptr) {
  Row row{};
  std::size_t bytes = 0;
  statement.Reset();
  statement.Bind(1, after).Bind(2, limit);
  while (bytes < max_bytes && statement.Step()) {
    Read(statement, row, adjusted);
    each(row);
    after = row.id;
    bytes += TextBytes(row);
  }
  statement.Reset();
  return after;
}

// --- Notetypes, decks, deck configs and tags

void CountObjects(const SmallObjects& objects, CollectionCounts& counts) {
  counts.notetypes = static_cast<std::int64_t>(objects.notetypes.size());
  counts.decks = static_cast<std::int64_t>(objects.decks.size());
  counts.deck_configs = static_cast<std::int64_t>(objects.deck_configs.size());
}

Usn HighestUsn(const SmallObjects& objects) {
  Usn usn = 0;
  for (const auto* list : {&objects.notetypes, &objects.decks, &objects.deck_configs})
    for (const auto& object : *list) usn = std::max(usn, object.usn);
  for (const auto& tag : objects.tags) usn = std::max(usn, tag.usn);
  return usn;
}

// --- The schema

// Splits SQL of the schema into upper-case words, without comments. Quoted names stay whole and unchanged.
std::vector<std::string> Words(std::string_view sql) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < sql.size();) {
    const char c = sql[i];
    if (sql.substr(i, 2) == "--") {
      i = std::min(sql.find('\n', i), sql.size());
    } else if (sql.substr(i, 2) == "/*") {
      const auto end = sql.find("*/", i + 2);
      i = end == std::string_view::npos ? sql.size() : end + 2;
    } else if (c == '"' || c == '\'' || c == '`' || c == '[') {
      const auto end = sql.find(c == '[' ? ']' : c, i + 1);
      const auto stop = end == std::string_view::npos ? sql.size() : end + 1;
      words.emplace_back(sql.substr(i, stop - i));
      i = stop;
    } else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0) {
      std::string word;
      for (; i < sql.size() &&
             (std::isalnum(static_cast<unsigned char>(sql[i])) != 0 || sql[i] == '_' || (sql[i] & 0x80) != 0);
           ++i)
        word += sql[i] >= 'a' && sql[i] <= 'z' ? static_cast<char>(sql[i] - 32) : sql[i];
      words.push_back(std::move(word));
    } else {
      words.emplace_back(1, c);
      ++i;
    }
  }
  return words;
}

// More than any collection has; bounds the cost of checking each.
constexpr int kMaxSchemaObjects = 200;

struct Table {
  std::string name;
  std::vector<std::string> columns;
  std::string row_id;  // the column that is the rowid, if there is one
};

std::string Quoted(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

Table DescribeTable(const Connection& db, const std::string& name) {
  Table table{name, {}, {}};
  auto statement = db.Prepare("PRAGMA table_xinfo(" + Quoted(name) + ")");
  while (statement.Step()) {
    if (statement.Int(6) != 0) throw FileRefused(kForeignParts);  // hidden or generated
    table.columns.emplace_back(statement.Text(1));
    std::string type(statement.Text(2));
    std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::toupper(c); });
    if (statement.Int(5) == 1 && type == "INTEGER") table.row_id = statement.Text(1);
  }
  return table;
}

void CheckIndex(const Connection& db, const std::string& name, const std::vector<std::string>& words) {
  // Only the parenthesis of the column list is allowed: so a WHERE cannot call a function.
  if (std::count(words.begin(), words.end(), "(") > 1) throw FileRefused(kForeignParts);
  auto statement = db.Prepare("PRAGMA index_xinfo(" + Quoted(name) + ")");
  while (statement.Step())
    if (statement.Int(1) == -2) throw FileRefused(kForeignParts);  // an expression
}

// Refuses schema objects that could execute code. Allows and ignores plain tables that are not Anki's:
// Android's SQLite adds android_metadata, and add-ons add their own.
std::map<std::string, Table> CheckSchema(const Connection& db) {
  // DEFAULT and REFERENCES are harmless: DEFAULT takes constants only, and foreign keys are off.
  static const std::set<std::string> kForbidden = {"CHECK", "GENERATED", "AS", "VIRTUAL"};
  std::map<std::string, Table> tables;
  int objects = 0;
  auto statement = db.Prepare("SELECT type, name, rootpage, sql FROM sqlite_schema");
  std::vector<std::pair<std::string, std::vector<std::string>>> indexes;
  while (statement.Step()) {
    if (++objects > kMaxSchemaObjects) throw FileRefused(kForeignParts);
    const std::string type(statement.Text(0)), name(statement.Text(1));
    const auto words = Words(statement.Text(3));
    if (type == "table" && statement.Int(2) > 0) {
      for (const auto& word : words)
        if (kForbidden.contains(word)) throw FileRefused(kForeignParts);
      tables.emplace(name, Table{});
    } else if (type == "index") {
      indexes.emplace_back(name, words);
    } else {
      throw FileRefused(kForeignParts);
    }
  }
  for (auto& [name, table] : tables) table = DescribeTable(db, name);
  for (const auto& [name, words] : indexes) CheckIndex(db, name, words);
  return tables;
}

void NeedTable(const std::map<std::string, Table>& tables, const std::string& name, const char* row_id,
               std::initializer_list<const char*> columns) {
  const auto found = tables.find(name);
  if (found == tables.end() || (*row_id != '\0' && found->second.row_id != row_id))
    throw FileRefused(kNotACollection);
  for (const char* column : columns)
    if (std::count(found->second.columns.begin(), found->second.columns.end(), column) == 0)
      throw FileRefused(kNotACollection);
}

void NeedTables(const std::map<std::string, Table>& tables, int version) {
  NeedTable(tables, "notes", "id",
            {"guid", "mid", "mod", "usn", "tags", "flds", "sfld", "csum", "flags", "data"});
  NeedTable(tables, "cards", "id",
            {"nid", "did", "ord", "mod", "usn", "type", "queue", "due", "ivl", "factor", "reps", "lapses",
             "left", "odue", "odid", "flags", "data"});
  NeedTable(tables, "revlog", "id", {"cid", "usn", "ease", "ivl", "lastIvl", "factor", "time", "type"});
  NeedTable(tables, "graves", "", {"oid", "type", "usn"});
  if (version >= 14) {
    NeedTable(tables, "deck_config", "id", {"name", "mtime_secs", "usn", "config"});
    NeedTable(tables, "config", "", {"KEY", "usn", "mtime_secs", "val"});
    NeedTable(tables, "tags", "", {"tag", "usn"});
  }
  if (version >= 15) {
    NeedTable(tables, "fields", "", {"ntid", "ord", "name", "config"});
    NeedTable(tables, "templates", "", {"ntid", "ord", "name", "mtime_secs", "usn", "config"});
    NeedTable(tables, "notetypes", "id", {"name", "mtime_secs", "usn", "config"});
    NeedTable(tables, "decks", "id", {"name", "mtime_secs", "usn", "common", "kind"});
  }
}

// --- Indexes of the three large tables

std::uint64_t Mix(std::uint64_t hash, std::int64_t value) {
  hash = (hash ^ static_cast<std::uint64_t>(value)) * 0x9E3779B97F4A7C15U;
  return hash ^ (hash >> 29);
}

// An index of Anki's schema, with the count and hash sum that the scan of its table expects in it.
struct ExpectedIndex {
  const char* name;
  std::vector<std::string> columns;
  const char* where;  // of a partial index, else ""
  std::uint64_t sum = 0;
  std::int64_t count = 0;

  void Add(std::initializer_list<std::int64_t> key) {
    std::uint64_t hash = 0;
    for (const auto part : key) hash = Mix(hash, part);
    sum += hash;
    ++count;
  }
};

std::string Joined(const std::vector<std::string>& columns) {
  std::string joined;
  for (const auto& column : columns) joined += column + ", ";
  return joined;
}

// Whether the index is in ascending order and has the expected count and sum.
bool Matches(const Connection& db, const std::string& table, const ExpectedIndex& index) {
  const auto key = Joined(index.columns) + "id";
  auto statement = db.Prepare("SELECT " + key + " FROM " + table + " INDEXED BY " + index.name + " " +
                              index.where + " ORDER BY " + key);
  const auto width = index.columns.size() + 1;
  std::array<std::int64_t, 4> last{}, current{};
  std::uint64_t sum = 0;
  std::int64_t count = 0;
  while (statement.Step()) {
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < width; ++i) {
      current[i] = statement.Int(static_cast<int>(i));
      if (statement.Type(static_cast<int>(i)) != SQLITE_INTEGER) return false;
      hash = Mix(hash, current[i]);
    }
    if (count > 0 && !(last < current)) return false;
    last = current;
    sum += hash;
    ++count;
  }
  return count == index.count && sum == index.sum;
}

void IntegrityCheck(const Connection& db, const std::string& pragma) {
  auto statement = db.Prepare(pragma);
  if (!statement.Step() || statement.Text(0) != "ok") throw FileRefused(kDamaged);
}

// Checks all indexes of one large table: by sum if all are as expected, else by integrity_check.
void CheckIndexes(const Connection& db, const std::string& table, const std::vector<ExpectedIndex>& expected,
                  bool only_integers) {
  std::vector<const ExpectedIndex*> known;
  auto list = db.Prepare("PRAGMA index_list(" + Quoted(table) + ")");
  bool as_expected = only_integers;
  while (list.Step()) {
    const std::string name(list.Text(1));
    const auto found =
        std::find_if(expected.begin(), expected.end(), [&](const auto& index) { return name == index.name; });
    std::vector<std::string> columns;
    auto info = db.Prepare("PRAGMA index_info(" + Quoted(name) + ")");
    while (info.Step()) columns.emplace_back(info.Text(2));
    const bool partial = list.Int(4) != 0;
    if (found == expected.end() || columns != found->columns || partial != (*found->where != '\0')) {
      as_expected = false;
    } else {
      known.push_back(&*found);
    }
  }
  if (!as_expected) {
    IntegrityCheck(db, "PRAGMA integrity_check(" + Quoted(table) + ")");
    return;
  }
  for (const auto* index : known)
    if (!Matches(db, table, *index)) throw FileRefused(kDamaged);
}

}  // namespace

// --- The file

struct CollectionFile::Impl {
  Impl(const std::string& path, bool wal) : wal(wal), db(path, Connection::Mode::kUntrustedReadOnly) {}

  std::int64_t Count(const char* table) const {
    auto statement = db.Prepare(std::string("SELECT count(*) FROM ") + table);
    statement.Step();
    return statement.Int(0);
  }
  // At least the highest usn of the table's rows; 2^31 - 1 if text, which sorts above numbers, hides it.
  Usn HighestUsnIn(const char* table) const {
    auto statement = db.Prepare(std::string("SELECT max(usn) FROM ") + table);
    statement.Step();
    const bool number = statement.Type(0) == SQLITE_INTEGER || statement.Type(0) == SQLITE_NULL;
    return number ? sqlite::SoundUsn(statement.Int(0)) : kHigh<Usn>;
  }
  std::vector<std::int64_t> Existing(const char* table, const std::vector<std::int64_t>& ids) const {
    auto statement = db.Prepare(std::string("SELECT 1 FROM ") + table + " WHERE id = ?");
    std::vector<std::int64_t> existing;
    for (const auto id : ids) {
      if (statement.Bind(1, id).Step()) existing.push_back(id);
      statement.Reset();
    }
    return existing;
  }
  std::vector<std::int64_t> Ids(const char* table, std::int64_t after, std::int64_t limit) const {
    auto statement = db.Prepare(std::string("SELECT id FROM ") + table + " WHERE id > ? ORDER BY id LIMIT ?");
    statement.Bind(1, after).Bind(2, limit);
    std::vector<std::int64_t> ids;
    while (statement.Step()) ids.push_back(statement.Int(0));
    return ids;
  }
  void CheckOneCollection();
  void CheckRows();
  void CheckGraves();
  void CheckFully(std::int64_t file_bytes, const std::function<void()>& between_steps);
  void CheckContent();

  bool wal;
  int version = 0;
  std::optional<Usn> max_usn;              // known after a full check
  std::optional<CollectionCounts> counts;  // likewise
  Adjustments adjusted;                    // likewise
  Connection db;
  mutable Statement cards, notes, reviews;  // prepared at first use, then reused for every page
};

void CollectionFile::Impl::CheckOneCollection() {
  auto statement = db.Prepare("SELECT crt, mod, scm, ls, usn, ver FROM col");
  if (!statement.Step()) throw FileRefused(kNotACollection);
  for (int column = 0; column < 6; ++column)
    if (statement.Type(column) != SQLITE_INTEGER && statement.Type(column) != SQLITE_FLOAT)
      throw FileRefused(kDamaged);
  max_usn = 0;
  const auto ver = statement.Int(5);
  if (statement.Step()) throw FileRefused(kDamaged);
  if (ver != 11 && (ver < 14 || ver > 18))
    throw FileRefused("The collection has a format (" + std::to_string(ver) +
                      ") that this server does not know. Please use a released version of Anki.");
  version = static_cast<int>(ver);
}

void CollectionFile::Impl::CheckRows() {
  counts = CollectionCounts{};
  const auto seen = [this](Usn usn) { max_usn = std::max(*max_usn, usn); };
  const auto all = std::numeric_limits<std::size_t>::max();
  // Indexes hold stored values, not adjusted ones: the keys come from the statement. A table with other keys
  // than integers is not checked by sum.
  const auto are_integers = [](const Statement& row, std::initializer_list<int> columns) {
    return std::all_of(columns.begin(), columns.end(),
                       [&](int column) { return row.Type(column) == SQLITE_INTEGER; });
  };

  std::vector<ExpectedIndex> note_indexes = {
      {"ix_notes_usn", {"usn"}, ""}, {"ix_notes_csum", {"csum"}, ""}, {"idx_notes_mid", {"mid"}, ""}};
  bool only_integers = true;
  notes = db.Prepare(kNoteColumns);
  const auto each_note = [&](const Note& note) {
    seen(note.usn);
    ++counts->notes;
    only_integers = only_integers && are_integers(notes, {2, 4, 7});
    note_indexes[0].Add({notes.Int(4), note.id});
    note_indexes[1].Add({notes.Int(7), note.id});
    note_indexes[2].Add({notes.Int(2), note.id});
  };
  EachRow<Note>(notes, kInt64Low, -1, each_note, all, &adjusted);
  CheckIndexes(db, "notes", note_indexes, only_integers);

  std::vector<ExpectedIndex> card_indexes = {{"ix_cards_usn", {"usn"}, ""},
                                             {"ix_cards_nid", {"nid"}, ""},
                                             {"ix_cards_sched", {"did", "queue", "due"}, ""},
                                             {"idx_cards_odid", {"odid"}, "WHERE odid != 0"}};
  only_integers = true;
  cards = db.Prepare(kCardColumns);
  const auto each_card = [&](const Card& card) {
    seen(card.usn);
    ++counts->cards;
    only_integers = only_integers && are_integers(cards, {1, 2, 5, 7, 8, 15});
    card_indexes[0].Add({cards.Int(5), card.id});
    card_indexes[1].Add({cards.Int(1), card.id});
    card_indexes[2].Add({cards.Int(2), cards.Int(7), cards.Int(8), card.id});
    if (cards.Int(15) != 0) card_indexes[3].Add({cards.Int(15), card.id});
  };
  EachRow<Card>(cards, kInt64Low, -1, each_card, all, &adjusted);
  CheckIndexes(db, "cards", card_indexes, only_integers);

  std::vector<ExpectedIndex> review_indexes = {{"ix_revlog_usn", {"usn"}, ""},
                                               {"ix_revlog_cid", {"cid"}, ""}};
  only_integers = true;
  reviews = db.Prepare(kReviewColumns);
  const auto each_review = [&](const Review& review) {
    seen(review.usn);
    ++counts->revlog;
    only_integers = only_integers && are_integers(reviews, {1, 2});
    review_indexes[0].Add({reviews.Int(2), review.id});
    review_indexes[1].Add({reviews.Int(1), review.id});
  };
  EachRow<Review>(reviews, kInt64Low, -1, each_review, all, &adjusted);
  CheckIndexes(db, "revlog", review_indexes, only_integers);
}

void CollectionFile::Impl::CheckGraves() {
  auto graves = db.Prepare("SELECT oid, type, usn FROM graves");
  while (graves.Step()) {
    const RowReader row{graves, "graves", &adjusted};
    if (graves.Type(0) != SQLITE_INTEGER) row.Adjust("oid");
    row.Or(0, 1, "type", 0, 2);
    max_usn = std::max(*max_usn, row.RowUsn(2));
  }
}

void CollectionFile::Impl::CheckFully(std::int64_t file_bytes, const std::function<void()>& between_steps) {
  // A tree whose branches share pages can take exponential time to walk. Real files need far fewer steps of
  // SQLite's virtual machine than this.
  struct Budget {
    std::int64_t thousands;
    const std::function<void()>& between_steps;
    std::exception_ptr stopped;  // by between_steps: exceptions cannot pass through SQLite
    static int Spend(void* budget) { return static_cast<Budget*>(budget)->Spend(); }
    int Spend() {
      constexpr std::int64_t kEvery = 1000;
      if (--thousands < 0) return 1;
      if (!between_steps || thousands % kEvery != 0) return 0;
      try {
        between_steps();
        return 0;
      } catch (...) {
        stopped = std::current_exception();
        return 1;
      }
    }
  } budget{10'000 + file_bytes / 50, between_steps, nullptr};
  sqlite3_progress_handler(db.Handle(), 1000, Budget::Spend, &budget);
  try {
    CheckContent();
  } catch (const FileRefused&) {
    if (budget.stopped) std::rethrow_exception(budget.stopped);
    throw;
  }
  sqlite3_progress_handler(db.Handle(), 0, nullptr, nullptr);
}

void CollectionFile::Impl::CheckContent() {
  const auto tables = CheckSchema(db);
  NeedTable(tables, "col", "id",
            {"crt", "mod", "scm", "ver", "usn", "ls", "conf", "models", "decks", "dconf", "tags"});
  CheckOneCollection();
  NeedTables(tables, version);
  IntegrityCheck(db, "PRAGMA quick_check(1)");
  for (const auto& [name, table] : tables)
    if (name != "notes" && name != "cards" && name != "revlog")
      IntegrityCheck(db, "PRAGMA integrity_check(" + Quoted(name) + ")");
  CheckRows();

  const auto objects = sqlite::ReadSmallObjects(db, version, &adjusted);
  max_usn = std::max(*max_usn, HighestUsn(objects));
  CountObjects(objects, *counts);
  CheckGraves();
}

CollectionFile::CollectionFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CollectionFile::CollectionFile(CollectionFile&&) noexcept = default;
CollectionFile& CollectionFile::operator=(CollectionFile&&) noexcept = default;
CollectionFile::~CollectionFile() = default;

CollectionFile CollectionFile::Open(const std::string& path, Check check, std::int64_t max_note_bytes,
                                    const std::function<void()>& between_steps) {
  const auto header = sqlite::ReadHeader(path);
  if (header.empty()) throw FileRefused("The uploaded collection is empty.");
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  if (header.size() < 100 || !std::string_view(header).starts_with(kMagic))
    throw FileRefused(kNotACollection);
  // Anki's files are UTF-8; SQLite would convert others, with replacement characters.
  if (header.substr(56, 4) != std::string("\0\0\0\1", 4)) throw FileRefused(kNotACollection);
  auto impl = std::make_unique<Impl>(path, sqlite::HeaderSaysWal(header));
  if (check == Check::kFull) {
    // A row holds the sort field twice: in flds and sfld.
    sqlite3_limit(impl->db.Handle(), SQLITE_LIMIT_LENGTH, static_cast<int>(2 * max_note_bytes));
    struct stat status {};
    ::stat(path.c_str(), &status);
    impl->CheckFully(status.st_size, between_steps);
  } else {
    impl->version = sqlite::ReadSchemaVersion(impl->db);
  }
  return CollectionFile(std::move(impl));
}

int CollectionFile::SchemaVersion() const {
  return impl_->version;
}

bool CollectionFile::IsWal() const {
  return impl_->wal;
}

CollectionMeta CollectionFile::Meta() const {
  auto statement = impl_->db.Prepare("SELECT crt, mod, scm, ls, usn FROM col LIMIT 1");
  if (!statement.Step()) throw FileRefused(kNotACollection);
  const auto usn = std::clamp(statement.Int(4), std::int64_t{-1}, std::int64_t{kHigh<Usn>});
  return {statement.Int(0), statement.Int(1), statement.Int(2), statement.Int(3), static_cast<Usn>(usn)};
}

bool CollectionFile::HasReadableMeta() const {
  auto statement = impl_->db.Prepare("SELECT crt, mod, scm, ls, usn FROM col LIMIT 1");
  if (!statement.Step()) return false;
  for (int column = 0; column < 5; ++column)
    if (statement.Type(column) != SQLITE_INTEGER) return false;
  return statement.Int(4) >= 0 && statement.Int(4) <= kHigh<Usn>;
}

const Adjustments& CollectionFile::Adjusted() const {
  return impl_->adjusted;
}

CollectionCounts CollectionFile::Counts() const {
  if (impl_->counts) return *impl_->counts;
  CollectionCounts counts{impl_->Count("cards"), impl_->Count("notes"), impl_->Count("revlog"), 0, 0, 0};
  if (impl_->version >= 15) {
    counts.notetypes = impl_->Count("notetypes");
    counts.decks = impl_->Count("decks");
    counts.deck_configs = impl_->Count("deck_config");
  } else {
    CountObjects(ReadSmallObjects(), counts);
  }
  impl_->counts = counts;
  return counts;
}

std::int64_t CollectionFile::TextBytes(std::int64_t long_data) const {
  auto statement = impl_->db.Prepare(
      "SELECT (SELECT coalesce(sum(length(CAST(flds AS BLOB)) + length(CAST(tags AS BLOB))"
      " + length(CAST(guid AS BLOB))), 0) FROM notes)"
      " + (SELECT coalesce(sum(length(CAST(data AS BLOB))), 0) FROM cards WHERE length(CAST(data AS BLOB)) > "
      "?)");
  statement.Bind(1, long_data).Step();
  return statement.Int(0);
}

Usn CollectionFile::MaxUsn() const {
  if (impl_->max_usn) return *impl_->max_usn;
  Usn usn = HighestUsn(ReadSmallObjects());
  for (const char* table : {"cards", "notes", "revlog", "graves"})
    usn = std::max(usn, impl_->HighestUsnIn(table));
  impl_->max_usn = usn;
  return usn;
}

SmallObjects CollectionFile::ReadSmallObjects() const {
  return sqlite::ReadSmallObjects(impl_->db, impl_->version);
}

std::int64_t CollectionFile::EachCard(std::int64_t after, std::int64_t limit,
                                      const std::function<void(const Card&)>& row) const {
  if (!impl_->cards) impl_->cards = impl_->db.Prepare(kCardColumns);
  return EachRow(impl_->cards, after, limit, row, PageBytes(limit));
}

std::int64_t CollectionFile::EachNote(std::int64_t after, std::int64_t limit,
                                      const std::function<void(const Note&)>& row) const {
  if (!impl_->notes) impl_->notes = impl_->db.Prepare(kNoteColumns);
  return EachRow(impl_->notes, after, limit, row, PageBytes(limit));
}

std::int64_t CollectionFile::EachReview(std::int64_t after, std::int64_t limit,
                                        const std::function<void(const Review&)>& row) const {
  if (!impl_->reviews) impl_->reviews = impl_->db.Prepare(kReviewColumns);
  return EachRow(impl_->reviews, after, limit, row);
}

std::vector<Grave> CollectionFile::ReadGraves() const {
  auto statement = impl_->db.Prepare("SELECT type, oid, max(usn) FROM graves GROUP BY oid, type");
  std::vector<Grave> graves;
  while (statement.Step()) {
    // Upstream has no other kinds.
    if (statement.Type(0) != SQLITE_INTEGER || statement.Type(1) != SQLITE_INTEGER) continue;
    const auto kind = statement.Int(0);
    if (kind < 0 || kind > 2) continue;
    graves.push_back({static_cast<GraveKind>(kind), statement.Int(1), sqlite::SoundUsn(statement.Int(2))});
  }
  return graves;
}

std::vector<std::int64_t> CollectionFile::ExistingCards(const std::vector<std::int64_t>& ids) const {
  return impl_->Existing("cards", ids);
}

std::vector<std::int64_t> CollectionFile::ExistingNotes(const std::vector<std::int64_t>& ids) const {
  return impl_->Existing("notes", ids);
}

std::vector<std::int64_t> CollectionFile::CardIds(std::int64_t after, std::int64_t limit) const {
  return impl_->Ids("cards", after, limit);
}

std::vector<std::int64_t> CollectionFile::NoteIds(std::int64_t after, std::int64_t limit) const {
  return impl_->Ids("notes", after, limit);
}

std::vector<std::int64_t> CollectionFile::ReviewIds(std::int64_t after, std::int64_t limit) const {
  return impl_->Ids("revlog", after, limit);
}

}  // namespace syncline::anki
