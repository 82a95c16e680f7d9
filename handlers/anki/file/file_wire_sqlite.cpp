#include "handlers/anki/file/file_wire_sqlite.h"

#include <fcntl.h>
#include <unistd.h>

#include <limits>
#include <map>
#include <new>
#include <set>
#include <stdexcept>

#include "handlers/anki/file/file_wire.h"
#include "handlers/anki/file/file_wire_vfs.h"
#include "handlers/anki/objects/schema18_wire.h"
#include "handlers/anki/objects/unicase_wire.h"
#include "handlers/base/json.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/utf8.h"

namespace syncline::anki::sqlite {
namespace {

// Anki reads these objects when it opens and upgrades the file, so it cannot open a file refused with this.
constexpr char kUnreadableObject[] =
    " in the collection cannot be read, and no version of Anki can open it. Please open a backup in Anki "
    "(File > Switch Profile > Open Backup), then upload that.";

// On an untrusted file only queries, reads, functions and pragmas run. Whatever its schema asks for beyond
// that is denied.
int Authorize(void*, int action, const char* first, const char*, const char*, const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
    case SQLITE_PRAGMA:
      return first != nullptr && std::string_view(first) == "load_extension" ? SQLITE_DENY : SQLITE_OK;
    default:
      return SQLITE_DENY;
  }
}

std::string ImmutableUri(const std::string& path) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '?' || c == '#' || c == '%' || byte < 0x21) {
      uri += {'%', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      uri += c;
    }
  }
  // Immutable: SQLite takes no locks and needs no -wal or -shm for a file in WAL mode.
  return uri + "?immutable=1";
}

void Pragma(const Connection& db, std::string_view sql) {
  auto statement = db.Prepare(sql);
  while (statement.Step()) {
  }
}

// Makes SQLite parse the schema, which takes time beyond all measure if there are very many tables. Counts steps of its
// virtual machine, about eight an object: enough for ten times as many objects as a collection may have.
void LoadSchema(sqlite3* db) {
  constexpr int kSteps = 1000;
  int left = 20;
  sqlite3_progress_handler(
      db, kSteps, [](void* count) { return --*static_cast<int*>(count) < 0 ? 1 : 0; }, &left);
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(db, "SELECT 1 FROM sqlite_schema LIMIT 0", -1, &statement, nullptr);
  sqlite3_finalize(statement);
  sqlite3_progress_handler(db, 0, nullptr, nullptr);
  if ((code & 0xFF) == SQLITE_INTERRUPT || left < 0) throw FileRefused(kForeignParts);
  if (code != SQLITE_OK) Throw(db, code);
}

void Harden(sqlite3* db) {
  int unused = 0;
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, &unused);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &unused);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, &unused);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, &unused);
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, kMaxValueBytes);
  sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 100'000);
  sqlite3_limit(db, SQLITE_LIMIT_COLUMN, 200);
  sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 50);
  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(db, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
}

}  // namespace

void Throw(sqlite3* db, int code) {
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
    case SQLITE_ERROR:  // a schema without a table or column that every collection has
    case SQLITE_AUTH:
    case SQLITE_SCHEMA:
      throw FileRefused(kDamaged);
    case SQLITE_TOOBIG:
      throw RowTooLarge(
          "The collection contains a text that is too large to be synced. Please shorten the note or "
          "template, or move what it contains to media files.");
    case SQLITE_INTERRUPT:
      throw FileRefused(
          "Checking the collection file takes too long; it is probably damaged. In Anki, please use "
          "Tools > Check Database; if that reports an error, open a backup (File > Switch Profile > Open "
          "Backup). Then try again.");
    case SQLITE_NOMEM:
      // Sizes in a damaged file can request more memory than SQLite allocates at once. On a writable
      // connection the memory has really run out.
      if (db != nullptr && sqlite3_db_readonly(db, "main") == 1) throw FileRefused(kDamaged);
      throw std::bad_alloc();
    default:
      throw std::runtime_error(std::string("sqlite: ") +
                               (db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code)));
  }
}

Statement::Statement(sqlite3* db, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_NO_VTAB,
                                      &statement, nullptr);
  if (code != SQLITE_OK) Throw(db, code);
  statement_.reset(statement);
}

Statement& Statement::Bind(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), index, value);
  return *this;
}

Statement& Statement::Bind(int index, std::string_view text) {
  // A null pointer would bind SQL NULL.
  const int code = sqlite3_bind_text(statement_.get(), index, text.data() == nullptr ? "" : text.data(),
                                     static_cast<int>(text.size()), SQLITE_STATIC);
  if (code != SQLITE_OK) Throw(nullptr, code);
  return *this;
}

Statement& Statement::BindBlob(int index, std::string_view bytes) {
  const int code = sqlite3_bind_blob(statement_.get(), index, bytes.data() == nullptr ? "" : bytes.data(),
                                     static_cast<int>(bytes.size()), SQLITE_STATIC);
  if (code != SQLITE_OK) Throw(nullptr, code);
  return *this;
}

bool Statement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  auto* db = sqlite3_db_handle(statement_.get());
  sqlite3_reset(statement_.get());
  Throw(db, code);
}

void Statement::Reset() {
  sqlite3_reset(statement_.get());
}

void Statement::Run() {
  while (Step()) {
  }
  Reset();
}

std::string_view Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::string_view Statement::Blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

Connection::Connection(const std::string& path, Mode mode) {
  const bool read_only = mode == Mode::kUntrustedReadOnly;
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
  flags |= read_only ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE;
  sqlite3* db = nullptr;
  const int code =
      sqlite3_open_v2(read_only ? ImmutableUri(path).c_str() : path.c_str(), &db, flags, PrivateVfs());
  db_.reset(db);
  if (code != SQLITE_OK) Throw(db, code);
  Harden(db);
  RegisterUnicase(db);
  if (read_only) {
    LoadSchema(db);
    // Sequential scans need no cache; a small one bounds memory while a 1 GiB file is read.
    Pragma(*this, "PRAGMA cache_size = -4096");
    Pragma(*this, "PRAGMA cell_size_check = ON");
    sqlite3_set_authorizer(db, Authorize, nullptr);
  } else {
    // The file is a private copy that is discarded on any failure: it need not survive a crash.
    Pragma(*this, "PRAGMA locking_mode = EXCLUSIVE");
    Pragma(*this, "PRAGMA synchronous = OFF");
    Pragma(*this, "PRAGMA cache_size = -16384");
  }
}

std::string ReadHeader(const std::string& path) {
  std::string header(100, '\0');
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw std::runtime_error("cannot open a collection file");
  const auto size = ::pread(file, header.data(), header.size(), 0);
  ::close(file);
  if (size < 0) throw std::runtime_error("cannot read a collection file");
  header.resize(static_cast<std::size_t>(size));
  return header;
}

bool HeaderSaysWal(std::string_view header) {
  return header.size() >= 20 && (header[18] == 2 || header[19] == 2);
}

void LeaveWal(const std::string& path) {
  if (!HeaderSaysWal(ReadHeader(path))) return;
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const auto written = file < 0 ? -1 : ::pwrite(file, "\1\1", 2, 18);
  if (file >= 0) ::close(file);
  if (written != 2) throw std::runtime_error("cannot write a collection file");
}

int ReadSchemaVersion(const Connection& db) {
  auto statement = db.Prepare("SELECT ver FROM col LIMIT 1");
  return statement.Step() ? static_cast<int>(statement.Int(0)) : 0;
}

Usn SoundUsn(std::int64_t usn) {
  return std::max(static_cast<Usn>(usn), 0);
}

void CountAdjusted(Adjustments& adjusted, const char* table, const char* column, std::int64_t id) {
  constexpr std::size_t kExamples = 5;
  AdjustedColumn& of_column = adjusted[std::string(table) + '.' + column];
  ++of_column.count;
  if (of_column.ids.size() < kExamples) of_column.ids.push_back(id);
}

namespace {

// Serde's limit of 127 levels minus what a sync wraps around a preference: {"changes":{"conf":{...}}} leaves
// 124, an answer 125. A file may hold a deeper one, but it cannot be synced.
constexpr int kMaxPreferenceDepth = 125;

// Counts values that are not read as stored, unless `adjusted` is null.
struct Counter {
  Adjustments* adjusted;
  void Count(const char* table, const char* column, std::int64_t id) const {
    if (adjusted != nullptr) CountAdjusted(*adjusted, table, column, id);
  }
  Usn RowUsn(const Statement& row, int column, const char* table, std::int64_t id) const {
    const auto stored = row.Int(column);
    const Usn usn = SoundUsn(stored);
    if (stored != usn) Count(table, "usn", id);
    return usn;
  }
  // The value as valid UTF-8, whatever its type and bytes.
  std::string Name(const Statement& row, int column, const char* table, const char* name,
                   std::int64_t id) const {
    const bool is_text = row.Type(column) == SQLITE_TEXT;
    std::string text(is_text ? row.Text(column) : row.Blob(column));
    if (is_text && IsUtf8(text)) return text;
    Count(table, name, id);
    MakeText(text);
    return text;
  }
};

std::int64_t NeedNumber(std::string_view digits) {
  const auto number = WholeNumber(digits);
  if (!number) throw BadJson("not a whole number");
  return *number;
}

// Newer schemas need unique names; upstream appends _ until they are, when it upgrades a file. One _ is
// enough for any real file. For a hostile one, the id avoids thousands of tries for each of thousands of
// equal names.
bool MakeNameDiffer(std::set<std::string>& names, std::string& name, std::int64_t id) {
  if (names.insert(UnicaseKey(name)).second) return false;
  name += '_';
  while (!names.insert(UnicaseKey(name)).second) name += std::to_string(id);
  return true;
}

// Reads a JSON map of the col table: id -> JSON of the object. If an id occurs twice, the last one wins, as
// in upstream.
std::map<std::int64_t, std::string> ReadJsonMap(const Connection& db, const char* column) {
  auto statement = db.Prepare(std::string("SELECT ") + column + " FROM col LIMIT 1");
  std::map<std::int64_t, std::string> objects;
  if (!statement.Step()) return objects;
  const auto text = statement.Text(0);
  const JsonSpans json(text, 1);
  if (json.Root().kind != JsonSpans::Kind::kObject) throw BadJson("not a map of objects");
  json.EachIn(json.Root(), [&](const JsonSpans::Value& value) {
    objects[NeedNumber(json.Key(value))] = std::string(json.Raw(value));
  });
  return objects;
}

Object NotetypeObject(const NotetypeRow& row, std::string json) {
  return {row.id,
          row.name,
          row.mod,
          SoundUsn(row.usn),
          std::move(json),
          static_cast<std::int32_t>(row.fields.size()),
          static_cast<std::int32_t>(row.templates.size())};
}

// A schema 11 object keeps its own text, unless upstream would read it differently.
template <typename Row>
std::string OwnText(const Row& row, std::string json, bool rename, std::string (*to_json)(const Row&)) {
  if (rename) return to_json(row);
  // Duplicate keys are accepted in a file but refused in a message; reprinting removes them.
  if (HasDuplicateKeys(json)) return to_json(row);
  return json;
}

// Visits the objects of a map in the col table, with unique names: each with its row and its text.
template <typename Row, typename Visit>
void EachNamedObject(const Connection& db, const char* column, Row (*from_json)(std::string_view),
                     std::string (*to_json)(const Row&), Visit visit) {
  std::set<std::string> names;
  for (auto& [id, json] : ReadJsonMap(db, column)) {
    auto row = from_json(json);
    bool rename = row.id != id;
    row.id = id;
    rename = MakeNameDiffer(names, row.name, id) || rename;
    auto text = OwnText(row, std::move(json), rename, to_json);
    visit(row, std::move(text));
  }
}

// The row as JSON. A row whose protobuf does not parse is no reason to refuse a file: clients open and sync
// it as long as that object is not touched. Its stand-in here has its id, name and parts, and is sent only to
// a client that has never had the file.
template <typename Row, typename StandIn>
std::string JsonOrStandIn(Row& row, std::string (*to_json)(const Row&), StandIn stand_in) {
  try {
    return to_json(row);
  } catch (const BadObject&) {
    stand_in(row);
    return to_json(row);
  }
}

std::vector<Object> ReadNotetypes(const Connection& db, int version, const Counter& counter) {
  std::vector<Object> notetypes;
  if (version < 15) {
    EachNamedObject(
        db, "models", NotetypeFromJson, NotetypeToJson, [&](const NotetypeRow& row, std::string text) {
          // Very old collections have such notetypes; Anki gives them an id when it opens the collection.
          if (row.id == 0) {
            throw FileRefused(
                "The collection contains a note type without an id. Please open it with a current "
                "version of Anki, which repairs that, and upload it from there.");
          }
          notetypes.push_back(NotetypeObject(row, std::move(text)));
        });
    return notetypes;
  }
  auto fields = db.Prepare("SELECT name, config FROM fields WHERE ntid = ? ORDER BY ord");
  auto templates =
      db.Prepare("SELECT name, mtime_secs, usn, config FROM templates WHERE ntid = ? ORDER BY ord");
  auto statement = db.Prepare("SELECT id, name, mtime_secs, usn, config FROM notetypes ORDER BY id");
  while (statement.Step()) {
    const auto id = statement.Int(0);
    NotetypeRow row{id,
                    counter.Name(statement, 1, "notetypes", "name", id),
                    statement.Int(2),
                    counter.RowUsn(statement, 3, "notetypes", id),
                    std::string(statement.Blob(4)),
                    {},
                    {}};
    for (fields.Bind(1, row.id); fields.Step();)
      row.fields.push_back({counter.Name(fields, 0, "fields", "name", id), std::string(fields.Blob(1))});
    fields.Reset();
    for (templates.Bind(1, row.id); templates.Step();)
      row.templates.push_back({counter.Name(templates, 0, "templates", "name", id), templates.Int(1),
                               SoundUsn(templates.Int(2)), std::string(templates.Blob(3))});
    templates.Reset();
    auto json = JsonOrStandIn(row, NotetypeToJson, [&](NotetypeRow& odd) {
      counter.Count("notetypes", "config", id);
      odd.config.clear();
      for (auto& field : odd.fields) field.config.clear();
      for (auto& card : odd.templates) card.config.clear();
    });
    notetypes.push_back(NotetypeObject(row, std::move(json)));
  }
  return notetypes;
}

std::vector<Object> ReadDecks(const Connection& db, int version, const Counter& counter) {
  std::vector<Object> decks;
  if (version < 15) {
    EachNamedObject(db, "decks", DeckFromJson, DeckToJson, [&](const DeckRow& row, std::string text) {
      decks.push_back({row.id, HumanDeckName(row.name), row.mod, SoundUsn(row.usn), std::move(text)});
    });
    return decks;
  }
  auto statement = db.Prepare("SELECT id, name, mtime_secs, usn, common, kind FROM decks ORDER BY id");
  while (statement.Step()) {
    const auto id = statement.Int(0);
    DeckRow row{id,
                counter.Name(statement, 1, "decks", "name", id),
                statement.Int(2),
                counter.RowUsn(statement, 3, "decks", id),
                std::string(statement.Blob(4)),
                std::string(statement.Blob(5))};
    auto json = JsonOrStandIn(row, DeckToJson, [&](DeckRow& odd) {
      counter.Count("decks", "kind", id);
      odd.common.clear();
      // A normal deck with config_id 1, as protobuf.
      odd.kind = "\x0a\x02\x08\x01";
    });
    decks.push_back({row.id, HumanDeckName(row.name), row.mod, row.usn, std::move(json)});
  }
  return decks;
}

Object DeckConfigObject(std::int64_t id, std::string json) {
  auto row = DeckConfigFromJson(json);
  // Some clients wrote an id into the object that differs from its key.
  const bool wrong_id = row.id != id;
  row.id = id;
  auto text = OwnText(row, std::move(json), wrong_id, DeckConfigToJson);
  return {id, row.name, row.mod, SoundUsn(row.usn), std::move(text)};
}

std::vector<Object> ReadDeckConfigs(const Connection& db, int version, const Counter& counter) {
  std::vector<Object> configs;
  if (version < 14) {
    for (auto& [id, json] : ReadJsonMap(db, "dconf"))
      configs.push_back(DeckConfigObject(id, std::move(json)));
    return configs;
  }
  auto statement = db.Prepare("SELECT id, name, mtime_secs, usn, config FROM deck_config ORDER BY id");
  while (statement.Step()) {
    if (version == 14) {
      configs.push_back(DeckConfigObject(statement.Int(0), std::string(statement.Blob(4))));
      continue;
    }
    const auto id = statement.Int(0);
    DeckConfigRow row{id, counter.Name(statement, 1, "deck_config", "name", id), statement.Int(2),
                      counter.RowUsn(statement, 3, "deck_config", id), std::string(statement.Blob(4))};
    const auto to_json = version == 15 ? +[](const DeckConfigRow& old) {
      auto upgraded = old;
      UpgradeDeckConfigFromSchema15(upgraded);
      return DeckConfigToJson(upgraded);
    }
    : DeckConfigToJson;
    auto json = JsonOrStandIn(row, to_json, [&](DeckConfigRow& odd) {
      counter.Count("deck_config", "config", id);
      odd.config.clear();
    });
    configs.push_back({row.id, row.name, row.mod, row.usn, std::move(json)});
  }
  return configs;
}

std::vector<Tag> ReadTags(const Connection& db, int version, const Counter& counter) {
  std::vector<Tag> tags;
  if (version >= 14) {
    auto statement = db.Prepare("SELECT tag, usn FROM tags");
    while (statement.Step())
      tags.push_back({counter.Name(statement, 0, "tags", "tag", 0), counter.RowUsn(statement, 1, "tags", 0)});
    return tags;
  }
  auto statement = db.Prepare("SELECT tags FROM col LIMIT 1");
  if (!statement.Step()) return tags;
  const JsonSpans json(statement.Text(0), 1);
  if (json.Root().kind != JsonSpans::Kind::kObject) throw BadJson("not a map of tags");
  std::set<std::string> names;
  json.EachIn(json.Root(), [&](const JsonSpans::Value& value) {
    if (value.kind != JsonSpans::Kind::kNumber) throw BadJson("usn of a tag is not a number");
    const std::string name(json.Key(value));
    if (names.insert(UnicaseKey(name)).second) tags.push_back({name, SoundUsn(NeedNumber(json.Raw(value)))});
  });
  return tags;
}

// Whether a preference can be synced. If it is not JSON, or nested too deep, clients that have it fail when
// they sync it; so the rows leave it out.
bool CanTravel(std::string_view value) {
  try {
    static_cast<void>(JsonSpans(value, 0, kMaxPreferenceDepth));
    return true;
  } catch (const BadJson&) {
    return false;
  }
}

std::string ReadConfig(const Connection& db, int version, const Counter& counter) {
  std::map<std::string, std::string> values;
  const auto add = [&](std::string key, std::string_view value) {
    if (CanTravel(value)) {
      values[std::move(key)] = value;
    } else {
      counter.Count("config", "val", 0);
    }
  };
  if (version >= 14) {
    auto statement = db.Prepare("SELECT key, val FROM config");
    while (statement.Step()) add(counter.Name(statement, 0, "config", "KEY", 0), statement.Blob(1));
  } else {
    auto statement = db.Prepare("SELECT conf FROM col LIMIT 1");
    if (!statement.Step()) throw BadJson("no config");
    const JsonSpans json(statement.Text(0), 1);
    if (json.Root().kind != JsonSpans::Kind::kObject) throw BadJson("config is not an object");
    json.EachIn(json.Root(),
                [&](const JsonSpans::Value& value) { add(std::string(json.Key(value)), json.Raw(value)); });
  }
  JsonWriter config;
  config.Object();
  for (const auto& [key, value] : values) config.Add(key, RawJson{value});
  return config.Finish();
}

// Runs `read`. If an object cannot be read, refuses the file with a message that names the kind of object.
template <typename Read>
auto Named(const char* kind, Read read) {
  try {
    return read();
  } catch (const BadObject&) {
  } catch (const BadJson&) {
  }
  throw FileRefused(kind + std::string(kUnreadableObject));
}

}  // namespace

SmallObjects ReadSmallObjects(const Connection& db, int version, Adjustments* adjusted) {
  const Counter counter{adjusted};
  SmallObjects objects;
  objects.notetypes = Named("A note type", [&] { return ReadNotetypes(db, version, counter); });
  objects.decks = Named("A deck", [&] { return ReadDecks(db, version, counter); });
  objects.deck_configs = Named("A deck options group", [&] { return ReadDeckConfigs(db, version, counter); });
  objects.tags = Named("The list of tags", [&] { return ReadTags(db, version, counter); });
  objects.config_json = Named("A preference", [&] { return ReadConfig(db, version, counter); });
  return objects;
}

}  // namespace syncline::anki::sqlite
