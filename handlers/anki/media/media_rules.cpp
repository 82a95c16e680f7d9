#include "handlers/anki/media/media_rules.h"

#include <algorithm>

#include "handlers/base/utf8.h"

namespace syncline::anki {
namespace {

// A row with its header and two index entries.
constexpr std::int64_t kRowBytes = 200;

bool IsSame(const std::optional<MediaContent>& a, const std::optional<MediaContent>& b) {
  return a.has_value() == b.has_value() && (!a || a->sha1 == b->sha1);
}

std::int64_t SizeOf(const std::optional<MediaContent>& content) {
  return content ? content->size_bytes : 0;
}

}  // namespace

MediaChanges DecideMedia(const std::vector<SentMedia>& sent, const KnownMediaByName& known,
                         MediaUsn last_usn) {
  MediaChanges result;
  result.last_usn = last_usn;
  std::unordered_map<std::string_view, MediaChange> changed;  // by name
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto before = known.find(sent[i].name);
    const auto earlier = changed.find(sent[i].name);
    const std::optional<MediaContent> now = earlier != changed.end() ? sent[earlier->second.sent].content
                                            : before != known.end()  ? before->second
                                                                     : std::nullopt;
    if (!IsSame(now, sent[i].content))
      changed.insert_or_assign(sent[i].name, MediaChange{i, ++result.last_usn});
  }
  for (const auto& [name, change] : changed) {
    const auto before = known.find(std::string(name));
    const auto old = before != known.end() ? before->second : std::nullopt;
    const auto& now = sent[change.sent].content;
    result.files += (now ? 1 : 0) - (old ? 1 : 0);
    result.bytes += SizeOf(now) - SizeOf(old);
    result.row_bytes += ((before == known.end() ? 1 : 0) + (old ? 1 : 0)) * MediaRowBytes(name);
    result.has_replaced = result.has_replaced || old;
    result.changes.push_back(change);
  }
  std::sort(result.changes.begin(), result.changes.end(),
            [](const MediaChange& a, const MediaChange& b) { return a.usn < b.usn; });
  result.are_all_changes = static_cast<std::size_t>(result.last_usn - last_usn) == sent.size();
  return result;
}

std::int64_t MediaRowBytes(std::string_view name) {
  return kRowBytes + static_cast<std::int64_t>(name.size());
}

const char* MediaNameProblem(std::string_view name) {
  if (name.empty()) return "no name";
  if (name.size() > kMaxMediaNameBytes) return "name too long";
  if (!IsStorableText(name)) return "name is not UTF-8";
  if (name.find('/') != name.npos || name == "." || name == "..") return "name is a path";
  if (Nfc(name) != name) return "name is not in NFC";
  return nullptr;
}

}  // namespace syncline::anki
