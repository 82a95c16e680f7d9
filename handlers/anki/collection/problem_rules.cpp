#include "handlers/anki/collection/problem_rules.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "handlers/base/json.h"

namespace syncline::anki {
namespace {

constexpr std::string_view kCheckDatabase =
    "On that device: Tools > Check Database (in AnkiDroid: Check database), then sync.";
constexpr std::string_view kFullSync =
    "If that does not help: choose the device with the right collection, and use Preferences > Syncing > "
    "\"force changes in one direction\" on it. What the upload replaces stays in the history (anki history).";
constexpr std::string_view kClientFault =
    "Update the client or its add-ons. If it goes on with the newest client, a program between them (a "
    "proxy, a virus scanner) changes what is sent, or the client has a fault: report it with these lines.";
constexpr std::string_view kQuota =
    "Give the account more room (user quota NAME MIB), or let the user delete what is not needed. Deletions "
    "always pass; what they free in the history counts until it expires (history_days).";

struct Explained {
  std::string_view code, what, advice;
};

// Of refusals, by their code.
constexpr std::array kExplained{
    Explained{"bad_envelope", "The request had no valid header or form.", kClientFault},
    Explained{"bad_zstd", "The data sent is damaged or incomplete.", kClientFault},
    Explained{"bad_gzip", "The data sent is damaged or incomplete.", kClientFault},
    Explained{"bad_json", "The message cannot be understood.", kClientFault},
    Explained{"changes_sent_twice", "The device sent its notetypes and decks twice in one sync.",
              kClientFault},
    Explained{"missing_notetype", "The device sent a note whose notetype neither it nor the server has.",
              kCheckDatabase},
    Explained{"wrong_field_count", "The device sent a note with more or fewer fields than its notetype has.",
              kCheckDatabase},
    Explained{
        "notetype_schema_changed",
        "A notetype has other fields or templates than here, and the device did not ask for a full sync.",
        "On that device: Tools > Check Database, then force a full sync: upload if it has everything, "
        "else download."},
    Explained{"too_many_of_one_name", "The device sent thousands of decks or notetypes of one name.",
              "On that device: rename or delete them. An add-on may have made them."},
    Explained{"sync_too_large", "One sync sent more than max_staged_mib.",
              "Let that device upload its collection once (a full sync), or raise max_staged_mib."},
    Explained{
        "too_much_staged", "The account sent more in an hour than max_staged_hourly_mib.",
        "It may sync again within an hour. If it continues, a device is in a loop: look at its version and "
        "add-ons."},
    Explained{"too_large", "The data sent is larger than this server accepts once it is expanded.",
              "Raise max_message_mib or max_collection_mib, or find the notes that are so large: pictures "
              "pasted into a field as text are the usual reason."},
    Explained{"media_too_large", "A batch of media was longer than any client sends.", kClientFault},
    Explained{"too_many_files", "A batch of media had more files than any client sends.", kClientFault},
    Explained{"bad_zip", "A batch of media is damaged or incomplete.", kClientFault},
    Explained{
        "bad_media_name", "A media file has a name that no other device could store.",
        "On that device: rename this file in the folder collection.media, and in the notes that use it. "
        "Until then this device sends none of its media."},
    Explained{"bad_media_file", "A media file is empty or larger than 100 MiB.",
              "On that device: remove this file from the folder collection.media, or replace it. Until then "
              "this device sends none of its media."},
    Explained{"over_quota", "The account's quota is full: new data was refused.", kQuota},
    Explained{"disk_full", "The server's disk is nearly full: new data was refused.",
              "Free disk space (syncline-admin doctor tells how much). The device tries again by itself."},
    Explained{
        "file_refused", "An uploaded collection was refused; the device has shown why. Nothing was replaced.",
        "Do on that device what the reason says: Check Database, or File > Switch Profile > Open Backup "
        "and upload that."},
};

std::string TextOfMember(std::string_view json, std::string_view key) {
  const auto raw = FindMember(json, key);
  if (!raw) return "";
  const JsonSpans value(*raw, 0);
  return value.Text(value.Root());
}

std::string ListOf(std::string_view json, std::string_view key) {
  std::string text;
  const auto raw = FindMember(json, key);
  if (!raw) return text;
  const JsonSpans list(*raw, 1);
  list.EachIn(list.Root(), [&](const JsonSpans::Value& item) {
    text += (text.empty() ? "" : ", ") +
            (list.Root().kind == JsonSpans::Kind::kObject ? std::string(list.Key(item)) : list.Text(item));
  });
  return text;
}

ProblemText TextOfRefusal(const std::string& details) {
  const std::string code = TextOfMember(details, "code");
  const auto* found = std::find_if(kExplained.begin(), kExplained.end(),
                                   [&](const Explained& row) { return row.code == code; });
  ProblemText text{"The server refused the call " + TextOfMember(details, "request") + " (" + code + ").",
                   std::string(kClientFault)};
  if (found == kExplained.end()) return text;
  text.what += " " + std::string(found->what);
  text.advice = found->advice;
  if (found->advice == kCheckDatabase) text.advice += " " + std::string(kFullSync);
  return text;
}

}  // namespace

ProblemText Explain(const Problem& problem) {
  if (problem.kind == "refused") return TextOfRefusal(problem.details);
  if (problem.kind == "sanity") {
    return {"At the end of a sync the device and the server had different numbers of " +
                ListOf(problem.details, "differ") + ". Nothing of that sync was kept on either side.",
            std::string(kCheckDatabase) + " " + std::string(kFullSync)};
  }
  return {"An uploaded collection was taken, but Anki cannot read some of its values: " +
              ListOf(problem.details, "adjusted") + ".",
          std::string(kCheckDatabase)};
}

}  // namespace syncline::anki
