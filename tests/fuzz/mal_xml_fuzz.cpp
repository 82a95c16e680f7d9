// Lists of MyAnimeList: refused with a code, or entries whose values are within their bounds; and what such an entry says
// is written and read alike.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "handlers/anime/list_import_rules.h"
#include "handlers/anime/mal_xml_wire.h"
#include "handlers/base/errors.h"
#include "handlers/base/utf8.h"
#include "tests/support/inputs.h"

using namespace syncline;
using namespace syncline::anime;

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

bool IsWithin(const std::optional<std::int64_t>& number, std::int64_t max) {
  return !number || (*number >= 0 && *number <= max);
}

void Check(const MalEntry& entry) {
  Require(entry.failure || (entry.mal_id && *entry.mal_id > 0 && entry.status));
  Require(IsStorableText(entry.title) && IsStorableText(entry.notes.value_or("")));
  Require(CountCharacters(entry.title) <= 1000 && CountCharacters(entry.notes.value_or("")) <= 5000);
  Require(IsWithin(entry.progress, 2'147'483'647) && IsWithin(entry.rewatches, 1000) &&
          IsWithin(entry.priority, 2));
  Require(!entry.score || (*entry.score >= 0 && *entry.score <= 10));
  if (entry.tags) {
    Require(entry.tags->size() <= 32);
    for (const std::string& tag : *entry.tags) Require(IsStorableText(tag) && CountCharacters(tag) <= 50);
  }
}

std::vector<MalEntry> Read(const std::string& text, std::size_t piece) {
  tests::PieceBody body(text, piece);
  std::vector<MalEntry> entries;
  ReadMalXml(body, [&](MalEntry&& entry) { entries.push_back(std::move(entry)); },
             {.bytes = 1 << 20, .entries = 100});
  return entries;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::vector<MalEntry> entries;
  try {
    entries = Read(text, 1 + size % 50);
  } catch (const Error& error) {
    Require(error.kind() == ErrorKind::kUnprocessable || error.kind() == ErrorKind::kTooLarge);
    return 0;
  }
  for (const MalEntry& entry : entries) {
    Check(entry);
    if (entry.failure) continue;
    const EntryFields added = Import(std::nullopt, entry, ImportStrategy::kNewer).fields;
    MalEntry said = AsMal(added);
    said.mal_id = entry.mal_id;
    const auto again = Read(MalXmlHead(1, {}) + MalXmlEntry(said) + std::string(kMalXmlEnd), 1000);
    Require(again.size() == 1);
    Require(Import(added, again[0], ImportStrategy::kOverwrite).what == Imported::What::kUnchanged);
    Require(Import(added, entry, ImportStrategy::kOverwrite).what == Imported::What::kUnchanged);
  }
  return 0;
}
