#include "handlers/decks/files/packed_object_wire.h"

#include <algorithm>
#include <chrono>

#include "handlers/anki/objects/schema18_wire.h"
#include "handlers/base/json.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/sha256.h"

namespace syncline::decks {
namespace {

void WriteField(JsonWriter& json, const std::string& name, std::int64_t ord) {
  json.Object()
      .Add("name", name)
      .Add("ord", ord)
      .Add("sticky", false)
      .Add("rtl", false)
      .Add("font", "Arial")
      .Add("size", 20)
      .End();
}

void WriteTemplate(JsonWriter& json, const CardTemplate& one, std::int64_t ord) {
  json.Object()
      .Add("name", one.name)
      .Add("ord", ord)
      .Add("qfmt", one.front)
      .Add("afmt", one.back)
      .Add("bqfmt", "")
      .Add("bafmt", "")
      .Add("did", RawJson{"null"})
      .End();
}

}  // namespace

// It looks like a time of the years 2017 to 2020, as ids of Anki are, and lies below those of new objects.
std::int64_t StableId(std::string_view kind, const Deck& deck, std::string_view name) {
  constexpr std::int64_t kFirst = 1'500'000'000'000, kRange = 100'000'000'000;
  const std::string hash = Sha256(std::string(kind) + " " + deck.shown.id + " " + std::string(name));
  std::int64_t number = 0;
  for (int i = 0; i < 7; ++i)
    number = number << 8 | static_cast<unsigned char>(hash[static_cast<std::size_t>(i)]);
  return kFirst + number % kRange;
}

anki::Object NotetypeOf(std::int64_t id, const NoteType& type, const CardDesign& design) {
  const std::int64_t mod =
      std::chrono::floor<std::chrono::seconds>(type.updated_at).time_since_epoch().count();
  JsonWriter json;
  json.Object()
      .Add("id", id)
      .Add("name", type.name)
      .Add("type", design.is_cloze ? 1 : 0)
      .Add("mod", mod)
      .Add("usn", 0)
      .Add("sortf", 0)
      .Add("did", RawJson{"null"})
      .Array("tmpls");
  std::int64_t ord = 0;
  for (const CardTemplate& one : design.templates) WriteTemplate(json, one, ord++);
  json.End().Array("flds");
  ord = 0;
  for (const std::string& name : type.fields) WriteField(json, name, ord++);
  json.End().Add("css", design.css).Add("latexPre", "").Add("latexPost", "").Array("req").End();
  // In the spelling of Anki.
  const std::string text = anki::NotetypeToJson(anki::NotetypeFromJson(json.Finish()));
  return {id,
          type.name,
          mod,
          0,
          text,
          static_cast<std::int32_t>(type.fields.size()),
          static_cast<std::int32_t>(design.templates.size())};
}

anki::Object AnkiDeck(std::int64_t id, const std::string& name, std::int64_t mod) {
  const std::string json = JsonWriter()
                               .Object()
                               .Add("id", id)
                               .Add("mod", mod)
                               .Add("name", name)
                               .Add("usn", 0)
                               .Array("lrnToday")
                               .Add(0)
                               .Add(0)
                               .End()
                               .Array("revToday")
                               .Add(0)
                               .Add(0)
                               .End()
                               .Array("newToday")
                               .Add(0)
                               .Add(0)
                               .End()
                               .Array("timeToday")
                               .Add(0)
                               .Add(0)
                               .End()
                               .Add("collapsed", false)
                               .Add("browserCollapsed", false)
                               .Add("desc", "")
                               .Add("dyn", 0)
                               .Add("conf", 1)
                               .Add("extendNew", 0)
                               .Add("extendRev", 0)
                               .Finish();
  return {id, name, mod, 0, json};
}

std::string PlainText(const std::string& json) {
  const JsonSpans spans(json);
  std::string text = spans.Text(spans.Root());
  std::erase_if(text, [](char c) { return c == '\0' || c == '\x1f'; });
  return text;
}

}  // namespace syncline::decks
