#include "handlers/anki/package_handlers.h"

#include <memory>
#include <optional>
#include <string>

#include "handlers/account/api_dialect.h"
#include "handlers/anki/package/export_flow.h"
#include "handlers/anki/package/import_flow.h"
#include "handlers/base/errors.h"
#include "handlers/base/header_values.h"
#include "handlers/base/json.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/multipart.h"

namespace syncline::anki {
namespace {

constexpr std::size_t kMaxFileName = 200;

constexpr account::CodeText kTexts[] = {
    {"bad_option", "A parameter of the request has a value that it cannot have."},
    {"bad_multipart", "The form cannot be read."},
    {"empty_body", "The request has no file."},
    {"not_a_package", "The file is not an Anki package (.apkg or .colpkg)."},
    {"over_quota", "Your storage on this server is full."},
    {"disk_full", "This server's disk is nearly full. Please try again later, or ask its administrator."},
    {"no_such_import", "There is no such import."},
    {"no_such_deck", "There is no deck of this name."},
    {"too_large", "The file is larger than this server accepts."},
    {"cancelled", "The import was cancelled by the administrator."},
};

bool ReadFlag(const Request& request, std::string_view name, bool otherwise) {
  const auto value = request.Query(name);
  if (!value) return otherwise;
  if (*value == "true" || *value == "1") return true;
  if (*value == "false" || *value == "0" || value->empty()) return false;
  throw BadInput("bad_option", std::string(name));
}

// As names, or with the numbers of Anki's messages.
UpdateWhen ReadWhen(const Request& request, std::string_view name) {
  const auto value = request.Query(name);
  if (!value || *value == "if_newer" || *value == "0") return UpdateWhen::kIfNewer;
  if (*value == "always" || *value == "1") return UpdateWhen::kAlways;
  if (*value == "never" || *value == "2") return UpdateWhen::kNever;
  throw BadInput("bad_option", std::string(name));
}

ImportOptions ReadOptions(const Request& request) {
  return {.merge_notetypes = ReadFlag(request, "merge_notetypes", false),
          .update_notes = ReadWhen(request, "update_notes"),
          .update_notetypes = ReadWhen(request, "update_notetypes"),
          .with_scheduling = ReadFlag(request, "with_scheduling", false),
          .with_deck_configs = ReadFlag(request, "with_deck_configs", false)};
}

// By the parameter `kind`, else by the file's name. Without either it is merged, because that loses nothing.
PackageKind ReadKind(const Request& request, const std::optional<std::string>& file_name) {
  if (const auto kind = request.Query("kind")) {
    if (*kind == "apkg") return PackageKind::kApkg;
    if (*kind == "colpkg") return PackageKind::kColpkg;
    throw BadInput("bad_option", "kind");
  }
  constexpr std::string_view kSuffix = ".colpkg";
  return file_name && LoweredAscii(*file_name).ends_with(kSuffix) ? PackageKind::kColpkg : PackageKind::kApkg;
}

JobId IdOf(const Request& request) {
  const auto id = WholeNumber(request.PathParam("id"));
  if (!id) throw NotFound("no_such_import");
  return JobId{*id};
}

Response Accepted(JobId id) {
  const std::string text = std::to_string(static_cast<std::int64_t>(id));
  return Response::Json(202, JsonWriter().Object().Add("id", text).Add("state", "pending").Finish())
      .With("Location", "/api/sync/import/" + text);
}

// "pending" until a worker has claimed it; a job that died, whatever the reason, counts as failed.
std::string StateOf(const ImportRow& import) {
  if (import.state != "pending") return import.state;
  if (!import.job_state || *import.job_state == "dead" || *import.job_state == "cancelled") return "failed";
  return *import.job_state == "running" ? "running" : "pending";
}

std::string CodeOf(const ImportRow& import) {
  if (import.code) return *import.code;
  return import.job_state == "cancelled" ? "cancelled" : "internal";
}

}  // namespace

// POST /api/sync/import/ -- stores a package, sent as the only file of a form or as the body, and imports it
// in a job.
//
// ?kind=apkg|colpkg (else by the file's name), merge_notetypes, update_notes, update_notetypes, with_scheduling,
// with_deck_configs. Answers 202 with the import's id and where to ask for it; 400 bad_option, not_a_package,
// empty_body, bad_multipart; 413; 507 over_quota, disk_full.
Response PostImport(Request& request, Context& context) {
  const ImportOptions options = ReadOptions(request);
  ReadKind(request, std::nullopt);  // before the body is read
  if (request.body == nullptr) throw BadInput("empty_body");
  const std::string_view type = request.Header("content-type").value_or("");
  if (!type.starts_with("multipart/")) {
    return Accepted(ReceivePackage(context, *request.body, request.content_length,
                                   ReadKind(request, std::nullopt), std::nullopt, options));
  }
  MultipartReader parts(request);
  while (const auto part = parts.NextPart()) {
    if (!part->filename) continue;
    return Accepted(ReceivePackage(context, parts, request.content_length, ReadKind(request, part->filename),
                                   part->filename->substr(0, kMaxFileName), options));
  }
  throw BadInput("empty_body");
}

// GET /api/sync/import/{id} -- progress and report of an import.
//
// Answers 200; 404 no_such_import, also for another account's.
Response GetImport(Request& request, Context& context) {
  const JobId id = IdOf(request);
  const auto import = context.Read<ImportStore>([&](ImportStore& imports) { return imports.Find(id); });
  if (!import) throw NotFound("no_such_import");
  const std::string state = StateOf(*import);
  JsonWriter json;
  json.Object()
      .Add("id", std::to_string(static_cast<std::int64_t>(id)))
      .Add("state", state)
      .Add("file_name", import->file_name)
      .Add("file_bytes", import->file_bytes)
      .Add("options", RawJson{import->options})
      .Object("progress")
      .Add("done", import->done)
      .Add("total", import->total)
      .Add("step", import->step)
      .End();
  if (state == "failed") {
    const std::string code = CodeOf(*import);
    json.Object("error")
        .Add("code", code)
        .Add("message", import->message.value_or(account::ApiText(code, kTexts)))
        .End();
  }
  if (import->report) json.Add("report", RawJson{*import->report});
  return Response::Json(200, json.Finish());
}

// GET /api/sync/export/ -- the collection as a .colpkg, or with ?deck=NAME that deck as an .apkg.
//
// ?with_media (default true), with_scheduling, with_deck_configs, legacy. Answers 200, streamed; 400 bad_option; 404
// no_such_deck.
Response GetExport(Request& request, Context& context) {
  ExportOptions options;
  options.deck = request.Query("deck");
  options.with_media = ReadFlag(request, "with_media", true);
  options.with_scheduling = ReadFlag(request, "with_scheduling", false);
  options.with_deck_configs = ReadFlag(request, "with_deck_configs", false);
  options.legacy = ReadFlag(request, "legacy", false);
  const auto package = std::make_shared<Export>(context, options);
  return Response::Stream([package](BodySink& sink) { package->Write(sink); })
      .With("Content-Disposition", "attachment; filename=\"" + package->FileName() + "\"");
}

std::vector<ExportedFile> ExportFiles(Context& context) {
  const auto package = std::make_shared<Export>(context, ExportOptions{});
  return {{"anki/" + package->FileName(), [package](BodySink& sink) { package->Write(sink); }}};
}

Response RenderPackageError(const Error& error, const Request& request) {
  return account::RenderApiError(error, request, kTexts);
}

}  // namespace syncline::anki
