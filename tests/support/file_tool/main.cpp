// collection_file_tool: does to a file what the service would do. The scripts of tests/clients compare the
// result with that of the real client.
//
//   create PATH              a new, empty collection
//   check PATH               the check of an upload; prints "ok" or the sentence the user would get
//   dump PATH                its objects, counts and rows as one JSON object
//   rewrite PATH NEW         writes everything in PATH, row by row, over an empty collection
//   update PATH BASE         writes everything in PATH, row by row, over BASE
//   downgrade PATH           to schema 11
//   compare                  reads pairs of lines, each a JSON string; prints their order as -1, 0 or 1
//
// Left out on purpose: everything the service does with a database.
#include <cstdint>
#include <iostream>
#include <limits>
#include <string>

#include "handlers/anki/file/file_wire.h"
#include "handlers/anki/objects/unicase_wire.h"
#include "handlers/base/json.h"

using namespace syncline;
using namespace syncline::anki;

namespace {

constexpr auto kStart = std::numeric_limits<std::int64_t>::min();

void PrintObjects(const char* name, const std::vector<Object>& objects) {
  std::cout << QuoteJson(name) << ":[";
  const char* comma = "";
  for (const auto& object : objects) {
    std::cout << comma << "{\"id\":" << object.id << ",\"name\":" << QuoteJson(object.name)
              << ",\"mod\":" << object.mod << ",\"usn\":" << object.usn
              << ",\"fields\":" << object.field_count << ",\"templates\":" << object.template_count
              << ",\"json\":" << object.json << "}";
    comma = ",";
  }
  std::cout << "],";
}

void Dump(const CollectionFile& file) {
  const auto meta = file.Meta();
  const auto counts = file.Counts();
  const auto objects = file.ReadSmallObjects();
  std::cout << "{\"ver\":" << file.SchemaVersion() << ",\"wal\":" << file.IsWal()
            << ",\"max_usn\":" << file.MaxUsn() << ",\"meta\":[" << meta.created_s << "," << meta.mod_ms
            << "," << meta.schema_ms << "," << meta.last_sync_ms << "," << meta.usn << "],\"counts\":["
            << counts.cards << "," << counts.notes << "," << counts.revlog << "," << counts.notetypes << ","
            << counts.decks << "," << counts.deck_configs << "],";
  PrintObjects("notetypes", objects.notetypes);
  PrintObjects("decks", objects.decks);
  PrintObjects("deck_configs", objects.deck_configs);
  std::cout << "\"tags\":{";
  const char* comma = "";
  for (const auto& tag : objects.tags) {
    std::cout << comma << QuoteJson(tag.name) << ":" << tag.usn;
    comma = ",";
  }
  std::cout << "},\"config\":" << objects.config_json << ",\"notes\":[";
  comma = "";
  file.EachNote(kStart, -1, [&](const Note& n) {
    std::cout << comma << "[" << n.id << "," << QuoteJson(n.guid) << "," << n.notetype_id << "," << n.mod
              << "," << n.usn << "," << QuoteJson(n.tags) << "," << QuoteJson(n.fields) << "]";
    comma = ",";
  });
  std::cout << "],\"cards\":[";
  comma = "";
  file.EachCard(kStart, -1, [&](const Card& c) {
    std::cout << comma << "[" << c.id << "," << c.note_id << "," << c.deck_id << "," << c.ord << "," << c.mod
              << "," << c.usn << "," << c.type << "," << c.queue << "," << c.due << "," << c.interval << ","
              << c.factor << "," << c.reps << "," << c.lapses << "," << c.left << "," << c.original_due << ","
              << c.original_deck_id << "," << c.flags << "," << QuoteJson(c.data) << "]";
    comma = ",";
  });
  std::cout << "],\"revlog\":[";
  comma = "";
  file.EachReview(kStart, -1, [&](const Review& r) {
    std::cout << comma << "[" << r.id << "," << r.card_id << "," << r.usn << "," << r.ease << ","
              << r.interval << "," << r.last_interval << "," << r.factor << "," << r.taken_ms << "," << r.type
              << "]";
    comma = ",";
  });
  std::cout << "]}\n";
}

void WriteOver(const CollectionFile& from, const std::string& to) {
  CollectionFileWriter writer(to);
  const auto objects = from.ReadSmallObjects();
  for (const auto& grave : from.ReadGraves()) writer.Bury(grave);
  writer.PutNotetypes(objects.notetypes);
  writer.PutDecks(objects.decks);
  writer.PutDeckConfigs(objects.deck_configs);
  writer.PutTags(objects.tags);
  writer.PutConfig(objects.config_json);
  from.EachNote(kStart, -1, [&](const Note& note) { writer.PutNote(note); });
  from.EachCard(kStart, -1, [&](const Card& card) { writer.PutCard(card); });
  from.EachReview(kStart, -1, [&](const Review& review) { writer.PutReview(review); });
  writer.SetMeta(from.Meta());
  writer.Finish();
}

void Compare() {
  const auto next = [](std::string& text) {
    std::string line;
    if (!std::getline(std::cin, line)) return false;
    const JsonSpans json(line);
    text = json.Text(json.Root());
    return true;
  };
  for (std::string a, b; next(a) && next(b);) {
    const int order = UnicaseCompare(a, b);
    std::cout << (order > 0) - (order < 0) << "\n";
  }
}

}  // namespace

int main(int argc, char** argv) try {
  std::ios::sync_with_stdio(false);
  const std::string command = argc > 1 ? argv[1] : "", path = argc > 2 ? argv[2] : "";
  if (command == "create") {
    CreateEmptyCollection(path, {1'700'000'000, 1'700'000'001'000, 1'700'000'000'000, 0, 0});
  } else if (command == "check") {
    CollectionFile::Open(path, CollectionFile::Check::kFull);
    std::cout << "ok\n";
  } else if (command == "dump") {
    Dump(CollectionFile::Open(path, CollectionFile::Check::kFull));
  } else if (command == "rewrite" && argc > 3) {
    const auto from = CollectionFile::Open(path, CollectionFile::Check::kFull);
    CreateEmptyCollection(argv[3], from.Meta());
    WriteOver(from, argv[3]);
  } else if (command == "update" && argc > 3) {
    const auto from = CollectionFile::Open(path, CollectionFile::Check::kFull);
    WriteOver(from, argv[3]);
  } else if (command == "downgrade") {
    DowngradeToSchema11(path);
  } else if (command == "compare") {
    Compare();
  } else {
    std::cerr
        << "usage: collection_file_tool create|check|dump|rewrite|update|downgrade|compare [PATH] [NEW]\n";
    return 2;
  }
  return 0;
} catch (const FileRefused& refused) {
  std::cout << refused.what() << "\n";
  return 1;
}
