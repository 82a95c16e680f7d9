#pragma once
// Zips of media sync, for tests: as a client uploads them, and the files of one that we send.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/anki/media/zip_wire.h"
#include "handlers/base/crc32.h"
#include "handlers/base/json_writer.h"

namespace syncline::tests {

/// A zip with these entries, in order.
inline std::string ZipOf(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string zip;
  std::vector<anki::StoredEntry> entries;
  for (const auto& [name, bytes] : files) {
    entries.push_back({name, static_cast<std::uint32_t>(bytes.size()), Crc32(bytes)});
    zip += anki::ZipLocalHeader(entries.back()) + bytes;
  }
  return zip + anki::ZipDirectory(entries);
}

/// Names with their content; none: a deletion.
using SentFiles = std::vector<std::pair<std::string, std::optional<std::string>>>;

inline std::string UploadZip(const SentFiles& sent) {
  std::vector<std::pair<std::string, std::string>> files;
  JsonWriter list;
  list.Array();
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto& [name, content] = sent[i];
    list.Array().Add(name);
    if (content) {
      files.emplace_back(std::to_string(i), *content);
      list.Add(std::to_string(i));
    } else {
      list.Add(nullptr);
    }
    list.End();
  }
  files.emplace_back("_meta", list.Finish());
  return ZipOf(files);
}

}  // namespace syncline::tests
