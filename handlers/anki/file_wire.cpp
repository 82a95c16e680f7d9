// Reading an uploaded collection file.
//
// The full check. Upstream and its clients run PRAGMA integrity_check, which looks up every row in every
// index: 2.1 s of random access on a million reviews, more than the whole upload may take. What we promise is
// the same, that a client's integrity_check will pass on the file and that all rows can be read; we get there
// by sequential reading:
//  1. quick_check: every page, tree, cell, NOT NULL (a third of a second for 100 MB);
//  2. notes, cards, revlog: one scan that checks the types of every row and sums up a hash of the key that
//  each index
//     must hold for it; then one scan of each index that checks its order and compares count and sum. A sum
//     can be forged, but only by somebody who wants his own download to be refused by his own client;
//  3. integrity_check for every other table, and for one of the three that has an index or a value which (2)
//  does not
//     expect;
//  4. the objects: all protobuf and JSON is converted once.
// Left out on purpose: repairing. Anki's own Tools > Check Database does that better, and the user sees what
// it did.
#include "handlers/anki/file_wire.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "handlers/anki/file_wire_sqlite.h"
#include "handlers/anki/json_spans_wire.h"

namespace syncline::anki {
namespace {

using sqlite::Connection;
using sqlite::kDamaged;
using sqlite::Statement;

// Word for word what the reference server answers: its protocol tests compare the sentence.
constexpr char kNotACollection[] =
    "Your upload was corrupt. Please use Check Database, or restore from backup.";

[[noreturn]] void RefuseRow(const char* what, std::int64_t id, const char* column) {
  throw FileRefused(std::string("The collection contains ") + what + " " + std::to_string(id) +
                    " with an invalid value (" + column +
                    "). In Anki, please use Tools > Check Database, then try again.");
}

// --- Rows. Which columns are cast, which fall back to 0 and which must be right is upstream's choice.

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
// Before all ids.
constexpr std::int64_t kInt64Low = std::numeric_limits<std::int64_t>::min();
template <typename Int>
constexpr std::int64_t kLow = std::numeric_limits<Int>::min();
template <typename Int>
constexpr std::int64_t kHigh = std::numeric_limits<Int>::max();

struct RowReader {
  const Statement& row;
  const char* what;

  template <typename Int = std::int64_t>
  Int Strict(int column, const char* name, std::int64_t low = kLow<Int>,
             std::int64_t high = kHigh<Int>) const {
    const bool integer = row.Type(column) == SQLITE_INTEGER;
    const auto value = row.Int(column);
    if (!integer || value < low || value > high) RefuseRow(what, row.Int(0), name);
    return static_cast<Int>(value);
  }
  template <typename Int = std::int64_t>
  Int Clamped(int column, std::int64_t low = kLow<Int>, std::int64_t high = kHigh<Int>) const {
    return static_cast<Int>(std::clamp(row.Int(column), low, high));
  }
  template <typename Int = std::int64_t>
  Int OrZero(int column, std::int64_t low = kLow<Int>, std::int64_t high = kHigh<Int>) const {
    const auto value = row.Int(column);
    const bool fits = row.Type(column) == SQLITE_INTEGER && value >= low && value <= high;
    return fits ? static_cast<Int>(value) : 0;
  }
  std::string_view Text(int column, const char* name) const {
    // The type first: asking for the text of a blob makes it one.
    if (row.Type(column) != SQLITE_TEXT) RefuseRow(what, row.Int(0), name);
    const auto text = row.Text(column);
    if (!IsUtf8(text)) RefuseRow(what, row.Int(0), name);
    return text;
  }
};

void Read(const Statement& statement, Card& card) {
  const RowReader row{statement, "a card"};
  card.id = row.Strict(0, "id");
  card.note_id = row.Strict(1, "nid");
  card.deck_id = row.Strict(2, "did");
  card.ord = row.Strict<std::int32_t>(3, "ord", 0, 0xFFFF);
  card.mod = statement.Int(4);
  card.usn = row.Strict<std::int32_t>(5, "usn");
  card.type = row.Strict<std::int32_t>(6, "type", 0, 3);
  card.queue = row.Strict<std::int32_t>(7, "queue", -3, 4);
  card.due = row.OrZero<std::int32_t>(8);
  card.interval = row.Clamped(9, 0, kUint32High);
  card.factor = row.Strict<std::int32_t>(10, "factor", 0, 0xFFFF);
  card.reps = row.Strict(11, "reps", 0, kUint32High);
  card.lapses = row.Strict(12, "lapses", 0, kUint32High);
  card.left = row.Strict(13, "left", 0, kUint32High);
  card.original_due = row.OrZero<std::int32_t>(14);
  card.original_deck_id = row.Strict(15, "odid");
  card.flags = row.Strict<std::int32_t>(16, "flags", 0, 0xFF);
  // Whatever is no text is taken for no data.
  if (statement.Type(17) == SQLITE_TEXT) {
    card.data = row.Text(17, "data");
  } else {
    card.data.clear();
  }
}

void Read(const Statement& statement, Note& note) {
  const RowReader row{statement, "a note"};
  note.id = row.Strict(0, "id");
  note.guid = row.Text(1, "guid");
  note.notetype_id = row.Strict(2, "mid");
  note.mod = row.Strict(3, "mod");
  note.usn = row.Strict<std::int32_t>(4, "usn");
  note.tags = row.Text(5, "tags");
  note.fields = row.Text(6, "flds");
}

void Read(const Statement& statement, Review& review) {
  const RowReader row{statement, "a review"};
  review.id = row.Strict(0, "id");
  review.card_id = row.Strict(1, "cid");
  review.usn = row.Strict<std::int32_t>(2, "usn");
  review.ease = row.Strict<std::int32_t>(3, "ease", 0, 0xFF);
  review.interval = row.Clamped<std::int32_t>(4);
  review.last_interval = row.Clamped<std::int32_t>(5);
  review.factor = row.Strict(6, "factor", 0, kUint32High);
  review.taken_ms = row.OrZero(7, 0, kUint32High);
  review.type = row.OrZero<std::int32_t>(8, 0, 5);
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

// Whoever collects the rows of a page holds no more than this, and one row: notes can have megabytes.
std::size_t PageBytes(std::int64_t limit) {
  return limit < 0 ? std::numeric_limits<std::size_t>::max() : std::size_t{4} << 20;
}

template <typename Row>
std::int64_t EachRow(Statement& statement, std::int64_t after, std::int64_t limit,
                     const std::function<void(const Row&)>& each,
                     std::size_t max_bytes = std::numeric_limits<std::size_t>::max()) {
  Row row{};
  std::size_t bytes = 0;
  statement.Reset();
  statement.Bind(1, after).Bind(2, limit);
  while (bytes < max_bytes && statement.Step()) {
    Read(statement, row);
    each(row);
    after = row.id;
    bytes += TextBytes(row);
  }
  statement.Reset();
  return after;
}

// --- Notetypes, decks, deck configs and tags, which are read as a whole

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

// SQL of the schema, cut into upper-case words, names in quotes kept whole, comments left out.
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

constexpr char kForeignParts[] =
    "The collection file contains database parts that do not belong to Anki. Please export the collection "
    "with Anki "
    "(File > Export) and import it into a new profile, then upload that one.";

// More than any collection has; it bounds what a check of each costs.
constexpr int kMaxSchemaObjects = 200;

struct Table {
  std::string name;
  std::vector<std::string> columns;
  std::string row_id;  // the column that is the row's id, if there is one
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
  // One parenthesis, that of the columns: so no function is called and no expression hides in a WHERE.
  if (std::count(words.begin(), words.end(), "(") > 1) throw FileRefused(kForeignParts);
  auto statement = db.Prepare("PRAGMA index_xinfo(" + Quoted(name) + ")");
  while (statement.Step())
    if (statement.Int(1) == -2) throw FileRefused(kForeignParts);  // an expression
}

// Refuses whatever could run or call something. Plain tables that are not Anki's are let through and left
// alone: Android's SQLite puts an android_metadata into files, and add-ons have put theirs.
std::map<std::string, Table> CheckSchema(const Connection& db) {
  // DEFAULT and REFERENCES are harmless: constants only, and foreign keys are off.
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

// An index that a file of Anki's has, and what the scan of its table says must be in it.
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

// Whether the index holds exactly the expected keys in ascending order.
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

// Checks all indexes of one large table, by sum where the index is as expected, else by integrity_check.
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
  Usn HighestUsnIn(const char* table) const {
    auto statement = db.Prepare(std::string("SELECT max(usn) FROM ") + table);
    statement.Step();
    return sqlite::CheckedUsn(statement.Int(0));
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
  void CheckOneCollection();
  void CheckRows();
  void CheckFully(std::int64_t file_bytes);

  bool wal;
  int version = 0;
  std::optional<Usn> max_usn;              // known after a full check
  std::optional<CollectionCounts> counts;  // likewise
  Connection db;
  mutable Statement cards, notes, reviews;  // prepared at first use: chunked readers come back many times
};

void CollectionFile::Impl::CheckOneCollection() {
  auto statement = db.Prepare("SELECT crt, mod, scm, ls, usn, ver FROM col");
  if (!statement.Step()) throw FileRefused(kNotACollection);
  for (int column = 0; column < 6; ++column)
    if (statement.Type(column) != SQLITE_INTEGER && statement.Type(column) != SQLITE_FLOAT)
      throw FileRefused(kDamaged);
  sqlite::CheckedUsn(statement.Int(4));
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
  const auto seen = [this](Usn usn) { max_usn = std::max(*max_usn, sqlite::CheckedUsn(usn)); };

  std::vector<ExpectedIndex> note_indexes = {
      {"ix_notes_usn", {"usn"}, ""}, {"ix_notes_csum", {"csum"}, ""}, {"idx_notes_mid", {"mid"}, ""}};
  bool only_integers = true;
  notes = db.Prepare(kNoteColumns);
  EachRow<Note>(notes, kInt64Low, -1, [&](const Note& note) {
    seen(note.usn);
    ++counts->notes;
    only_integers = only_integers && notes.Type(7) == SQLITE_INTEGER;
    note_indexes[0].Add({note.usn, note.id});
    note_indexes[1].Add({notes.Int(7), note.id});
    note_indexes[2].Add({note.notetype_id, note.id});
  });
  CheckIndexes(db, "notes", note_indexes, only_integers);

  std::vector<ExpectedIndex> card_indexes = {{"ix_cards_usn", {"usn"}, ""},
                                             {"ix_cards_nid", {"nid"}, ""},
                                             {"ix_cards_sched", {"did", "queue", "due"}, ""},
                                             {"idx_cards_odid", {"odid"}, "WHERE odid != 0"}};
  only_integers = true;
  cards = db.Prepare(kCardColumns);
  EachRow<Card>(cards, kInt64Low, -1, [&](const Card& card) {
    seen(card.usn);
    ++counts->cards;
    only_integers = only_integers && cards.Type(8) == SQLITE_INTEGER;
    card_indexes[0].Add({card.usn, card.id});
    card_indexes[1].Add({card.note_id, card.id});
    // The column, not what we read from it: an impossible due date is read as 0.
    card_indexes[2].Add({card.deck_id, card.queue, cards.Int(8), card.id});
    if (card.original_deck_id != 0) card_indexes[3].Add({card.original_deck_id, card.id});
  });
  CheckIndexes(db, "cards", card_indexes, only_integers);

  std::vector<ExpectedIndex> review_indexes = {{"ix_revlog_usn", {"usn"}, ""},
                                               {"ix_revlog_cid", {"cid"}, ""}};
  reviews = db.Prepare(kReviewColumns);
  EachRow<Review>(reviews, kInt64Low, -1, [&](const Review& review) {
    seen(review.usn);
    ++counts->revlog;
    review_indexes[0].Add({review.usn, review.id});
    review_indexes[1].Add({review.card_id, review.id});
  });
  CheckIndexes(db, "revlog", review_indexes, true);
}

void CollectionFile::Impl::CheckFully(std::int64_t file_bytes) {
  // A tree whose branches share pages can take exponential time to walk. What an honest file needs is far
  // below this many steps of SQLite's machine.
  struct Budget {
    std::int64_t thousands;
    static int Spend(void* budget) { return --static_cast<Budget*>(budget)->thousands < 0 ? 1 : 0; }
  } budget{10'000 + file_bytes / 50};
  sqlite3_progress_handler(db.Handle(), 1000, Budget::Spend, &budget);

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

  const auto objects = sqlite::ReadSmallObjects(db, version);
  max_usn = std::max(*max_usn, HighestUsn(objects));
  CountObjects(objects, *counts);

  auto graves = db.Prepare("SELECT usn, oid, type FROM graves");
  while (graves.Step()) {
    for (int column = 0; column < 3; ++column)
      if (graves.Type(column) != SQLITE_INTEGER) throw FileRefused(kDamaged);
    max_usn = std::max(*max_usn, sqlite::CheckedUsn(graves.Int(0)));
  }
  sqlite3_progress_handler(db.Handle(), 0, nullptr, nullptr);
}

CollectionFile::CollectionFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CollectionFile::CollectionFile(CollectionFile&&) noexcept = default;
CollectionFile& CollectionFile::operator=(CollectionFile&&) noexcept = default;
CollectionFile::~CollectionFile() = default;

CollectionFile CollectionFile::Open(const std::string& path, Check check) {
  const auto header = sqlite::ReadHeader(path);
  if (header.empty()) throw FileRefused("The uploaded collection is empty.");
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  if (header.size() < 100 || !std::string_view(header).starts_with(kMagic))
    throw FileRefused(kNotACollection);
  // Anki's files are UTF-8; SQLite would convert others, with replacements for what it cannot.
  if (header.substr(56, 4) != std::string("\0\0\0\1", 4)) throw FileRefused(kNotACollection);
  auto impl = std::make_unique<Impl>(path, sqlite::HeaderSaysWal(header));
  if (check == Check::kFull) {
    struct stat status {};
    ::stat(path.c_str(), &status);
    impl->CheckFully(status.st_size);
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
  return {statement.Int(0), statement.Int(1), statement.Int(2), statement.Int(3),
          sqlite::CheckedUsn(statement.Int(4))};
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
    const auto kind = statement.Int(0);
    // Upstream knows no other kinds either, and never writes one.
    if (kind < 0 || kind > 2) continue;
    graves.push_back({static_cast<GraveKind>(kind), statement.Int(1), sqlite::CheckedUsn(statement.Int(2))});
  }
  return graves;
}

std::vector<std::int64_t> CollectionFile::ExistingCards(const std::vector<std::int64_t>& ids) const {
  return impl_->Existing("cards", ids);
}

std::vector<std::int64_t> CollectionFile::ExistingNotes(const std::vector<std::int64_t>& ids) const {
  return impl_->Existing("notes", ids);
}

std::vector<std::int64_t> CollectionFile::ExistingReviews(const std::vector<std::int64_t>& ids) const {
  return impl_->Existing("revlog", ids);
}

}  // namespace syncline::anki
