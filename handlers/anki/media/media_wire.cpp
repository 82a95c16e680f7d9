#include "handlers/anki/media/media_wire.h"

#include <limits>

#include "handlers/base/errors.h"
#include "handlers/base/json.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/sha256.h"

namespace syncline::anki {
namespace {

using Value = JsonSpans::Value;
using Kind = JsonSpans::Kind;

constexpr int kDepth = 3;

Error Bad(const std::string& why) {
  return BadInput("bad_json", why);
}

JsonSpans Parse(std::string_view json) {
  try {
    return JsonSpans(json, kDepth);
  } catch (const BadJson& e) {
    throw Bad(e.what());
  }
}

const Value* Find(const JsonSpans& spans, std::string_view key) {
  if (spans.Root().kind != Kind::kObject) throw Bad("not an object");
  const Value* found = nullptr;
  spans.EachIn(spans.Root(), [&](const Value& member) {
    if (spans.Key(member) != key) return;
    if (found != nullptr) throw Bad("duplicate key " + std::string(key));
    found = &member;
  });
  return found;
}

std::int64_t Int(const JsonSpans& spans, std::string_view key, std::int64_t min, std::int64_t max) {
  const Value* value = Find(spans, key);
  const auto number =
      value != nullptr && value->kind == Kind::kNumber ? WholeNumber(spans.Raw(*value)) : std::nullopt;
  if (!number || *number < min || *number > max) throw Bad(std::string(key) + " is not an integer in range");
  return *number;
}

std::string Text(const JsonSpans& spans, const Value& value, const char* what) {
  if (value.kind != Kind::kString) throw Bad(std::string(what) + " is not a string");
  return spans.Text(value);
}

// {"data": what `add` adds, "err": ""}
template <typename Add>
std::string Reply(Add add) {
  JsonWriter json;
  json.Object();
  add(json);
  return json.Add("err", "").Finish();
}

}  // namespace

std::string ParseMediaBegin(std::string_view json) {
  const JsonSpans spans = Parse(json);
  const Value* version = Find(spans, "v");
  return version == nullptr ? "" : Text(spans, *version, "v");
}

MediaUsn ParseMediaChanges(std::string_view json) {
  return static_cast<MediaUsn>(Int(Parse(json), "lastUsn", std::numeric_limits<MediaUsn>::min(),
                                   std::numeric_limits<MediaUsn>::max()));
}

std::vector<std::string> ParseMediaDownload(std::string_view json) {
  const JsonSpans spans = Parse(json);
  const Value* files = Find(spans, "files");
  if (files == nullptr || files->kind != Kind::kArray) throw Bad("files is not a list");
  std::vector<std::string> names;
  spans.EachIn(*files, [&](const Value& name) {
    if (names.size() == kMaxMediaFiles) throw BadInput("too_many_files");
    names.push_back(Text(spans, name, "a name"));
  });
  return names;
}

std::int64_t ParseMediaSanity(std::string_view json) {
  return Int(Parse(json), "local", 0, std::numeric_limits<std::uint32_t>::max());
}

std::vector<MediaListing> ParseMediaList(std::string_view json) {
  const JsonSpans spans = Parse(json);
  if (spans.Root().kind != Kind::kArray) throw Bad("_meta is not a list");
  std::vector<MediaListing> list;
  spans.EachIn(spans.Root(), [&](const Value& element) {
    if (list.size() == kMaxMediaFiles) throw BadInput("too_many_files");
    if (element.kind != Kind::kArray) throw Bad("an element of _meta is not a list");
    std::vector<const Value*> pair;
    spans.EachIn(element, [&](const Value& value) { pair.push_back(&value); });
    if (pair.size() != 2) throw Bad("an element of _meta is not a pair");
    MediaListing listing{Text(spans, *pair[0], "a name"), std::nullopt};
    if (pair[1]->kind != Kind::kNull) listing.entry = Text(spans, *pair[1], "an entry");
    // Older clients mark deletions this way.
    if (listing.entry && listing.entry->empty()) listing.entry.reset();
    list.push_back(std::move(listing));
  });
  return list;
}

std::string MediaBeginReply(MediaUsn last_usn, std::string_view session_key) {
  return Reply(
      [&](JsonWriter& json) { json.Object("data").Add("usn", last_usn).Add("sk", session_key).End(); });
}

std::string MediaChangesReply(const std::vector<ListedMedia>& changes) {
  return Reply([&](JsonWriter& json) {
    json.Array("data");
    for (const ListedMedia& change : changes) {
      json.Array().Add(change.name).Add(change.usn).Add(HexText(change.sha1)).End();
    }
    json.End();
  });
}

std::string MediaUploadReply(std::size_t processed, MediaUsn last_usn) {
  return Reply([&](JsonWriter& json) { json.Array("data").Add(processed).Add(last_usn).End(); });
}

std::string MediaSanityReply(bool is_ok) {
  return Reply([&](JsonWriter& json) { json.Add("data", is_ok ? "OK" : "mediaSanity"); });
}

std::string MediaRefusal(std::string_view text) {
  return JsonWriter().Object().Add("data", nullptr).Add("err", text).Finish();
}

std::string MediaNamesJson(const std::vector<std::string>& names) {
  JsonWriter json;
  json.Object();
  for (std::size_t i = 0; i < names.size(); ++i) json.Add(std::to_string(i), names[i]);
  return json.Finish();
}

}  // namespace syncline::anki
