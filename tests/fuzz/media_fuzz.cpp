// Any bytes as a zip of a media upload, as its list, or as a message of media sync: refused, or within the bounds. And what we
// write for a download is read back.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anki/media/media_rules.h"
#include "handlers/anki/media/media_wire.h"
#include "handlers/anki/media/zip_wire.h"
#include "handlers/base/crc32.h"
#include "handlers/base/errors.h"

using namespace syncline;
using namespace syncline::anki;

namespace {

constexpr std::uint64_t kLimit = 1 << 20;

void CheckList(const std::vector<MediaListing>& list) {
  if (list.size() > kMaxMediaFiles) std::abort();
  std::vector<SentMedia> sent;
  for (const MediaListing& listing : list) {
    if (listing.entry && listing.entry->empty()) std::abort();
    if (MediaNameProblem(listing.name) != nullptr) continue;
    sent.push_back(
        {listing.name, listing.entry ? std::optional(MediaContent{*listing.entry, 1, 0}) : std::nullopt});
  }
  const MediaChanges changes = DecideMedia(sent, {}, 5);
  if (changes.last_usn < 5 || changes.last_usn > 5 + static_cast<MediaUsn>(sent.size())) std::abort();
  if (changes.changes.size() > sent.size() || changes.files < 0) std::abort();
}

void ReadZip(std::string_view bytes) {
  const ZipReader zip(bytes);
  const std::vector<MediaListing> list = ParseMediaList(zip.ReadAll(zip.Find("_meta"), 50 << 10));
  CheckList(list);
  for (const MediaListing& listing : list) {
    if (!listing.entry) continue;
    const ZipReader::Entry entry = zip.Find(*listing.entry);
    if (entry.size_bytes > kLimit) continue;
    const std::string content = zip.ReadAll(entry, kLimit);
    if (content.size() != entry.size_bytes || Crc32(content) != entry.crc32) std::abort();
  }
}

void WriteAndReadZip(std::string_view content) {
  const std::string names = MediaNamesJson({std::string("a")});
  const std::vector<StoredEntry> entries{{"0", static_cast<std::uint32_t>(content.size()), Crc32(content)},
                                         {"_meta", static_cast<std::uint32_t>(names.size()), Crc32(names)}};
  const std::string zip = ZipLocalHeader(entries[0]) + std::string(content) + ZipLocalHeader(entries[1]) +
                          names + ZipDirectory(entries);
  if (zip.size() != ZipBytes(entries)) std::abort();
  // Contents that look like the ends of many directories are refused.
  std::size_t ends = 0;
  for (std::size_t at = zip.find("PK\5\6"); at != zip.npos; at = zip.find("PK\5\6", at + 1)) ++ends;
  if (ends > 1 || zip.find("PK\6\7") != zip.npos) return;
  const ZipReader reader(zip);
  if (reader.ReadAll(reader.Find("0"), content.size()) != content) std::abort();
}

void Parse(unsigned kind, std::string_view bytes) {
  switch (kind % 7) {
    case 0:
      return ReadZip(bytes);
    case 1:
      return CheckList(ParseMediaList(bytes));
    case 2:
      if (ParseMediaDownload(bytes).size() > kMaxMediaFiles) std::abort();
      return;
    case 3:
      ParseMediaChanges(bytes);
      return;
    case 4:
      if (ParseMediaSanity(bytes) < 0) std::abort();
      return;
    case 5:
      ParseMediaBegin(bytes);
      return;
    default:
      return WriteAndReadZip(bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  try {
    Parse(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kInternal) std::abort();
  }
  return 0;
}
