#include "handlers/anime/list_transfer_handlers.h"

#include <string>
#include <utility>

#include "handlers/anime/entry_store.h"
#include "handlers/anime/entry_wire.h"
#include "handlers/anime/list_import_flow.h"
#include "handlers/anime/list_import_store.h"
#include "handlers/anime/mal_xml_wire.h"
#include "handlers/anime/settings.h"
#include "handlers/base/errors.h"
#include "handlers/base/header_values.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/multipart.h"
#include "handlers/base/parameter_input.h"
#include "handlers/base/timestamp.h"

namespace syncline::anime {
namespace {

constexpr std::string_view kFormats[] = {"mal-xml", "json"};
constexpr std::int64_t kExportPage = 1000;

// "queued" until a worker has claimed it; a job that died, whatever the reason, counts as failed.
std::string_view StateOf(const ListImport& import) {
  if (import.state == "failed" && import.code == "cancelled") return "cancelled";
  if (import.state != "pending") return import.state;
  if (import.job_state == "cancelled") return "cancelled";
  if (!import.job_state || import.job_state == "dead") return "failed";
  return import.job_state == "running" ? "running" : "queued";
}

void AddNotes(JsonWriter& json, std::string_view key, const std::vector<ImportNote>& notes,
              std::string_view kind) {
  json.Array(key);
  for (const ImportNote& note : notes) {
    if (note.kind != kind) continue;
    json.Object()
        .Add("position", note.position)
        .Add("mal_id", note.mal_id)
        .Add("title", note.title)
        .Add("field", note.field)
        .Add("reason", note.reason)
        .End();
  }
  json.End();
}

void AddResult(JsonWriter& json, const ListImport& import, const std::vector<ImportNote>& notes,
               std::int64_t titles_per_minute) {
  const ImportCounts& counts = import.counts;
  json.Object("result")
      .Add("added", counts.added)
      .Add("updated", counts.updated)
      .Add("unchanged", counts.unchanged)
      .Add("kept_count", counts.kept)
      .Add("failed_count", counts.failed)
      .Add("warning_count", counts.warnings)
      .Add("unknown_titles", counts.unknown_titles)
      .Add("minutes_to_fetch", (counts.unknown_titles + titles_per_minute - 1) / titles_per_minute);
  AddNotes(json, "kept", notes, "kept");
  AddNotes(json, "failed", notes, "failed");
  AddNotes(json, "warnings", notes, "warning");
  json.End();
}

std::string Print(JobId id, const ListImport& import, const std::vector<ImportNote>& notes,
                  const Context& context) {
  const std::string_view state = StateOf(import);
  JsonWriter json;
  json.Object()
      .Add("job_id", static_cast<std::int64_t>(id))
      .Add("state", state)
      .Add("strategy", kImportStrategies[static_cast<std::size_t>(import.strategy)])
      .Add("dry_run", import.is_dry_run)
      .Add("created_at", PrintTimestamp(import.created_at))
      .Add("finished_at",
           import.finished_at ? std::optional(PrintTimestamp(*import.finished_at)) : std::nullopt)
      .Add("done", std::max(import.counts.read, import.progress))
      .Add("total", import.entries)
      .Add("error", state == "failed" ? std::optional(import.code.value_or("internal")) : std::nullopt);
  if (state == "done") {
    AddResult(json, import, notes, context.config().Of<Settings>().anime_jikan_jobs_per_minute);
  } else {
    json.Add("result", std::optional<std::string>());
  }
  return json.Finish();
}

Response Answer(int status, Context& context, JobId id) {
  const auto [import, notes] = context.Read<ListImportStore>(
      [&](ListImportStore& imports) { return std::pair(imports.Find(id), imports.Notes(id)); });
  if (!import) throw NotFound("no_such_import");
  return Response::Json(status, Print(id, *import, notes, context)).With("Cache-Control", "no-store");
}

bool IsMultipart(const Request& request) {
  return LoweredAscii(request.Header("content-type").value_or("")).starts_with("multipart/");
}

Response Receive(Request& request, Context& context, ImportStrategy strategy, bool is_dry_run) {
  const auto receive = [&](BodySource& body) {
    const JobId id = ReceiveList(context, body, request.content_length, strategy, is_dry_run);
    return Answer(202, context, id)
        .With("Location", "/users/me/list/import/" + std::to_string(static_cast<std::int64_t>(id)));
  };
  if (request.body == nullptr) throw BadInput("empty_body");
  if (!IsMultipart(request)) return receive(*request.body);
  MultipartReader parts(request);
  while (const auto part = parts.NextPart()) {
    if (part->filename) return receive(parts);
  }
  throw BadInput("empty_body");
}

MalEntry FileEntryOf(const ExportedEntry& exported) {
  const EntryTitle& title = exported.entry.title;
  MalEntry file = AsMal(exported.entry.fields);
  file.mal_id = title.mal_id;
  file.title = MalText(title.title);
  file.type = exported.type;
  file.episodes = title.episodes;
  return file;
}

// Calls `entry` for the whole list. A page is a short read: a slow reader holds no snapshot.
template <typename Each>
void EachEntry(Context& context, Each entry) {
  std::int64_t after = 0;
  for (std::size_t rows = kExportPage; rows == kExportPage;) {
    const auto page =
        context.ReadOnce<EntryStore>([&](EntryStore& entries) { return entries.Export(after, kExportPage); });
    for (const ExportedEntry& exported : page) entry(exported);
    rows = page.size();
    if (rows > 0) after = page.back().entry.title.id;
  }
}

void WriteXml(Context& context, BodySink& sink) {
  const ListCounts counts = context.Read<EntryStore>([](EntryStore& entries) { return entries.Count(); });
  sink.Write(MalXmlHead(static_cast<std::int64_t>(context.user()), {.total = counts.total,
                                                                    .watching = counts.watching,
                                                                    .completed = counts.completed,
                                                                    .on_hold = counts.on_hold,
                                                                    .dropped = counts.dropped,
                                                                    .plan_to_watch = counts.plan_to_watch}));
  EachEntry(context, [&](const ExportedEntry& exported) { sink.Write(MalXmlEntry(FileEntryOf(exported))); });
  sink.Write(kMalXmlEnd);
}

void WriteJson(Context& context, BodySink& sink) {
  sink.Write("{\"exported_at\":\"" + PrintTimestamp(context.Now()) + "\",\"entries\":[");
  bool is_first = true;
  EachEntry(context, [&](const ExportedEntry& exported) {
    if (!is_first) sink.Write(",");
    is_first = false;
    sink.Write(PrintEntry(exported.entry, /*is_full=*/true));
  });
  sink.Write("]}");
}

}  // namespace

// POST /users/me/list/import -- a MyAnimeList file, plain or gzipped, as the body or as the file of a form;
// `strategy` (keep, newer, overwrite; newer if none is given) and `dry_run`.
//
// Answers 202 with the import and where to ask for it; 413 too large or too long, 422 no list of anime, 507.
Response PostListImport(Request& request, Context& context) {
  ParameterInput in(request);
  const auto strategy = in.Query("strategy").Choice(kImportStrategies);
  const bool is_dry_run = in.Query("dry_run").Bool().value_or(false);
  in.ThrowIfAny();
  return Receive(request, context, strategy ? static_cast<ImportStrategy>(*strategy) : ImportStrategy::kNewer,
                 is_dry_run);
}

// GET /users/me/list/import/{job_id} -- progress and report of an import. 404 also for another account's.
Response GetListImport(Request& request, Context& context) {
  ParameterInput in(request);
  const auto id = in.Path("job_id").Int();
  in.ThrowIfAny();
  return Answer(200, context, JobId{id.value_or(0)});
}

// GET /users/me/list/export?format=mal-xml|json -- the whole list as a file: for MyAnimeList and other
// trackers, or with all fields. Streamed.
Response GetListExport(Request& request, Context& context) {
  ParameterInput in(request);
  const bool is_json = in.Query("format").Choice(kFormats) == std::size_t{1};
  in.ThrowIfAny();
  const char* suffix = is_json ? ".json" : ".xml";
  return Response{200,
                  {},
                  BodyStream([&context, is_json](BodySink& sink) {
                    is_json ? WriteJson(context, sink) : WriteXml(context, sink);
                  }),
                  std::nullopt}
      .With("Content-Type", is_json ? "application/json" : "application/xml")
      .With("Content-Disposition",
            "attachment; filename=\"animelist-" + PrintDate(context.Now()) + suffix + "\"")
      .With("Cache-Control", "no-store");
}

std::vector<ExportedFile> ExportFiles(Context& context) {
  return {{"anime/list.xml", [&context](BodySink& sink) { WriteXml(context, sink); }},
          {"anime/list.json", [&context](BodySink& sink) { WriteJson(context, sink); }}};
}

}  // namespace syncline::anime
