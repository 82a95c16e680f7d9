// Writes collection files: brings a base file up to date, creates an empty one, downgrades to schema 11.
//
// Rows are upserted, so that columns which sync does not carry (a note's flags and data) stay unchanged, and
// indexes change only where a key changed. Indexes of an empty table are dropped and rebuilt at the end: this
// is several times faster than filling them row by row. Left out on purpose: deciding which row is newer and
// assigning usns; rows are written as given.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include "handlers/anki/collection/messages_wire.h"
#include "handlers/anki/file/field_text_wire.h"
#include "handlers/anki/file/file_wire.h"
#include "handlers/anki/file/file_wire_sqlite.h"
#include "handlers/anki/file/file_wire_stock.h"
#include "handlers/anki/objects/schema18_wire.h"
#include "handlers/anki/objects/unicase_wire.h"
#include "handlers/base/json.h"
#include "handlers/base/json_writer.h"

namespace syncline::anki {
namespace {

using sqlite::Connection;
using sqlite::Statement;

constexpr char kTables[] = R"(
  CREATE TABLE col (id integer PRIMARY KEY, crt integer NOT NULL, mod integer NOT NULL, scm integer NOT NULL,
    ver integer NOT NULL, dty integer NOT NULL, usn integer NOT NULL, ls integer NOT NULL, conf text NOT NULL,
    models text NOT NULL, decks text NOT NULL, dconf text NOT NULL, tags text NOT NULL);
  CREATE TABLE notes (id integer PRIMARY KEY, guid text NOT NULL, mid integer NOT NULL, mod integer NOT NULL,
    usn integer NOT NULL, tags text NOT NULL, flds text NOT NULL, sfld integer NOT NULL, csum integer NOT NULL,
    flags integer NOT NULL, data text NOT NULL);
  CREATE TABLE cards (id integer PRIMARY KEY, nid integer NOT NULL, did integer NOT NULL, ord integer NOT NULL,
    mod integer NOT NULL, usn integer NOT NULL, type integer NOT NULL, queue integer NOT NULL, due integer NOT NULL,
    ivl integer NOT NULL, factor integer NOT NULL, reps integer NOT NULL, lapses integer NOT NULL,
    left integer NOT NULL, odue integer NOT NULL, odid integer NOT NULL, flags integer NOT NULL,
    data text NOT NULL);
  CREATE TABLE revlog (id integer PRIMARY KEY, cid integer NOT NULL, usn integer NOT NULL, ease integer NOT NULL,
    ivl integer NOT NULL, lastIvl integer NOT NULL, factor integer NOT NULL, time integer NOT NULL,
    type integer NOT NULL);
  CREATE INDEX ix_notes_usn ON notes (usn);
  CREATE INDEX ix_cards_usn ON cards (usn);
  CREATE INDEX ix_revlog_usn ON revlog (usn);
  CREATE INDEX ix_cards_nid ON cards (nid);
  CREATE INDEX ix_cards_sched ON cards (did, queue, due);
  CREATE INDEX ix_revlog_cid ON revlog (cid);
  CREATE INDEX ix_notes_csum ON notes (csum);
  CREATE TABLE deck_config (id integer PRIMARY KEY NOT NULL, name text NOT NULL COLLATE unicase,
    mtime_secs integer NOT NULL, usn integer NOT NULL, config blob NOT NULL);
  CREATE TABLE config (KEY text NOT NULL PRIMARY KEY, usn integer NOT NULL, mtime_secs integer NOT NULL,
    val blob NOT NULL) WITHOUT ROWID;
  CREATE TABLE fields (ntid integer NOT NULL, ord integer NOT NULL, name text NOT NULL COLLATE unicase,
    config blob NOT NULL, PRIMARY KEY (ntid, ord)) WITHOUT ROWID;
  CREATE UNIQUE INDEX idx_fields_name_ntid ON fields (name, ntid);
  CREATE TABLE templates (ntid integer NOT NULL, ord integer NOT NULL, name text NOT NULL COLLATE unicase,
    mtime_secs integer NOT NULL, usn integer NOT NULL, config blob NOT NULL, PRIMARY KEY (ntid, ord)) WITHOUT ROWID;
  CREATE UNIQUE INDEX idx_templates_name_ntid ON templates (name, ntid);
  CREATE INDEX idx_templates_usn ON templates (usn);
  CREATE TABLE notetypes (id integer NOT NULL PRIMARY KEY, name text NOT NULL COLLATE unicase,
    mtime_secs integer NOT NULL, usn integer NOT NULL, config blob NOT NULL);
  CREATE UNIQUE INDEX idx_notetypes_name ON notetypes (name);
  CREATE INDEX idx_notetypes_usn ON notetypes (usn);
  CREATE TABLE decks (id integer PRIMARY KEY NOT NULL, name text NOT NULL COLLATE unicase,
    mtime_secs integer NOT NULL, usn integer NOT NULL, common blob NOT NULL, kind blob NOT NULL);
  CREATE UNIQUE INDEX idx_decks_name ON decks (name);
  CREATE INDEX idx_notes_mid ON notes (mid);
  CREATE INDEX idx_cards_odid ON cards (odid) WHERE odid != 0;
  CREATE TABLE tags (tag text NOT NULL PRIMARY KEY COLLATE unicase, usn integer NOT NULL,
    collapsed boolean NOT NULL, config blob NULL) WITHOUT ROWID;
  CREATE TABLE graves (oid integer NOT NULL, type integer NOT NULL, usn integer NOT NULL,
    PRIMARY KEY (oid, type)) WITHOUT ROWID;
  CREATE INDEX idx_graves_pending ON graves (usn);
  INSERT INTO col VALUES (1, 0, 0, 0, 18, 0, 0, 0, '', '', '', '', '');
)";

constexpr char kBackToSchema11[] = R"(
  DROP TABLE IF EXISTS config;
  DROP TABLE IF EXISTS deck_config;
  DROP TABLE IF EXISTS tags;
  DROP TABLE IF EXISTS fields;
  DROP TABLE IF EXISTS templates;
  DROP TABLE IF EXISTS notetypes;
  DROP TABLE IF EXISTS decks;
  DROP INDEX IF EXISTS idx_cards_odid;
  DROP INDEX IF EXISTS idx_notes_mid;
  ALTER TABLE graves RENAME TO graves_old;
  CREATE TABLE graves (usn integer NOT NULL, oid integer NOT NULL, type integer NOT NULL);
  INSERT INTO graves (usn, oid, type) SELECT usn, oid, type FROM graves_old;
  DROP TABLE graves_old;
  UPDATE col SET ver = 11;
)";

void RunAll(const Connection& db, const char* sql) {
  const int code = sqlite3_exec(db.Handle(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) sqlite::Throw(db.Handle(), code);
}

std::string JsonMap(const std::map<std::int64_t, std::string>& objects) {
  JsonWriter json;
  json.Object();
  for (const auto& [id, object] : objects) json.Add(std::to_string(id), RawJson{object});
  return json.Finish();
}

std::string TagMap(const std::vector<Tag>& tags) {
  JsonWriter json;
  json.Object();
  for (const auto& tag : tags) json.Add(tag.name, tag.usn);
  return json.Finish();
}

std::map<std::int64_t, std::string> ById(const std::vector<Object>& objects) {
  std::map<std::int64_t, std::string> map;
  for (const auto& object : objects) map[object.id] = object.json;
  return map;
}

// Names of fields and of templates are unique in the file. Clients do not create duplicates; if some JSON has
// them, rename rather than fail the user's download.
template <typename Row>
void MakeNamesDiffer(std::vector<Row>& rows) {
  std::set<std::string> names;
  for (auto& row : rows)
    while (!names.insert(UnicaseKey(row.name)).second) row.name += '+' + std::to_string(names.size());
}

// Inserts a row with these columns, or updates only these if the id exists. `new_columns` get `new_values` in
// a new row only.
std::string UpsertSql(const std::string& table, const std::vector<std::string>& columns,
                      const std::string& new_columns = "", const std::string& new_values = "") {
  std::string names, places, changes;
  for (const std::string& column : columns) {
    names += (names.empty() ? "" : ", ") + column;
    places += places.empty() ? "?" : ", ?";
    if (column != "id") changes += (changes.empty() ? "" : ", ") + column + " = excluded." + column;
  }
  return "INSERT INTO " + table + " (" + names + new_columns + ") VALUES (" + places + new_values +
         ") ON CONFLICT (id) DO UPDATE SET " + changes;
}

// Binds the values to the parameters 1, 2 and so on.
Statement& BindInts(Statement& statement, std::initializer_list<std::int64_t> values) {
  int index = 0;
  for (const auto value : values) statement.Bind(++index, value);
  return statement;
}

}  // namespace

struct CollectionFileWriter::Impl {
  explicit Impl(const std::string& path) : db((sqlite::LeaveWal(path), path), Connection::Mode::kReadWrite) {
    db.Run("BEGIN IMMEDIATE");
    version = sqlite::ReadSchemaVersion(db);
    if (version != 11 && (version < 14 || version > 18))
      throw FileRefused("The base file is not a collection.");
  }

  bool HasRows() const { return version >= 15; }  // notetypes and decks are tables, not JSON in col

  // Before 15, objects are in JSON columns: all are read at the first change and written at the end.
  SmallObjects& Objects() {
    if (!objects) objects = sqlite::ReadSmallObjects(db, version);
    return *objects;
  }
  static void Replace(std::vector<Object>& list, const std::vector<Object>& with) {
    for (const auto& object : with) {
      std::erase_if(list, [&](const Object& old) { return old.id == object.id; });
      list.push_back(object);
    }
  }

  // The name, changed if another object of the table has it: the index is unique. See MakeNamesDiffer.
  std::string FreeName(const char* table, std::string name, std::int64_t id) const {
    auto taken = db.Prepare(std::string("SELECT 1 FROM ") + table + " WHERE name = ? AND id != ?");
    for (bool again = false; taken.Bind(1, std::string_view(name)).Bind(2, id).Step(); again = true) {
      taken.Reset();
      name += again ? std::to_string(id) : "+";
    }
    taken.Reset();
    return name;
  }
  void DeleteAll(const char* table, const char* column, const std::vector<Object>& of) const {
    auto statement = db.Prepare(std::string("DELETE FROM ") + table + " WHERE " + column + " = ?");
    for (const auto& object : of) statement.Bind(1, object.id).Run();
  }

  // Binds the first columns that all rows of objects share.
  static Statement& BindHead(Statement& put, const Object& object, std::string_view name) {
    return put.Bind(1, object.id).Bind(2, name).Bind(3, object.mod).Bind(4, std::int64_t{object.usn});
  }

  // Writes rows if the file has a table for this kind of object, else the JSON that is written at the end.
  void Put(const std::vector<Object>& put, bool into_rows, void (Impl::*put_rows)(const std::vector<Object>&),
           std::vector<Object> SmallObjects::*list, bool& list_changed);
  void PutNotetypeRows(const std::vector<Object>& notetypes);
  void PutDeckRows(const std::vector<Object>& decks);
  void PutDeckConfigRows(const std::vector<Object>& configs);
  void PutConfigRows(std::string_view config_json);
  std::uint32_t SortFieldOf(std::int64_t notetype_id);
  void DropIndexesIfEmpty(const char* table);
  void WriteJsonColumns();

  Connection db;
  int version = 0;
  std::optional<SmallObjects> objects;
  bool notetypes_changed = false, decks_changed = false, configs_changed = false, tags_changed = false,
       config_changed = false;
  std::optional<std::map<std::int64_t, std::uint32_t>> sort_fields;  // by notetype
  std::set<std::string> filled_tables;
  std::vector<std::string> dropped_indexes;  // their SQL
  Statement put_note, put_card, put_review;
};

void CollectionFileWriter::Impl::PutNotetypeRows(const std::vector<Object>& notetypes) {
  // Delete all before inserting any: two notetypes may have swapped names.
  DeleteAll("fields", "ntid", notetypes);
  DeleteAll("templates", "ntid", notetypes);
  DeleteAll("notetypes", "id", notetypes);
  auto put = db.Prepare("INSERT INTO notetypes (id, name, mtime_secs, usn, config) VALUES (?, ?, ?, ?, ?)");
  auto put_field = db.Prepare("INSERT INTO fields (ntid, ord, name, config) VALUES (?, ?, ?, ?)");
  auto put_template = db.Prepare(
      "INSERT INTO templates (ntid, ord, name, mtime_secs, usn, config) VALUES (?, ?, ?, ?, ?, ?)");
  for (const auto& object : notetypes) {
    auto row = NotetypeFromJson(object.json);
    const auto name = FreeName("notetypes", row.name, object.id);
    BindHead(put, object, name).BindBlob(5, row.config).Run();
    MakeNamesDiffer(row.fields);
    MakeNamesDiffer(row.templates);
    std::int64_t ord = 0;
    for (const auto& field : row.fields) {
      put_field.Bind(1, object.id).Bind(2, ord++).Bind(3, std::string_view(field.name));
      put_field.BindBlob(4, field.config).Run();
    }
    ord = 0;
    for (const auto& card : row.templates) {
      put_template.Bind(1, object.id).Bind(2, ord++).Bind(3, std::string_view(card.name)).Bind(4, card.mod);
      put_template.Bind(5, std::int64_t{card.usn}).BindBlob(6, card.config).Run();
    }
  }
}

void CollectionFileWriter::Impl::PutDeckRows(const std::vector<Object>& decks) {
  DeleteAll("decks", "id", decks);
  auto put =
      db.Prepare("INSERT INTO decks (id, name, mtime_secs, usn, common, kind) VALUES (?, ?, ?, ?, ?, ?)");
  for (const auto& object : decks) {
    const auto row = DeckFromJson(object.json);
    const auto name = FreeName("decks", row.name, object.id);
    BindHead(put, object, name).BindBlob(5, row.common).BindBlob(6, row.kind).Run();
  }
}

void CollectionFileWriter::Impl::PutDeckConfigRows(const std::vector<Object>& configs) {
  auto put = db.Prepare(
      "INSERT OR REPLACE INTO deck_config (id, name, mtime_secs, usn, config) VALUES (?, ?, ?, ?, ?)");
  for (const auto& object : configs) {
    auto row = DeckConfigFromJson(object.json);
    if (version == 15) DowngradeDeckConfigToSchema15(row);
    BindHead(put, object, row.name).BindBlob(5, version == 14 ? object.json : row.config).Run();
  }
}

void CollectionFileWriter::Impl::PutConfigRows(std::string_view config_json) {
  const JsonSpans json(config_json, 1);
  std::map<std::string, std::string_view> wanted;
  json.EachIn(json.Root(),
              [&](const JsonSpans::Value& value) { wanted[std::string(json.Key(value))] = json.Raw(value); });
  // A key with an unchanged value keeps its row, including usn and time.
  std::vector<std::string> gone;
  auto existing = db.Prepare("SELECT KEY, val FROM config");
  while (existing.Step()) {
    const std::string key(existing.Text(0));
    const auto found = wanted.find(key);
    if (found == wanted.end()) {
      gone.push_back(key);
    } else if (found->second == existing.Blob(1)) {
      wanted.erase(found);
    }
  }
  auto remove = db.Prepare("DELETE FROM config WHERE KEY = ?");
  for (const auto& key : gone) remove.Bind(1, std::string_view(key)).Run();
  auto put = db.Prepare("INSERT OR REPLACE INTO config (KEY, usn, mtime_secs, val) VALUES (?, 0, 0, ?)");
  for (const auto& [key, value] : wanted) put.Bind(1, std::string_view(key)).BindBlob(2, value).Run();
}

std::uint32_t CollectionFileWriter::Impl::SortFieldOf(std::int64_t notetype_id) {
  if (!sort_fields) {
    sort_fields.emplace();
    if (HasRows()) {
      auto statement = db.Prepare("SELECT id, config FROM notetypes");
      while (statement.Step()) {
        NotetypeRow row;
        row.config = statement.Blob(1);
        // An unreadable config stays unchanged; the first field sorts.
        try {
          (*sort_fields)[statement.Int(0)] = SortField(row);
        } catch (const BadObject&) {
        }
      }
    } else {
      for (const auto& object : Objects().notetypes)
        (*sort_fields)[object.id] = SortField(NotetypeFromJson(object.json));
    }
  }
  const auto found = sort_fields->find(notetype_id);
  return found == sort_fields->end() ? 0 : found->second;
}

void CollectionFileWriter::Impl::DropIndexesIfEmpty(const char* table) {
  if (!filled_tables.insert(table).second) return;
  if (db.Prepare(std::string("SELECT 1 FROM ") + table + " LIMIT 1").Step()) return;
  std::vector<std::string> names;
  auto indexes = db.Prepare(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql NOT NULL");
  for (indexes.Bind(1, std::string_view(table)); indexes.Step();) {
    names.emplace_back(indexes.Text(0));
    dropped_indexes.emplace_back(indexes.Text(1));
  }
  indexes.Reset();
  for (const auto& name : names) db.Run("DROP INDEX \"" + name + "\"");
}

void CollectionFileWriter::Impl::WriteJsonColumns() {
  const auto write = [&](const char* column, const std::string& json) {
    auto statement = db.Prepare(std::string("UPDATE col SET ") + column + " = ?");
    statement.Bind(1, std::string_view(json)).Run();
  };
  if (notetypes_changed) write("models", JsonMap(ById(objects->notetypes)));
  if (decks_changed) write("decks", JsonMap(ById(objects->decks)));
  if (configs_changed) write("dconf", JsonMap(ById(objects->deck_configs)));
  if (tags_changed) write("tags", TagMap(objects->tags));
  if (config_changed) write("conf", objects->config_json);
}

namespace {

// Turns unreadable JSON into FileRefused. The tables should hold none: uploads and messages are checked.
template <typename Put>
void PutReadable(Put put) {
  try {
    put();
  } catch (const BadObject& error) {
    throw FileRefused(std::string("The collection holds an object that cannot be written: ") + error.what());
  } catch (const BadJson& error) {
    throw FileRefused(std::string("The collection holds an object that cannot be written: ") + error.what());
  }
}

}  // namespace

void CollectionFileWriter::Impl::Put(const std::vector<Object>& put, bool into_rows,
                                     void (Impl::*put_rows)(const std::vector<Object>&),
                                     std::vector<Object> SmallObjects::*list, bool& list_changed) {
  if (put.empty()) return;
  if (into_rows) {
    PutReadable([&] { (this->*put_rows)(put); });
  } else {
    Replace(Objects().*list, put);
    list_changed = true;
  }
}

CollectionFileWriter::CollectionFileWriter(const std::string& path) : impl_(std::make_unique<Impl>(path)) {}
CollectionFileWriter::CollectionFileWriter(CollectionFileWriter&&) noexcept = default;
CollectionFileWriter::~CollectionFileWriter() = default;  // closing the connection rolls back

void CollectionFileWriter::Unbury() {
  // A learning card is due at a time or on a day; day numbers are below 10^9.
  impl_->db.Run(
      "UPDATE cards SET queue = CASE WHEN type = 0 THEN 0 WHEN type = 2 THEN 2 WHEN due > 1000000000 THEN 1 "
      "ELSE 3 END "
      "WHERE queue IN (-2, -3)");
}

void CollectionFileWriter::ForgetPending() {
  std::vector<std::string> tables = {"notes", "cards", "revlog", "graves"};
  if (impl_->version >= 14) tables.insert(tables.end(), {"deck_config", "config", "tags"});
  if (impl_->HasRows()) tables.insert(tables.end(), {"notetypes", "templates", "decks"});
  for (const std::string& table : tables) impl_->db.Run("UPDATE " + table + " SET usn = 0 WHERE usn < 0");
  if (impl_->HasRows()) return;
  SmallObjects& objects = impl_->Objects();
  for (auto* list : {&objects.notetypes, &objects.decks, &objects.deck_configs}) {
    for (Object& object : *list)
      object.json = WithMembers(object.json, {{"usn", std::to_string(object.usn)}});
  }
  impl_->notetypes_changed = impl_->decks_changed = true;
  if (impl_->version == 11) impl_->configs_changed = impl_->tags_changed = true;
}

void CollectionFileWriter::Bury(const Grave& grave) {
  const auto kind = static_cast<std::int64_t>(grave.kind);
  if (grave.kind == GraveKind::kDeck && !impl_->HasRows()) {
    std::erase_if(impl_->Objects().decks, [&](const Object& deck) { return deck.id == grave.id; });
    impl_->decks_changed = true;
  } else {
    constexpr const char* kDelete[] = {"DELETE FROM cards WHERE id = ?", "DELETE FROM notes WHERE id = ?",
                                       "DELETE FROM decks WHERE id = ?"};
    impl_->db.Prepare(kDelete[kind]).Bind(1, grave.id).Run();
  }
  // Below schema 18 the table has no primary key.
  impl_->db.Prepare("DELETE FROM graves WHERE oid = ? AND type = ?").Bind(1, grave.id).Bind(2, kind).Run();
  auto put = impl_->db.Prepare("INSERT INTO graves (oid, type, usn) VALUES (?, ?, ?)");
  put.Bind(1, grave.id).Bind(2, kind).Bind(3, std::int64_t{grave.usn}).Run();
}

void CollectionFileWriter::PutNotetypes(const std::vector<Object>& notetypes) {
  impl_->sort_fields.reset();
  impl_->Put(notetypes, impl_->HasRows(), &Impl::PutNotetypeRows, &SmallObjects::notetypes,
             impl_->notetypes_changed);
}

void CollectionFileWriter::PutDecks(const std::vector<Object>& decks) {
  impl_->Put(decks, impl_->HasRows(), &Impl::PutDeckRows, &SmallObjects::decks, impl_->decks_changed);
}

void CollectionFileWriter::PutDeckConfigs(const std::vector<Object>& configs) {
  impl_->Put(configs, impl_->version >= 14, &Impl::PutDeckConfigRows, &SmallObjects::deck_configs,
             impl_->configs_changed);
}

void CollectionFileWriter::PutTags(const std::vector<Tag>& tags) {
  if (tags.empty()) return;
  if (impl_->version >= 14) {
    // New tags are collapsed, as in upstream.
    auto put = impl_->db.Prepare(impl_->version >= 17
                                     ? "INSERT OR IGNORE INTO tags (tag, usn, collapsed) VALUES (?, ?, 1)"
                                     : "INSERT OR IGNORE INTO tags (tag, usn) VALUES (?, ?)");
    for (const auto& tag : tags) put.Bind(1, std::string_view(tag.name)).Bind(2, std::int64_t{tag.usn}).Run();
    return;
  }
  auto& existing = impl_->Objects().tags;
  std::set<std::string> names;
  for (const auto& tag : existing) names.insert(UnicaseKey(tag.name));
  for (const auto& tag : tags)
    if (names.insert(UnicaseKey(tag.name)).second) existing.push_back(tag);
  impl_->tags_changed = true;
}

void CollectionFileWriter::PutConfig(std::string_view config_json) {
  if (impl_->version >= 14) {
    PutReadable([&] { impl_->PutConfigRows(config_json); });
  } else {
    impl_->Objects().config_json = config_json;
    impl_->config_changed = true;
  }
}

void CollectionFileWriter::PutNote(const Note& note) {
  if (!impl_->put_note) {
    impl_->DropIndexesIfEmpty("notes");
    // Sync does not carry flags and data: a new note gets defaults, an existing one keeps its values.
    impl_->put_note = impl_->db.Prepare(
        UpsertSql("notes", {"id", "guid", "mid", "mod", "usn", "tags", "flds", "sfld", "csum"},
                  ", flags, data", ", 0, ''"));
  }
  const auto first = StripHtml(FieldAt(note.fields, 0));
  const auto sort_field = impl_->SortFieldOf(note.notetype_id);
  const auto sorted = sort_field == 0 ? first : StripHtml(FieldAt(note.fields, sort_field));
  auto& put = impl_->put_note;
  put.Bind(1, note.id).Bind(2, std::string_view(note.guid)).Bind(3, note.notetype_id).Bind(4, note.mod);
  put.Bind(5, std::int64_t{note.usn})
      .Bind(6, std::string_view(note.tags))
      .Bind(7, std::string_view(note.fields));
  // The column has integer affinity: SQLite stores and sorts numeric text as a number.
  put.Bind(8, std::string_view(sorted)).Bind(9, std::int64_t{FieldChecksum(first)}).Run();
}

void CollectionFileWriter::PutCard(const Card& card) {
  if (!impl_->put_card) {
    impl_->DropIndexesIfEmpty("cards");
    impl_->put_card = impl_->db.Prepare(
        UpsertSql("cards", {"id", "nid", "did", "ord", "mod", "usn", "type", "queue", "due", "ivl", "factor",
                            "reps", "lapses", "left", "odue", "odid", "flags", "data"}));
  }
  BindInts(impl_->put_card, {card.id, card.note_id, card.deck_id, card.ord, card.mod, card.usn, card.type,
                             card.queue, card.due, card.interval, card.factor, card.reps, card.lapses,
                             card.left, card.original_due, card.original_deck_id, card.flags})
      .Bind(18, std::string_view(card.data))
      .Run();
}

void CollectionFileWriter::PutReview(const Review& review) {
  if (!impl_->put_review) {
    impl_->DropIndexesIfEmpty("revlog");
    impl_->put_review = impl_->db.Prepare(
        UpsertSql("revlog", {"id", "cid", "usn", "ease", "ivl", "lastIvl", "factor", "time", "type"}));
  }
  BindInts(impl_->put_review, {review.id, review.card_id, review.usn, review.ease, review.interval,
                               review.last_interval, review.factor, review.taken_ms, review.type})
      .Run();
}

void CollectionFileWriter::RemoveCard(std::int64_t id) {
  impl_->db.Prepare("DELETE FROM cards WHERE id = ?").Bind(1, id).Run();
}

void CollectionFileWriter::RemoveNote(std::int64_t id) {
  impl_->db.Prepare("DELETE FROM notes WHERE id = ?").Bind(1, id).Run();
}

void CollectionFileWriter::RemoveReviews(const std::vector<std::int64_t>& ids) {
  auto remove = impl_->db.Prepare("DELETE FROM revlog WHERE id = ?");
  for (const std::int64_t id : ids) remove.Bind(1, id).Run();
}

void CollectionFileWriter::RemoveObject(ObjectKind kind, std::int64_t id) {
  const auto remove = [&](bool from_rows, std::initializer_list<const char*> statements,
                          std::vector<Object> SmallObjects::*list, bool& list_changed) {
    if (from_rows) {
      for (const char* sql : statements) impl_->db.Prepare(sql).Bind(1, id).Run();
    } else {
      std::erase_if(impl_->Objects().*list, [&](const Object& object) { return object.id == id; });
      list_changed = true;
    }
  };
  switch (kind) {
    case ObjectKind::kNotetype:
      impl_->sort_fields.reset();
      remove(impl_->HasRows(),
             {"DELETE FROM fields WHERE ntid = ?", "DELETE FROM templates WHERE ntid = ?",
              "DELETE FROM notetypes WHERE id = ?"},
             &SmallObjects::notetypes, impl_->notetypes_changed);
      break;
    case ObjectKind::kDeck:
      remove(impl_->HasRows(), {"DELETE FROM decks WHERE id = ?"}, &SmallObjects::decks,
             impl_->decks_changed);
      break;
    case ObjectKind::kDeckConfig:
      remove(impl_->version >= 14, {"DELETE FROM deck_config WHERE id = ?"}, &SmallObjects::deck_configs,
             impl_->configs_changed);
      break;
  }
}

void CollectionFileWriter::RemoveTags(const std::vector<std::string>& names) {
  if (impl_->version >= 14) {
    auto remove = impl_->db.Prepare("DELETE FROM tags WHERE tag = ?");
    for (const std::string& name : names) remove.Bind(1, std::string_view(name)).Run();
    return;
  }
  std::set<std::string> keys;
  for (const std::string& name : names) keys.insert(UnicaseKey(name));
  std::erase_if(impl_->Objects().tags, [&](const Tag& tag) { return keys.contains(UnicaseKey(tag.name)); });
  impl_->tags_changed = true;
}

void CollectionFileWriter::RemoveGraves(Usn since) {
  impl_->db.Prepare("DELETE FROM graves WHERE usn >= ?").Bind(1, std::int64_t{since}).Run();
}

void CollectionFileWriter::SetMeta(const CollectionMeta& meta) {
  auto statement = impl_->db.Prepare("UPDATE col SET crt = ?, mod = ?, scm = ?, ls = ?, usn = ?");
  statement.Bind(1, meta.created_s).Bind(2, meta.mod_ms).Bind(3, meta.schema_ms).Bind(4, meta.last_sync_ms);
  statement.Bind(5, std::int64_t{meta.usn}).Run();
}

void CollectionFileWriter::Finish() {
  impl_->WriteJsonColumns();
  for (const auto& sql : impl_->dropped_indexes) impl_->db.Run(sql);
  impl_->db.Run("COMMIT");
  // Closes the file, which the caller reads next.
  impl_.reset();
}

void CreateEmptyCollection(const std::string& path, const CollectionMeta& meta, StockContent content) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  struct stat status {};
  const bool is_empty = file >= 0 && ::fstat(file, &status) == 0 && status.st_size == 0;
  if (file >= 0) ::close(file);
  if (!is_empty) throw std::runtime_error("cannot create a collection file");
  {
    const Connection db(path, Connection::Mode::kReadWrite);
    RunAll(db, "PRAGMA page_size = 4096; BEGIN");
    RunAll(db, kTables);
    RunAll(db, "COMMIT");
  }
  // Clients refuse a notetype with id 0.
  const auto objects = StockObjects(std::max<std::int64_t>(meta.schema_ms, 1));
  CollectionFileWriter writer(path);
  if (content == StockContent::kAll) writer.PutNotetypes(objects.notetypes);
  writer.PutDecks(objects.decks);
  writer.PutDeckConfigs(objects.deck_configs);
  writer.PutConfig(objects.config_json);
  writer.SetMeta(meta);
  writer.Finish();
}

void DowngradeToSchema11(const std::string& path) {
  if (sqlite::ReadSchemaVersion(Connection(path, Connection::Mode::kUntrustedReadOnly)) == 11) return;
  sqlite::LeaveWal(path);
  const Connection db(path, Connection::Mode::kReadWrite);
  db.Run("BEGIN IMMEDIATE");
  const auto objects = sqlite::ReadSmallObjects(db, sqlite::ReadSchemaVersion(db));
  const auto notetypes = JsonMap(ById(objects.notetypes)), decks = JsonMap(ById(objects.decks)),
             configs = JsonMap(ById(objects.deck_configs)), tags = TagMap(objects.tags);
  auto statement = db.Prepare("UPDATE col SET conf = ?, models = ?, decks = ?, dconf = ?, tags = ?");
  statement.Bind(1, std::string_view(objects.config_json)).Bind(2, std::string_view(notetypes));
  statement.Bind(3, std::string_view(decks)).Bind(4, std::string_view(configs));
  statement.Bind(5, std::string_view(tags)).Run();
  RunAll(db, kBackToSchema11);
  db.Run("COMMIT");
}

}  // namespace syncline::anki
