// Random syncs of model clients against the real handlers: whatever two or three devices do, in any order and
// with any failures, the server ends as the rules say and every device ends like the server.
//
// A script is a list of steps: user actions and single requests of syncs, interleaved. It is generated from a
// seed; a failing one is reduced to the fewest steps that still fail, and printed. After each finish the
// tables are compared with the result of the rules, applied to the tables before and the client's messages;
// and the client with the tables. At the end all devices, and one that never synced before, sync until
// nothing changes, and must be equal.
//
//   SYNCLINE_RANDOM_SECONDS=3600   longer than the 20 s of ./check, with other seeds each time
//   SYNCLINE_RANDOM_SEED=17        only this seed
#include <libpq-fe.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <random>
#include <set>

#include "handlers/anki/file/full_sync_store.h"
#include "handlers/anki/objects/unicase_wire.h"
#include "handlers/anki/sync_handlers.h"
#include "handlers/base/blobs.h"
#include "handlers/base/json.h"
#include "handlers/base/zstd.h"
#include "tests/support/anki_model.h"
#include "tests/support/test_database.h"

using namespace syncline;
using namespace syncline::anki;
using tests::Contents;
using tests::GraveKey;
using tests::ModelClient;
using tests::ModelCollection;
using tests::ModelObject;
using tests::ObjectMap;
using tests::RunOn;
using tests::SentBySync;
using tests::TestDatabase;

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kDevices = 3;  // and a fourth that only syncs at the end
constexpr std::int64_t kMinute = 60;
constexpr Usn kFirstUsn = 1;
constexpr std::array kObjectKinds{ObjectKind::kNotetype, ObjectKind::kDeck, ObjectKind::kDeckConfig};

// --- scripts

enum class Act {
  kAddNote,
  kEditNote,
  kDeleteNote,
  kAddCard,
  kDeleteCard,
  kMoveCard,
  kEditCard,
  kReview,
  kAddDeck,
  kRenameDeck,
  kEditDeck,
  kDeleteDeck,
  kAddNotetype,
  kRenameNotetype,
  kEditNotetype,
  kAddOptions,
  kRenameOptions,
  kEditOptions,
  kSetConfig,
  kSetCreated,
  kUndo,
  kBringBack,
  kSetClock,
  kSync,
  kBegin,
  kStep,
  kDieBefore,
  kDieAfter,
  kCancel,
};

struct Step {
  Act act;
  int device;
  std::int64_t at_s = 0;  // since the start of the script
  std::int64_t id = 0, other = 0, number = 0;
  std::string name = {}, tag = {};
};

struct Script {
  std::int64_t began_before_s = 0;  // the server's clock is ahead of the true time by this
  std::array<tests::SyncHabits, kDevices> habits;
  std::vector<Step> steps;
};

std::string Shown(const Step& step) {
  const auto n = [](std::int64_t number) { return std::to_string(number); };
  const std::string id = n(step.id), name = QuoteJson(step.name);
  const std::string tag = step.tag.empty() ? "" : ", tag " + QuoteJson(step.tag);
  const auto what = [&]() -> std::string {
    switch (step.act) {
      case Act::kAddNote:
        return "adds note " + id + " with " + n(step.number % 10) + " cards in deck " + n(step.other) +
               ", notetype " + n(step.number / 10) + ", text " + name + tag;
      case Act::kEditNote:
        return "edits note " + id + ": text " + name + tag;
      case Act::kDeleteNote:
        return "deletes note " + id;
      case Act::kAddCard:
        return "adds card " + id + " to note " + n(step.other) + " in deck " + n(step.number);
      case Act::kDeleteCard:
        return "deletes card " + id;
      case Act::kMoveCard:
        return "moves card " + id + " to deck " + n(step.other);
      case Act::kEditCard:
        return "edits card " + id + ": due " + n(step.number);
      case Act::kReview:
        return "answers card " + id + " with " + n(step.number) + ", review " + n(step.other);
      case Act::kAddDeck:
        return "adds deck " + id + " " + name;
      case Act::kRenameDeck:
        return "renames deck " + id + " to " + name + " (new parents from " + n(step.other) + ")";
      case Act::kEditDeck:
        return "edits deck " + id + ": " + name;
      case Act::kDeleteDeck:
        return "deletes deck " + id;
      case Act::kAddNotetype:
        return "adds notetype " + id + " " + name;
      case Act::kRenameNotetype:
        return "renames notetype " + id + " to " + name;
      case Act::kEditNotetype:
        return "edits notetype " + id + ": " + name;
      case Act::kAddOptions:
        return "adds options " + id + " " + name;
      case Act::kRenameOptions:
        return "renames options " + id + " to " + name;
      case Act::kEditOptions:
        return "edits options " + id + ": " + name;
      case Act::kSetConfig:
        return "sets config " + step.name;
      case Act::kSetCreated:
        return "sets creation time to " + n(step.number) + " s ago";
      case Act::kUndo:
        return "undoes";
      case Act::kBringBack:
        return std::string("brings back what it deleted, graves stay") +
               (step.number != 0 ? ", with the old times" : "");
      case Act::kSetClock:
        return "sets its clock to " + n(step.number) + " s off";
      case Act::kSync:
        return "syncs";
      case Act::kBegin:
        return "begins a sync";
      case Act::kStep:
        return "sends its next request";
      case Act::kDieBefore:
        return "dies before its next request";
      case Act::kDieAfter:
        return "dies before it receives the answer to its next request";
      case Act::kCancel:
        return "is cancelled by its user";
    }
    return "";
  };
  return "  " + n(step.at_s) + " s: " + static_cast<char>('A' + step.device) + " " + what();
}

// A failure: `kind` is the same for all similar failures, `details` describes this one.
struct Failed {
  std::string kind, details = {};
};

// --- the server

struct Text : BodySource {
  explicit Text(std::string bytes) : left(std::move(bytes)) {}
  std::size_t Read(char* buffer, std::size_t size) override {
    const std::size_t got = left.copy(buffer, size);
    left.erase(0, got);
    return got;
  }
  std::string left;
};

std::string Expanded(const Response& response) {
  Text source(std::get<std::string>(response.body));
  ZstdReader reader(source, 64 << 20);
  std::string text;
  char piece[16 << 10];
  while (const std::size_t got = reader.Read(piece, sizeof piece)) text.append(piece, got);
  return text;
}

// Shared by all scripts of the program: a database, a connection for the test's own queries, and a blob for
// the base file of all collections.
struct Server {
  TestDatabase& test = TestDatabase::Instance();
  Config config = test.config();
  sql::Database database{test.settings()};
  Redis redis{config.redis_url};
  std::unique_ptr<pg_conn, void (*)(pg_conn*)> connection = test.Connect();
  BlobInfo blob;
  int users = 0;

  Server() {
    BlobWriter writer(database);
    writer.Write("a file");
    blob = writer.Finish();
    writer.Keep();
    // A whole collection in one result: a letter for the table, then its columns, padded to the same number.
    const auto part = [](const std::string& letter, std::vector<std::string> columns,
                         const std::string& table) {
      std::string text = "SELECT '" + letter + "'";
      columns.resize(18, "''");
      for (const std::string& column : columns) text += ", " + column + "::text";
      return text + " FROM " + table + " WHERE x.user_id = $1";
    };
    RunOn(
        connection.get(),
        "PREPARE everything (bigint) AS " +
            part("c",
                 {"id", "note_id", "deck_id", "ord", "mod", "usn", "type", "queue", "due", "interval",
                  "factor", "reps", "lapses", "remaining", "original_due", "original_deck_id", "flags",
                  "data"},
                 "anki_cards x") +
            " UNION ALL " +
            part("n", {"id", "guid", "notetype_id", "mod", "usn", "tags", "fields"}, "anki_notes x") +
            " UNION ALL " +
            part("r",
                 {"id", "card_id", "usn", "ease", "interval", "last_interval", "factor", "taken_ms", "type"},
                 "anki_revlog x") +
            " UNION ALL " +
            part("o", {"kind", "id", "mod", "usn", "name", "json", "name_key"}, "anki_objects x") +
            " UNION ALL " + part("t", {"name_key", "name", "usn"}, "anki_tags x") + " UNION ALL " +
            part("g", {"kind", "id", "usn"}, "anki_graves x") + " UNION ALL " +
            part("h",
                 {"usn", "mod_ms", "created_s", "schema_ms", "cards", "notes", "revlog", "notetypes", "decks",
                  "deck_configs", "f.config"},
                 "anki_collections x JOIN anki_config f USING (user_id, generation)"));
  }

  static Server& Instance() {
    static Server server;
    return server;
  }

  UserId NewUser(const ModelCollection& first) {
    const auto rows =
        RunOn(connection.get(), "INSERT INTO users (name, password_hash) VALUES ('convergence-" +
                                    std::to_string(++users) + "', 'none') RETURNING user_id");
    const UserId user{std::stoll(rows[0][0])};
    NewCollection collection;
    collection.meta = collection.file = {.created_s = first.created_s,
                                         .mod_ms = first.mod_ms,
                                         .schema_ms = first.schema_ms,
                                         .last_sync_ms = first.mod_ms,
                                         .usn = first.usn};
    const auto objects = [&](ObjectKind kind, std::vector<Object>& list) {
      for (const auto& [id, object] : first.Of(kind)) {
        const std::int32_t fields = kind == ObjectKind::kNotetype ? 2 : 0;
        list.push_back(
            {id, object.name, object.mod, object.usn, ObjectJson(kind, id, object), fields, fields / 2});
      }
    };
    objects(ObjectKind::kNotetype, collection.objects.notetypes);
    objects(ObjectKind::kDeck, collection.objects.decks);
    objects(ObjectKind::kDeckConfig, collection.objects.deck_configs);
    const auto size = [&](ObjectKind kind) { return static_cast<std::int64_t>(first.Of(kind).size()); };
    collection.counts = {
        0, 0, 0, size(ObjectKind::kNotetype), size(ObjectKind::kDeck), size(ObjectKind::kDeckConfig)};
    collection.objects.config_json = first.config_json;
    collection.blob = blob;
    collection.bytes = 6;
    database.Write([&](sql::Tx& tx) { FullSyncStore(tx, user).Begin(collection); });
    return user;
  }

  // Reads the tables; also checks that they are consistent.
  ModelCollection Read(UserId user) {
    ModelCollection c;
    CollectionCounts counts{};
    for (const auto& row :
         RunOn(connection.get(),
               "EXECUTE everything (" + std::to_string(static_cast<std::int64_t>(user)) + ")")) {
      const auto number = [&](std::size_t at) -> std::int64_t { return std::stoll(row[at]); };
      const auto small = [&](std::size_t at) { return static_cast<std::int32_t>(std::stol(row[at])); };
      switch (row[0][0]) {
        case 'c':
          c.cards[number(1)] = {number(1),  number(2),  number(3), small(4),   number(5), small(6),
                                small(7),   small(8),   small(9),  number(10), small(11), number(12),
                                number(13), number(14), small(15), number(16), small(17), row[18]};
          break;
        case 'n':
          c.notes[number(1)] = {number(1), row[2], number(3), number(4), small(5), row[6], row[7]};
          break;
        case 'r':
          c.reviews[number(1)] = {number(1), number(2), small(3),  small(4), small(5),
                                  small(6),  number(7), number(8), small(9)};
          break;
        case 'o': {
          const auto kind = static_cast<ObjectKind>(small(1));
          const auto [id, object] = tests::ObjectOfJson(kind, row[6]);
          if (id != number(2) || object.mod != number(3) || object.name != row[5] ||
              UnicaseKey(object.name) != row[7])
            throw Failed{"an object's columns differ from its JSON", row[5] + ": " + row[6]};
          c.Of(kind)[id] = object;
          c.Of(kind)[id].usn = small(4);
          break;
        }
        case 't':
          c.tags[row[1]] = {row[2], small(3)};
          break;
        case 'g':
          c.graves[{static_cast<GraveKind>(small(1)), number(2)}] = small(3);
          break;
        case 'h':
          c.usn = small(1);
          c.mod_ms = number(2);
          c.created_s = number(3);
          c.schema_ms = number(4);
          counts = {number(5), number(6), number(7), number(8), number(9), number(10)};
          c.config_json = row[11];
          break;
      }
    }
    const auto size = [](const auto& rows) { return static_cast<std::int64_t>(rows.size()); };
    const CollectionCounts counted{size(c.cards),      size(c.notes),      size(c.reviews),
                                   size(c.objects[0]), size(c.objects[1]), size(c.objects[2])};
    if (counts != counted) throw Failed{"the counters of the collection are wrong"};
    return c;
  }

  // Without a running sync there is no session and nothing is staged.
  void CheckNothingIsLeft(UserId user) {
    std::string text;
    for (const char* table : {"sessions", "staged_cards", "staged_notes", "staged_revlog", "staged_graves",
                              "staged_objects", "staged_tags"}) {
      text += (text.empty() ? "SELECT '" : " UNION ALL SELECT '") + std::string(table) + "' FROM anki_" +
              table + " WHERE user_id = " + std::to_string(static_cast<std::int64_t>(user));
    }
    for (const auto& row : RunOn(connection.get(), text))
      throw Failed{"left behind after all syncs: " + row[0]};
  }
};

// --- the rules, see the README of handlers/anki

// Checks the result of a finish against the collection before it and the client's messages.
class Rules {
 public:
  Rules(const ModelCollection& before, const ModelCollection& after, const SentBySync& sent,
        std::int64_t from_s, std::int64_t to_s)
      : before_(before), after_(after), sent_(sent), from_s_(from_s), to_s_(to_s) {}

  /// Returns how many objects were renamed.
  int Check() const {
    int renamed = 0;
    for (const ObjectKind kind : kObjectKinds) renamed += CheckObjects(kind);
    ModelCollection expected = after_;  // the rest can be predicted exactly
    expected.cards = Merged(before_.cards, sent_.cards, GraveKind::kCard);
    expected.notes = Merged(before_.notes, sent_.notes, GraveKind::kNote);
    expected.tags = before_.tags;
    for (const std::string& tag : sent_.tags) expected.tags.try_emplace(TagKey(tag), Tag{tag, 0});
    expected.config_json = sent_.config_json.value_or(before_.config_json);
    expected.created_s = sent_.created_s.value_or(before_.created_s);
    const bool has_moved = CheckReviews();
    const std::string difference =
        tests::Difference(Contents(after_), "the server", Contents(expected), "the model");
    if (!difference.empty()) throw Failed{"the server's rows differ from the rules", difference};

    CheckUsns("cards", expected.cards, after_.cards);
    CheckUsns("notes", expected.notes, after_.notes);
    std::map<GraveKey, Usn> graves = before_.graves;
    for (const GraveKey& grave : sent_.graves) graves[grave] = before_.usn;
    if (graves != after_.graves) throw Failed{"the server's graves differ from the rules"};
    if (after_.usn != before_.usn + (has_moved ? 2 : 1) || after_.mod_ms <= before_.mod_ms)
      throw Failed{"usn or time of the collection have not advanced as they should"};
    for (const auto& [key, tag] : before_.tags) {
      const Tag& now = after_.tags.at(key);
      if (now.name != tag.name || now.usn != tag.usn) throw Failed{"an existing tag has changed", key};
    }
    return renamed;
  }

 private:
  bool IsBuried(GraveKind kind, std::int64_t id) const {
    return std::find(sent_.graves.begin(), sent_.graves.end(), GraveKey{kind, id}) != sent_.graves.end();
  }

  // Rows: sent rows are taken, unless a row that the client had not seen is newer.
  template <typename Row>
  std::map<std::int64_t, Row> Merged(const std::map<std::int64_t, Row>& before, const std::vector<Row>& sent,
                                     GraveKind kind) const {
    std::map<std::int64_t, Row> rows = before;
    std::erase_if(rows, [&](const auto& row) { return IsBuried(kind, row.first); });
    for (const Row& row : sent) {
      const auto ours = rows.find(row.id);
      if (ours != rows.end() && ours->second.usn >= sent_.client_usn && ours->second.mod > row.mod) continue;
      Row taken = row;
      taken.usn = before_.usn;
      rows.insert_or_assign(row.id, taken);
    }
    return rows;
  }

  template <typename Rows>
  void CheckUsns(const std::string& what, const Rows& expected, const Rows& after) const {
    for (const auto& [id, row] : expected) {
      if (after.at(id).usn != row.usn)
        throw Failed{"a row's usn differs from the rules", what + " " + std::to_string(id) + " has " +
                                                               std::to_string(after.at(id).usn) + ", not " +
                                                               std::to_string(row.usn)};
    }
  }

  // Reviews: the first one with an id is kept. Another one of the same millisecond moves to a free later id,
  // with the usn after this sync's, unless the server already has it because the client missed the answer.
  // Returns whether one has moved.
  bool CheckReviews() const {
    const auto same = [](const Review& a, const Review& b) {
      return a.card_id == b.card_id && a.ease == b.ease && a.interval == b.interval &&
             a.taken_ms == b.taken_ms;
    };
    const auto is_near = [&](const std::map<std::int64_t, Review>& rows, const Review& review) {
      return std::any_of(rows.lower_bound(review.id), rows.upper_bound(review.id + 1000),
                         [&](const auto& row) { return same(row.second, review); });
    };
    std::vector<Review> others;
    std::map<std::int64_t, Review> expected = before_.reviews;
    for (Review review : sent_.reviews) {
      review.usn = before_.usn;
      if (before_.reviews.contains(review.id)) {
        others.push_back(review);
      } else {
        expected[review.id] = review;
      }
    }
    for (const Review& other : others) {
      if (!is_near(after_.reviews, other)) throw Failed{"a review is lost", std::to_string(other.id)};
    }
    bool has_moved = false;
    for (const auto& [id, review] : after_.reviews) {
      const auto found = expected.find(id);
      if (found != expected.end()) {
        if (!same(review, found->second) || review.usn != found->second.usn)
          throw Failed{"a review has changed", std::to_string(id)};
        continue;
      }
      const bool is_moved =
          review.usn == before_.usn + 1 &&
          std::any_of(others.begin(), others.end(), [&, id = id, &review = review](const Review& other) {
            return same(other, review) && other.id < id && !is_near(before_.reviews, other);
          });
      if (!is_moved) throw Failed{"a review exists that no device sent", std::to_string(id)};
      has_moved = true;
    }
    for (const auto& [id, review] : expected) {
      if (!after_.reviews.contains(id)) throw Failed{"a review is missing", std::to_string(id)};
    }
    return has_moved;
  }

  int CheckObjects(ObjectKind kind) const {
    ObjectMap expected = before_.Of(kind);
    if (kind == ObjectKind::kDeck)
      std::erase_if(expected, [&](const auto& deck) { return IsBuried(GraveKind::kDeck, deck.first); });
    std::set<std::int64_t> taken;
    for (auto [id, theirs] : sent_.objects[static_cast<std::size_t>(kind)]) {
      const auto ours = expected.find(id);
      const bool is_new = ours == expected.end();
      const bool was_seen = !is_new && ours->second.usn < sent_.client_usn;
      if (!is_new && !was_seen && theirs.mod <= ours->second.mod) continue;
      // Must be newer than the version it replaces, or devices with that version would not take it.
      if (was_seen && theirs.mod < ours->second.mod) theirs.mod = ours->second.mod + 1;
      theirs.usn = before_.usn;
      expected[id] = theirs;
      taken.insert(id);
    }
    const ObjectMap& after = after_.Of(kind);
    int renamed = 0;
    for (const auto& [id, object] : expected) {
      if (!after.contains(id)) throw Failed{"an object is missing", object.name};
    }
    for (const auto& [id, object] : after) {
      const auto found = expected.find(id);
      if (found == expected.end()) throw Failed{"an object exists that should not", object.name};
      CheckObject(kind, id, found->second, object, taken.contains(id));
      if (object.name != found->second.name) ++renamed;
    }
    return renamed;
  }

  void CheckObject(ObjectKind kind, std::int64_t id, const ModelObject& expected, const ModelObject& found,
                   bool is_taken) const {
    const auto shown = [](const ModelObject& o) {
      return QuoteJson(o.name) + " mod " + std::to_string(o.mod) + " usn " + std::to_string(o.usn) + " " +
             QuoteJson(o.body);
    };
    const std::string details = "object " + std::to_string(id) + " of kind " +
                                std::to_string(static_cast<int>(kind)) + ": the server has " + shown(found) +
                                ", the model " + shown(expected);
    if (found.body != expected.body || found.usn != expected.usn)
      throw Failed{"the wrong version of an object was kept", details};
    if (kind != ObjectKind::kDeckConfig && after_.IsNameTaken(kind, found.name, id))
      throw Failed{"two objects have the same name", details};
    if (found.name == expected.name) {
      if (found.mod != expected.mod) throw Failed{"an object's mod differs from the rules", details};
      return;
    }
    // A rename is only allowed for an object sent now, if another object has its name in the end, and to the
    // first free name.
    if (!is_taken) throw Failed{"an object was renamed that no device sent", details};
    for (std::string name = expected.name; name != found.name; name += '+') {
      if (name.size() > found.name.size())
        throw Failed{"an object has a name that no device gave it", details};
      if (!after_.IsNameTaken(kind, name, id))
        throw Failed{"an object was renamed although its name is free", details};
    }
    const bool is_of_now = from_s_ <= found.mod && found.mod <= to_s_;
    if (found.mod != expected.mod ? !is_of_now || found.mod < expected.mod : expected.mod < from_s_)
      throw Failed{"a renamed object's mod is not the later one of now and its own", details};
  }

  const ModelCollection &before_, &after_;
  const SentBySync& sent_;
  std::int64_t from_s_, to_s_;
};

// --- playing a script

// Statistics, which show that the random test did something.
struct Tally {
  std::int64_t syncs = 0, finished = 0, lost_to_another = 0, died = 0, died_after_finish = 0, renamed = 0;
  void Add(const Tally& other) {
    syncs += other.syncs;
    finished += other.finished;
    lost_to_another += other.lost_to_another;
    died += other.died;
    died_after_finish += other.died_after_finish;
    renamed += other.renamed;
  }
};

class World {
 public:
  explicit World(const Script& script)
      : server_(Server::Instance()), context_(server_.config, server_.database, server_.redis, "model") {
    began_s_ = context_.NowSeconds() - script.began_before_s;
    ModelCollection first;
    first.created_s = context_.NowSeconds() - 30 * kMinute;
    first.mod_ms = first.schema_ms = (began_s_ - 60 * kMinute) * 1000;
    first.usn = kFirstUsn;
    first.Of(ObjectKind::kNotetype) = {{1, {"Basic", 100, 0}}, {2, {"Cloze", 100, 0}}};
    first.Decks() = {{1, {"Default", 100, 0}}, {2, {"Bio", 100, 0}}, {3, {"Chem", 100, 0}}};
    first.Of(ObjectKind::kDeckConfig) = {{1, {"Default", 100, 0}}};
    user_ = server_.NewUser(first);
    context_.SetIdentity({user_, {}});
    now_ = first;
    for (std::size_t i = 0; i <= kDevices; ++i) {
      ModelClient& client = clients_.emplace_back();
      client.collection = first;
      if (i < kDevices) client.habits = script.habits[i];
    }
    sessions_.resize(clients_.size());
    messages_.resize(clients_.size());
  }

  const ModelClient& client(int device) const { return clients_[static_cast<std::size_t>(device)]; }
  const Tally& tally() const { return tally_; }

  void Play(const Step& s) {
    at_s_ = s.at_s;
    const std::int64_t now = began_s_ + at_s_;
    ModelClient& c = clients_[static_cast<std::size_t>(s.device)];
    switch (s.act) {
      case Act::kAddNote:
        c.AddNote(now, s.id, s.number / 10, s.other, static_cast<int>(s.number % 10), s.name, s.tag);
        break;
      case Act::kEditNote:
        c.EditNote(now, s.id, s.name, s.tag);
        break;
      case Act::kDeleteNote:
        c.DeleteNote(now, s.id);
        break;
      case Act::kAddCard:
        c.AddCard(now, s.other, s.id, s.number);
        break;
      case Act::kDeleteCard:
        c.DeleteCard(now, s.id);
        break;
      case Act::kMoveCard:
        c.MoveCard(now, s.id, s.other);
        break;
      case Act::kEditCard:
        c.EditCard(now, s.id, static_cast<int>(s.number));
        break;
      case Act::kReview:
        c.ReviewCard(now, s.id, s.other, static_cast<int>(s.number));
        break;
      case Act::kAddDeck:
        c.AddDeck(now, s.id, s.name);
        break;
      case Act::kRenameDeck:
        c.RenameDeck(now, s.id, s.name, s.other);
        break;
      case Act::kEditDeck:
        c.EditDeck(now, s.id, s.name);
        break;
      case Act::kDeleteDeck:
        c.DeleteDeck(now, s.id);
        break;
      case Act::kAddNotetype:
        c.AddObject(now, ObjectKind::kNotetype, s.id, s.name);
        break;
      case Act::kRenameNotetype:
        c.RenameObject(now, ObjectKind::kNotetype, s.id, s.name);
        break;
      case Act::kEditNotetype:
        c.EditObject(now, ObjectKind::kNotetype, s.id, s.name);
        break;
      case Act::kAddOptions:
        c.AddObject(now, ObjectKind::kDeckConfig, s.id, s.name);
        break;
      case Act::kRenameOptions:
        c.RenameObject(now, ObjectKind::kDeckConfig, s.id, s.name);
        break;
      case Act::kEditOptions:
        c.EditObject(now, ObjectKind::kDeckConfig, s.id, s.name);
        break;
      case Act::kSetConfig:
        c.SetConfig(now, s.name);
        break;
      case Act::kSetCreated:
        c.SetCreated(now, now_.schema_ms / 1000 + 60 * kMinute - s.number);
        break;
      case Act::kUndo:
        c.Undo(now);
        break;
      case Act::kBringBack:
        c.BringBack(now, s.number != 0);
        break;
      case Act::kSetClock:
        c.clock_offset_s = s.number;
        break;
      case Act::kSync:
        Sync(s.device);
        break;
      case Act::kBegin:
        if (!c.IsSyncing()) Begin(s.device);
        break;
      case Act::kStep:
        if (c.IsSyncing()) Send(s.device, /*hears=*/true);
        break;
      case Act::kDieBefore:
        if (c.IsSyncing()) ++tally_.died;
        c.RollBack();
        break;
      case Act::kDieAfter:
        if (c.IsSyncing()) Send(s.device, /*hears=*/false);
        break;
      case Act::kCancel:
        if (c.IsSyncing()) Cancel(s.device);
        break;
    }
  }

  // All devices sync until nothing changes. (Each sync advances the collection's time, so every device always
  // has something to sync.)
  void Settle() {
    for (ModelClient& client : clients_) client.RollBack();
    for (int round = 0;; ++round) {
      // One round brings everything to the server, the next one brings it to all devices. A review that moves
      // may clash with another one again.
      if (round > 8) throw Failed{"the devices do not converge"};
      const auto before = Contents(now_);
      for (std::size_t device = 0; device < clients_.size(); ++device) Sync(static_cast<int>(device));
      if (round > 0 && Contents(now_) == before) break;
    }
    for (std::size_t device = 0; device < clients_.size(); ++device)
      CompareWithServer(static_cast<int>(device), /*has_seen_all=*/true);
    server_.CheckNothingIsLeft(user_);
  }

  // The messages of the last sync, to explain a failure.
  std::string Messages() const {
    std::string out;
    for (std::size_t device = 0; device < messages_.size(); ++device) {
      if (static_cast<int>(device) == last_) out += messages_[device];
    }
    return out;
  }

 private:
  static char Letter(int device) { return static_cast<char>('A' + device); }

  void Begin(int device) {
    const auto at = static_cast<std::size_t>(device);
    clients_[at].BeginSync();
    sessions_[at] = "s" + std::to_string(++tally_.syncs);
    messages_[at].clear();
  }

  void Sync(int device) {
    ModelClient& client = clients_[static_cast<std::size_t>(device)];
    if (!client.IsSyncing()) Begin(device);
    while (client.IsSyncing()) Send(device, /*hears=*/true);
  }

  // A cancelled client calls abort like a new client, with an unknown session key.
  void Cancel(int device) {
    ++tally_.died;
    clients_[static_cast<std::size_t>(device)].RollBack();
    sessions_[static_cast<std::size_t>(device)] = "cancel";
    Call(device, "abort", R"({"_pad":null})");
    live_.reset();
  }

  // Returns the status, and the answer (for an error: its code and text).
  std::pair<int, std::string> Call(int device, const std::string& method, const std::string& body) {
    static const std::map<std::string, Response (*)(Request&, Context&)> kHandlers{
        {"meta", PostMeta},
        {"start", PostStart},
        {"applyGraves", PostApplyGraves},
        {"chunk", PostChunk},
        {"applyChanges", PostApplyChanges},
        {"applyChunk", PostApplyChunk},
        {"finish", PostFinish},
        {"sanityCheck2", PostSanityCheck2},
        {"abort", PostAbort}};
    const auto at = static_cast<std::size_t>(device);
    Text source(ZstdCompress(body));
    Request request;
    request.method = "POST";
    request.path = "/sync/" + method;
    request.headers = {{"anki-sync", R"({"v":11,"k":"key","c":"model","s":")" + sessions_[at] + "\"}"}};
    request.body = &source;
    std::pair<int, std::string> answer;
    try {
      answer = {200, Expanded(kHandlers.at(method)(request, context_))};
    } catch (const Error& e) {
      answer = {StatusOf(e.kind()), e.code() + " " + e.what()};
    }
    messages_[at] += std::string("  ") + Letter(device) + " > " + method + " " + body + "\n    < " +
                     std::to_string(answer.first) + " " + answer.second + "\n";
    last_ = device;
    return answer;
  }

  void Send(int device, bool hears) {
    ModelClient& client = clients_[static_cast<std::size_t>(device)];
    const std::int64_t now = began_s_ + at_s_;
    try {
      const std::int64_t from_s = context_.NowSeconds();
      const auto [method, body] = client.Next();
      if (method == "applyChanges") changes_from_s_ = from_s;
      const auto [status, reply] = Call(device, method, body);
      if (method == "applyChanges") changes_to_s_ = context_.NowSeconds();
      // The newest start wins; the session of any other device is then refused.
      if (method == "start") live_ = device;
      const int expected = method == "meta" || live_ == device ? 200 : 409;
      if (status != expected) {
        throw Failed{method + " got an unexpected status",
                     std::to_string(status) + " instead of " + std::to_string(expected) + ": " + reply};
      }
      if (status != 200) {
        // sync/collection/normal.rs: rolls back, then calls abort with the same session key, which also ends
        // the sync of the other device.
        client.RollBack();
        ++tally_.lost_to_another;
        if (hears) {
          Call(device, "abort", R"({"_pad":null})");
          live_.reset();
        }
        return;
      }
      if (method == "sanityCheck2" && reply.starts_with(R"({"status":"bad")"))
        throw Failed{"the sanity check failed", reply};
      if (method == "finish") {
        live_.reset();
        const ModelCollection before = std::exchange(now_, server_.Read(user_));
        tally_.renamed += Rules(before, now_, client.sent(), changes_from_s_, changes_to_s_).Check();
        ++tally_.finished;
      }
      if (!hears) {
        ++(method == "finish" ? tally_.died_after_finish : tally_.died);
        return client.RollBack();
      }
      client.Hear(now, reply);
      if (method == "finish") CompareWithServer(device, /*has_seen_all=*/false);
    } catch (const Failed&) {
      last_ = device;
      throw;
    } catch (const std::runtime_error& e) {
      last_ = device;
      throw Failed{"a client refuses what it is sent", e.what()};
    }
  }

  // `has_seen_all`: false ignores reviews that have just moved, which its sync could not bring yet.
  void CompareWithServer(int device, bool has_seen_all) {
    const ModelCollection& collection = clients_[static_cast<std::size_t>(device)].collection;
    ModelCollection seen = now_;
    if (!has_seen_all)
      std::erase_if(seen.reviews, [&](const auto& row) {
        return row.second.usn >= collection.usn && !collection.reviews.contains(row.first);
      });
    const std::string difference = tests::Difference(Contents(seen), "the server", Contents(collection),
                                                     std::string("device ") + Letter(device));
    if (difference.empty()) return;
    last_ = device;
    const auto what = difference.substr(2, difference.find_first_of("0123456789:") - 2);
    throw Failed{"after its sync a device differs from the server: " + what, difference};
  }

  Server& server_;
  Context context_;
  UserId user_{};
  std::int64_t began_s_ = 0, at_s_ = 0;
  ModelCollection now_;  // content of the tables
  std::deque<ModelClient> clients_;
  std::vector<std::string> sessions_, messages_;
  std::optional<int> live_;  // the device with the session
  int last_ = 0;             // the device that sent the last request
  Tally tally_;
  std::int64_t changes_from_s_ = 0, changes_to_s_ = 0;
};

struct PlayOutcome {
  std::optional<Failed> failure;
  std::string messages;
  Tally tally;
};

// Plays a script to its end. `next` returns each step and may append steps to the script.
PlayOutcome PlayScript(const Script& script, const std::function<const Step*(const World&)>& next) {
  World world(script);
  PlayOutcome outcome;
  try {
    while (const Step* step = next(world)) world.Play(*step);
    world.Settle();
  } catch (const Failed& failed) {
    outcome.failure = failed;
    outcome.messages = world.Messages();
  }
  outcome.tally = world.tally();
  return outcome;
}

PlayOutcome PlayScript(const Script& script) {
  std::size_t at = 0;
  return PlayScript(script,
                    [&](const World&) { return at < script.steps.size() ? &script.steps[at++] : nullptr; });
}

// --- random scripts

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : random_(seed) {}
  std::int64_t Below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }
  bool OneIn(int n) { return Below(n) == 0; }
  template <typename T>
  const T& Of(const std::vector<T>& list) {
    return list[static_cast<std::size_t>(Below(static_cast<std::int64_t>(list.size())))];
  }
  template <typename Rows>
  std::int64_t IdOf(const Rows& rows) {
    return rows.empty() ? 0 : std::next(rows.begin(), Below(static_cast<std::int64_t>(rows.size())))->first;
  }

 private:
  std::mt19937_64 random_;
};

// Chooses steps that apply to the current state of the device. They name ids, so that a script keeps its
// meaning when some of its steps are removed.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : chance_(seed) {
    script_.began_before_s = chance_.Below(3) * 300;
    for (tests::SyncHabits& habits : script_.habits) {
      habits.sends_graves_in_start = chance_.OneIn(4);
      habits.chunk_rows = chance_.OneIn(2) ? 250 : static_cast<int>(1 + chance_.Below(4));
    }
    devices_ = chance_.OneIn(3) ? 2 : 3;
    length_ = static_cast<std::size_t>(10 + chance_.Below(60));
    interleaves_ = chance_.OneIn(2);
    // Each seed uses only some kinds of actions, and uses them more often: these then meet in ways that are
    // rare among all kinds.
    for (int deed = 0; deed < kDeeds; ++deed) {
      if (chance_.OneIn(3)) deeds_.push_back(deed);
    }
    if (deeds_.empty()) deeds_.push_back(0);
    if (chance_.OneIn(2)) deeds_.insert(deeds_.end(), {0, 10, 11});
  }

  const Script& script() const { return script_; }
  const Step* Next(const World& world) {
    if (script_.steps.size() >= length_) return nullptr;
    if (planned_.empty()) Plan(world);
    planned_.front().at_s = at_s_;
    script_.steps.push_back(std::move(planned_.front()));
    planned_.pop_front();
    at_s_ += chance_.OneIn(3) ? 0 : chance_.OneIn(12) ? 300 : chance_.Below(4);
    return &script_.steps.back();
  }

 private:
  void Add(Act act, std::int64_t id = 0, std::int64_t other = 0, std::int64_t number = 0,
           std::string name = "", std::string tag = "") {
    planned_.push_back({act, device_, 0, id, other, number, std::move(name), std::move(tag)});
  }
  // Leaves room after each id: for the cards of a note, for the parents of a deck.
  std::int64_t Fresh() { return next_id_ += 10; }
  std::string Word() { return "w" + std::to_string(++words_); }
  std::string DeckName() {
    static const std::vector<std::string> kNames{"Bio",        "bio",       "BIO",       "Chem",
                                                 "chem",       "Bio::Cell", "bio::cell", "Bio::Cell::Wall",
                                                 "Chem::Acid", "Chapter 1", "Chapter 2", "Chapter 3",
                                                 "Chapter 4",  "Bio+",      "Bio old",   "\u00c4pfel",
                                                 "\u00e4pfel", "Default"};
    return chance_.Of(kNames);
  }
  std::string ObjectName() {
    static const std::vector<std::string> kNames{"Basic",  "basic", "Cloze", "CLOZE",
                                                 "Basic+", "Image", "image"};
    return chance_.Of(kNames);
  }
  std::string TagName() {
    static const std::vector<std::string> kNames{
        "", "", "verb", "Verb", "VERB::strong", "verb::Strong::old", "verb::weak", "noun", "Noun"};
    return chance_.Of(kNames);
  }

  void Plan(const World& world) {
    std::vector<int> syncing;
    for (int device = 0; device < devices_; ++device) {
      if (world.client(device).IsSyncing()) syncing.push_back(device);
    }
    if (!syncing.empty() && !chance_.OneIn(5)) {
      device_ = chance_.Of(syncing);
      const bool is_at_end = world.client(device_).step() == ModelClient::Step::kFinish;
      if (chance_.OneIn(is_at_end ? 4 : 25)) return Add(Act::kDieAfter);
      if (chance_.OneIn(25)) return Add(chance_.OneIn(2) ? Act::kDieBefore : Act::kCancel);
      if (chance_.OneIn(8)) return Add(Act::kSync);
      return Add(Act::kStep);
    }
    if (!syncing.empty() && chance_.OneIn(2)) {
      // Another device comes in between.
      device_ = static_cast<int>(chance_.Below(devices_));
      if (!world.client(device_).IsSyncing()) return Add(chance_.OneIn(2) ? Act::kBegin : Act::kSync);
    }
    device_ = static_cast<int>(chance_.Below(devices_));
    if (chance_.OneIn(4)) return Add(interleaves_ && !chance_.OneIn(3) ? Act::kBegin : Act::kSync);
    // A user cannot change a collection during its sync.
    if (world.client(device_).IsSyncing()) return Add(Act::kStep);
    Own(world);
  }

  static constexpr int kDeeds = 26;

  // A random user action.
  void Own(const World& world) {
    const ModelClient& client = world.client(device_);
    const ModelCollection& c = client.collection;
    const auto& decks = c.Of(ObjectKind::kDeck);
    const auto& notetypes = c.Of(ObjectKind::kNotetype);
    const auto& options = c.Of(ObjectKind::kDeckConfig);
    const std::int64_t note = chance_.IdOf(c.notes), card = chance_.IdOf(c.cards), deck = chance_.IdOf(decks);
    switch (chance_.Of(deeds_)) {
      case 0:
      case 1:
      case 2:
        return Add(Act::kAddNote, NewNoteId(world), deck, chance_.IdOf(notetypes) * 10 + 1 + chance_.Below(2),
                   Word(), TagName());
      case 3:
      case 4:
        return Add(Act::kEditNote, note, 0, 0, Word(), TagName());
      case 5:
        return Add(Act::kDeleteNote, note);
      case 6:
        return Add(Act::kAddCard, Fresh(), note, deck);
      case 7:
        return Add(Act::kDeleteCard, card);
      case 8:
        return Add(Act::kMoveCard, card, deck);
      case 9:
        return Add(Act::kEditCard, card, 0, chance_.Below(1000));
      case 10:
      case 11:
        return Add(Act::kReview, card, chance_.OneIn(3) ? 1 + chance_.Below(6) : Fresh(),
                   1 + chance_.Below(4));
      case 12:
        return Add(Act::kAddDeck, NewDeckId(world), 0, 0, DeckName());
      case 13:
      case 14:
        return Add(Act::kRenameDeck, deck, Fresh(), 0, DeckName());
      case 15:
        return SwapDecks(deck, decks);
      case 16:
        return ShiftDecks(decks);
      case 17:
        return Add(Act::kEditDeck, deck, 0, 0, Word());
      case 18:
        return Add(Act::kDeleteDeck, deck);
      case 19: {
        const std::int64_t notetype = chance_.IdOf(notetypes);
        if (chance_.OneIn(3)) return Add(Act::kAddNotetype, Fresh(), 0, 0, ObjectName());
        if (chance_.OneIn(2)) return Add(Act::kRenameNotetype, notetype, 0, 0, ObjectName());
        return Add(Act::kEditNotetype, notetype, 0, 0, Word());
      }
      case 20:
        return SwapNotetypes(notetypes);
      case 21: {
        const std::int64_t one = chance_.IdOf(options);
        if (chance_.OneIn(4)) return Add(Act::kAddOptions, Fresh(), 0, 0, ObjectName());
        if (chance_.OneIn(3)) return Add(Act::kRenameOptions, one, 0, 0, ObjectName());
        return Add(Act::kEditOptions, one, 0, 0, Word());
      }
      case 22:
        if (chance_.OneIn(3)) return Add(Act::kSetCreated, 0, 0, chance_.Below(1800));
        return Add(Act::kSetConfig, 0, 0, 0, "{\"k\":\"" + Word() + "\"}");
      case 23:
        return Add(chance_.OneIn(3) ? Act::kBringBack : Act::kUndo, 0, 0, chance_.Below(2));
      case 24: {
        // Deletes and reverts at once, the most likely way to leave a row together with its grave.
        chance_.OneIn(2) ? Add(Act::kDeleteNote, note) : Add(Act::kDeleteDeck, deck);
        return Add(chance_.OneIn(2) ? Act::kBringBack : Act::kUndo, 0, 0, chance_.Below(2));
      }
      default: {
        static const std::vector<std::int64_t> kOffsets{0, 0, 240, -240, 120, -60, 1, -1};
        return Add(Act::kSetClock, 0, 0, chance_.Of(kOffsets));
      }
    }
  }

  // Usually a new id; sometimes one that was deleted here, or that exists on another device.
  std::int64_t NewNoteId(const World& world) {
    if (!chance_.OneIn(5)) return Fresh();
    const ModelCollection& own = world.client(device_).collection;
    std::map<std::int64_t, bool> ids;
    for (const auto& [grave, usn] : own.graves) {
      if (grave.first == GraveKind::kNote && !own.notes.contains(grave.second)) ids[grave.second] = true;
    }
    for (int device = 0; device < devices_; ++device) {
      for (const auto& [id, note] : world.client(device).collection.notes) {
        if (!own.notes.contains(id)) ids[id] = true;
      }
    }
    return ids.empty() ? Fresh() : chance_.IdOf(ids);
  }
  std::int64_t NewDeckId(const World& world) {
    if (!chance_.OneIn(5)) return Fresh();
    std::map<std::int64_t, bool> ids;
    for (const auto& [grave, usn] : world.client(device_).collection.graves) {
      if (grave.first == GraveKind::kDeck) ids[grave.second] = true;
    }
    return ids.empty() ? Fresh() : chance_.IdOf(ids);
  }

  void SwapDecks(std::int64_t one, const ObjectMap& decks) {
    const std::int64_t other = chance_.IdOf(decks);
    if (one == other) return Add(Act::kRenameDeck, one, Fresh(), 0, DeckName());
    Add(Act::kRenameDeck, one, Fresh(), 0, "between");
    Add(Act::kRenameDeck, other, Fresh(), 0, decks.at(one).name);
    Add(Act::kRenameDeck, one, Fresh(), 0, decks.at(other).name);
  }
  void SwapNotetypes(const ObjectMap& notetypes) {
    const std::int64_t one = chance_.IdOf(notetypes), other = chance_.IdOf(notetypes);
    if (one == other) return Add(Act::kEditNotetype, one, 0, 0, Word());
    Add(Act::kRenameNotetype, one, 0, 0, "between");
    Add(Act::kRenameNotetype, other, 0, 0, notetypes.at(one).name);
    Add(Act::kRenameNotetype, one, 0, 0, notetypes.at(other).name);
  }
  // Chapters: creates them, or moves all up by one, or deletes the first and moves all down.
  void ShiftDecks(const ObjectMap& decks) {
    const auto name = [](int n) { return "Chapter " + std::to_string(n); };
    std::vector<std::int64_t> chapters;  // by number
    for (int n = 1; n < 9; ++n) {
      const auto found = std::find_if(decks.begin(), decks.end(),
                                      [&](const auto& deck) { return deck.second.name == name(n); });
      if (found == decks.end()) break;
      chapters.push_back(found->first);
    }
    if (chapters.size() < 2) {
      for (int n = 1; n <= 4; ++n) Add(Act::kAddDeck, Fresh(), 0, 0, name(n));
    } else if (chance_.OneIn(2)) {
      for (auto n = static_cast<int>(chapters.size()); n > 0; --n)
        Add(Act::kRenameDeck, chapters[static_cast<std::size_t>(n - 1)], Fresh(), 0, name(n + 1));
      if (chance_.OneIn(2)) Add(Act::kAddDeck, Fresh(), 0, 0, name(1));
    } else {
      Add(Act::kDeleteDeck, chapters[0]);
      for (std::size_t n = 1; n < chapters.size(); ++n)
        Add(Act::kRenameDeck, chapters[n], Fresh(), 0, name(static_cast<int>(n)));
    }
  }

  Chance chance_;
  Script script_;
  std::vector<int> deeds_;
  std::deque<Step> planned_;
  int devices_ = kDevices, device_ = 0;
  std::size_t length_ = 0;
  bool interleaves_ = false;
  std::int64_t at_s_ = 0, next_id_ = 1000;
  int words_ = 0;
};

PlayOutcome PlaySeed(std::uint64_t seed, Script& script) {
  Generator generator(seed);
  PlayOutcome outcome =
      PlayScript(generator.script(), [&](const World& world) { return generator.Next(world); });
  script = generator.script();
  return outcome;
}

// The shortest script found that fails in the same way.
Script Shrunk(Script script, const std::string& kind, std::chrono::seconds longest) {
  const auto until = Clock::now() + longest;
  const auto fails = [&](const Script& shorter) {
    const PlayOutcome outcome = PlayScript(shorter);
    return outcome.failure && outcome.failure->kind == kind;
  };
  const auto try_with = [&](const auto& change) {
    Script simpler = script;
    change(simpler);
    const bool is_same = Clock::now() < until && fails(simpler);
    if (is_same) script = std::move(simpler);
    return is_same;
  };
  const auto take_out = [&] {
    for (std::size_t size = script.steps.size(); size > 0; size /= 2) {
      for (std::size_t at = 0; at < script.steps.size();) {
        const bool is_shorter = try_with([&](Script& shorter) {
          const auto from = shorter.steps.begin() + static_cast<std::ptrdiff_t>(at);
          const std::size_t count = std::min(size, shorter.steps.size() - at);
          shorter.steps.erase(from, from + static_cast<std::ptrdiff_t>(count));
        });
        if (!is_shorter) at += size;
      }
    }
  };
  take_out();
  // A sync that nothing interrupts becomes one step.
  for (std::size_t at = 0; at < script.steps.size(); ++at) {
    const Act act = script.steps[at].act;
    if (act == Act::kBegin || act == Act::kStep)
      try_with([&](Script& simpler) { simpler.steps[at].act = Act::kSync; });
  }
  take_out();
  // Habits that do not matter are reset to today's clients', and time that does not matter is removed.
  for (std::size_t device = 0; device < kDevices; ++device)
    try_with([&](Script& simpler) { simpler.habits[device] = {}; });
  try_with([](Script& simpler) { simpler.began_before_s = 0; });
  for (std::size_t at = 1; at < script.steps.size(); ++at) {
    try_with([&](Script& simpler) {
      const std::int64_t saved = simpler.steps[at].at_s - simpler.steps[at - 1].at_s;
      for (std::size_t later = at; later < simpler.steps.size(); ++later) simpler.steps[later].at_s -= saved;
    });
  }
  return script;
}

std::string Shown(const Script& script, const PlayOutcome& outcome) {
  std::string out = outcome.failure->kind + "\n" + outcome.failure->details;
  if (out.back() != '\n') out += '\n';
  out += "the server's clock is " + std::to_string(script.began_before_s) + " s ahead\n";
  for (std::size_t device = 0; device < kDevices; ++device) {
    const tests::SyncHabits& habits = script.habits[device];
    if (habits.sends_graves_in_start)
      out += std::string(1, static_cast<char>('A' + device)) + " sends graves in start\n";
    if (habits.chunk_rows != 250)
      out += std::string(1, static_cast<char>('A' + device)) + " sends " + std::to_string(habits.chunk_rows) +
             " rows a message\n";
  }
  for (const Step& step : script.steps) out += Shown(step) + "\n";
  return out + "the messages of the last sync\n" + outcome.messages;
}

std::int64_t Number(const char* variable, std::int64_t otherwise) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0' ? std::stoll(value) : otherwise;
}

// The most obvious cases; each of them has failed once.
void ExpectPasses(std::vector<Step> steps) {
  Script script;
  script.steps = std::move(steps);
  // Time never goes backwards.
  for (std::size_t at = 1; at < script.steps.size(); ++at)
    script.steps[at].at_s = std::max(script.steps[at].at_s, script.steps[at - 1].at_s);
  const PlayOutcome outcome = PlayScript(script);
  if (outcome.failure) BOOST_ERROR(Shown(script, outcome));
}

}  // namespace

constexpr int kA = 0, kB = 1;

BOOST_AUTO_TEST_CASE(a_note_deleted_on_one_device_and_edited_on_another_is_deleted) {
  ExpectPasses({{Act::kAddNote, kA, 0, 1010, 2, 12, "text"},
                {Act::kSync, kA},
                {Act::kSync, kB},
                {Act::kEditNote, kA, 1, 1010, 0, 0, "new text"},
                {Act::kEditCard, kA, 1, 1011, 0, 7, ""},
                {Act::kSync, kA},
                {Act::kDeleteNote, kB, 2, 1010},
                {Act::kSync, kB}});
}

BOOST_AUTO_TEST_CASE(a_deck_deleted_on_one_device_and_renamed_on_another_is_deleted) {
  ExpectPasses({{Act::kRenameDeck, kA, 1, 2, 1010, 0, "Bio old"},
                {Act::kSync, kA},
                {Act::kDeleteDeck, kB, 2, 2},
                {Act::kSync, kB}});
}

BOOST_AUTO_TEST_CASE(a_name_given_up_in_the_same_message_is_free) {
  ExpectPasses({{Act::kRenameDeck, kA, 1, 2, 1010, 0, "Bio old"},
                {Act::kAddDeck, kA, 1, 1020, 0, 0, "Bio"},
                {Act::kRenameNotetype, kA, 1, 1, 0, 0, "Basic old"},
                {Act::kAddNotetype, kA, 1, 1030, 0, 0, "Basic"},
                {Act::kSync, kA}});
}

BOOST_AUTO_TEST_CASE(two_decks_and_two_notetypes_swap_names) {
  ExpectPasses({{Act::kRenameDeck, kA, 1, 2, 1010, 0, "between"},
                {Act::kRenameDeck, kA, 1, 3, 1020, 0, "Bio"},
                {Act::kRenameDeck, kA, 1, 2, 1030, 0, "Chem"},
                {Act::kRenameNotetype, kA, 1, 1, 0, 0, "between"},
                {Act::kRenameNotetype, kA, 1, 2, 0, 0, "Basic"},
                {Act::kRenameNotetype, kA, 1, 1, 0, 0, "Cloze"},
                {Act::kSync, kA},
                {Act::kEditDeck, kB, 2, 2, 0, 0, "edited"},
                {Act::kSync, kB}});
}

BOOST_AUTO_TEST_CASE(chapters_move_up_and_down_by_one) {
  std::vector<Step> steps;
  const auto name = [](int n) { return "Chapter " + std::to_string(n); };
  for (int n = 1; n <= 4; ++n) steps.push_back({Act::kAddDeck, kA, 1, 1000 + 10 * n, 0, 0, name(n)});
  steps.push_back({Act::kSync, kA});
  steps.push_back({Act::kSync, kB});
  for (int n = 4; n >= 1; --n) steps.push_back({Act::kRenameDeck, kA, 2, 1000 + 10 * n, 0, 0, name(n + 1)});
  steps.push_back({Act::kAddDeck, kA, 2, 1050, 0, 0, name(1)});
  steps.push_back({Act::kSync, kA});
  steps.push_back({Act::kSync, kB});
  steps.push_back({Act::kDeleteDeck, kB, 3, 1050});
  for (int n = 1; n <= 4; ++n) steps.push_back({Act::kRenameDeck, kB, 3, 1000 + 10 * n, 0, 0, name(n)});
  steps.push_back({Act::kSync, kB});
  ExpectPasses(steps);
}

BOOST_AUTO_TEST_CASE(a_renamed_deck_is_taken_by_a_device_whose_clock_is_ahead) {
  ExpectPasses({{Act::kSetClock, kB, 0, 0, 0, 120, ""},
                {Act::kAddDeck, kA, 1, 1010, 0, 0, "Physics"},
                {Act::kAddDeck, kB, 1, 1020, 0, 0, "physics"},
                {Act::kSync, kA},
                {Act::kSync, kB}});
}

BOOST_AUTO_TEST_CASE(options_edited_on_a_device_with_a_slower_clock_win_if_edited_later) {
  ExpectPasses({{Act::kSetClock, kA, 0, 0, 0, 120, ""},
                {Act::kEditOptions, kA, 1, 1, 0, 0, "fast"},
                {Act::kSync, kA},
                {Act::kSync, kB},
                {Act::kEditOptions, kB, 30, 1, 0, 0, "slow"},
                {Act::kSync, kB}});
}

BOOST_AUTO_TEST_CASE(reviews_of_the_same_milliseconds_are_all_kept) {
  ExpectPasses({{Act::kAddNote, kA, 0, 1010, 2, 12, "text"},
                {Act::kSync, kA},
                {Act::kSync, kB},
                {Act::kReview, kA, 1, 1011, 1, 1},
                {Act::kReview, kA, 1, 1012, 2, 2},
                {Act::kReview, kB, 1, 1011, 1, 3},
                {Act::kReview, kB, 1, 1012, 2, 4},
                {Act::kSync, kA},
                {Act::kSync, kB}});
}

BOOST_AUTO_TEST_CASE(whatever_devices_do_they_converge) {
  const std::int64_t only = Number("SYNCLINE_RANDOM_SEED", 0);
  const std::int64_t seconds = Number("SYNCLINE_RANDOM_SECONDS", 0);
  const auto until = Clock::now() + std::chrono::seconds(seconds > 0 ? seconds : 20);
  std::uint64_t seed = only > 0 ? static_cast<std::uint64_t>(only) : seconds > 0 ? std::random_device{}() : 1;
  std::set<std::string> kinds;
  std::int64_t seeds = 0, steps = 0, failures = 0;
  Tally tally;
  do {
    Script script;
    const PlayOutcome outcome = PlaySeed(seed, script);
    ++seeds;
    tally.Add(outcome.tally);
    steps += static_cast<std::int64_t>(script.steps.size());
    if (outcome.failure) {
      ++failures;
      // One example of each kind is enough.
      if (kinds.insert(outcome.failure->kind).second) {
        const Script shrunk = Shrunk(script, outcome.failure->kind, std::chrono::seconds(20));
        const PlayOutcome again = PlayScript(shrunk);
        BOOST_ERROR("seed " << seed << ": " << Shown(shrunk, again.failure ? again : outcome));
      }
    }
    ++seed;
  } while (only == 0 && Clock::now() < until);
  std::cout << seeds << " seeds, " << steps << " steps, " << tally.syncs << " syncs: " << tally.finished
            << " finished, " << tally.lost_to_another << " lost to another device, " << tally.died
            << " died on the way, " << tally.died_after_finish << " after finish, " << tally.renamed
            << " objects renamed; " << failures << " seeds failed in " << kinds.size() << " ways\n";
}
