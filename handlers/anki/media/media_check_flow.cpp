#include "handlers/anki/media/media_check_flow.h"

#include "handlers/anki/media/media_check_store.h"

namespace syncline::anki {
namespace {

constexpr int kAttempts = 3;

std::optional<MediaTotals> Head(Context& context) {
  return context.ReadOnce<MediaCheckStore>([](MediaCheckStore& store) { return store.Head(); });
}

// Each step reads its own snapshot. The results are consistent if the head has not changed meanwhile.
CountedMedia Count(Context& context, JobControl& control) {
  CountedMedia counted;
  const auto count = [&](auto page) {
    MediaUsn after = 0;
    while (UpkeepStep(control, [&] {
      return context.ReadOnce<MediaCheckStore>([&](MediaCheckStore& store) { return page(store, after); });
    })) {
    }
  };
  count([&](MediaCheckStore& store, MediaUsn& after) { return store.CountFiles(after, counted); });
  count([&](MediaCheckStore& store, MediaUsn& after) { return store.CountHistory(after, counted); });
  return counted;
}

void Compare(const MediaTotals& head, const CountedMedia& counted, std::vector<std::string>& findings) {
  const auto compare = [&](const char* what, std::int64_t counter, std::int64_t found) {
    if (counter == found) return;
    findings.push_back(std::string("media ") + what + ": counter says " + std::to_string(counter) +
                       ", there are " + std::to_string(found));
  };
  compare("files", head.files, counted.totals.files);
  compare("bytes", head.bytes, counted.totals.bytes);
  compare("bytes of rows", head.row_bytes, counted.totals.row_bytes);
  if (counted.totals.last_usn > head.last_usn) {
    findings.push_back("a media file has usn " + std::to_string(counted.totals.last_usn) +
                       ", the account is at " + std::to_string(head.last_usn));
  }
  const auto require_none = [&](const char* what, std::int64_t rows) {
    if (rows > 0) findings.push_back("media: " + std::to_string(rows) + " files without " + what);
  };
  require_none("blob", counted.without_blob);
  require_none("reference", counted.without_reference);
}

}  // namespace

std::vector<std::string> CheckMedia(Context& context, JobControl& control) {
  std::vector<std::string> findings;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto head = Head(context);
    if (!head) break;
    const CountedMedia counted = Count(context, control);
    const auto references =
        context.Read<MediaCheckStore>([](MediaCheckStore& store) { return store.ReferenceFindings(); });
    if (Head(context) != head) continue;
    Compare(*head, counted, findings);
    findings.insert(findings.end(), references.begin(), references.end());
    break;
  }
  return findings;
}

}  // namespace syncline::anki
