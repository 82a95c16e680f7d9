#include "handlers/vault/versions/upload_flow.h"

#include <utility>

#include "handlers/base/errors.h"
#include "handlers/vault/tree/lock_store.h"
#include "handlers/vault/versions/event_store.h"
#include "handlers/vault/versions/policy_rules.h"

namespace syncline::vault {

Incoming::Incoming(sql::Database& database, UserId user, const Vault& vault, Path path,
                   std::int64_t expected_bytes)
    : vault_(vault),
      path_(std::move(path)),
      scan_(LooksIntoZips(vault_, path_)),
      room_(database, user, expected_bytes),
      writer_(database, &room_) {}

void Incoming::Write(std::string_view bytes) {
  scan_.Write(bytes);
  if (max_bytes_ && scan_.report().size_bytes > *max_bytes_) throw TooLarge("file_too_large");
  CheckBeginning(vault_, path_, scan_);
  writer_.Write(bytes);
}

// What SaveUpload needs of the content.
struct Saving {
  Incoming& incoming;
  BlobInfo blob;
  ContentReport report;

  Saving(Incoming& from, Context::Clock::time_point now) : incoming(from), report(from.scan_.Finish(now)) {}
  void Finish() { blob = incoming.writer_.Finish(); }
  void Settle(sql::Tx& tx) { incoming.room_.Settle(tx); }
  void Keep() { incoming.writer_.Keep(); }
};

namespace {

// A version that a person has to look at is never missing from the list of what happened.
void NoteUpload(EventStore& events, const Vault& vault, const Upload& upload, const Path& path,
                const Saving& saving, const Uploaded& done) {
  const auto add = [&](EventLevel level, const char* kind, std::string message) {
    events.Add(vault.id, {.level = level,
                          .kind = kind,
                          .device = upload.device,
                          .source = upload.source,
                          .path = TextOf(path),
                          .message = std::move(message),
                          .version = done.version ? std::optional(done.version->id) : std::nullopt});
  };
  if (done.outcome == Outcome::kUnchanged) {
    if (IsDocument(path)) add(EventLevel::kInfo, "upload_unchanged", "");
    return;
  }
  if (done.version->state == VersionState::kConflict) {
    return add(EventLevel::kWarning, "upload_locked",
               "The file was locked. The upload is kept beside it until you choose.");
  }
  const std::string warning = WarningOf(vault, path, saving.report, done.version->state);
  if (!warning.empty()) add(EventLevel::kWarning, "upload_warning", warning);
  if (done.conflict) {
    add(EventLevel::kWarning, "upload_conflict",
        "Another device had saved in between. What it had saved is kept as a conflict copy.");
  } else if (IsDocument(path) && warning.empty()) {
    add(EventLevel::kInfo, "upload_ok", "");
  }
}

// Whether the head was made by another device, so that this writer, which asks for no condition, has not seen it.
bool IsUnseen(const Upload& upload, const std::optional<Head>& head) {
  return head && head->device != upload.device && !upload.is_conditional && !upload.base_version;
}

Version VersionOf(const Upload& upload, const Path& path, const Saving& saving, const Node& file,
                  VersionStore& versions) {
  const ContentReport& report = saving.report;
  const auto last =
      report.change_counter ? versions.LastCounter(upload.vault, file.id, upload.device) : std::nullopt;
  const bool was_read = report.zip.state != ZipState::kNotRead;
  return {.node = file.id,
          .blob = saving.blob,
          .content_class = report.content_class,
          .has_plaintext = report.MayHavePlaintext(),
          .state = StateOf(path, report, last),
          .source = upload.source,
          .device = upload.device,
          .base_version = upload.base_version,
          .client_token_at = report.client_token_at,
          .change_counter = report.change_counter,
          .entries = was_read ? std::optional(report.zip.entries) : std::nullopt};
}

// Under the vault's lock.
struct Stores {
  NodeStore& nodes;
  LockStore& locks;
  VersionStore& versions;
  EventStore& events;
};

Uploaded SaveLocked(const Upload& upload, const Vault& vault, Saving& saving, Stores in, sql::Tx& tx) {
  const Path& path = saving.incoming.path();
  // It may have been switched on while the bytes came.
  CheckContent(vault, path, saving.report);
  const Place place = in.nodes.Walk(vault.id, path);
  if (upload.check) upload.check(tx, place);
  std::optional<Node> file = place.Found();
  if (file && file->is_collection) throw Error(ErrorKind::kMethodNotAllowed, "is_collection");
  const Node* parent = place.Parent();
  if (parent == nullptr) throw Conflict("no_parent");
  const std::int64_t head = file && file->head ? static_cast<std::int64_t>(file->head->version) : 0;
  if (upload.base_version && *upload.base_version != head)
    throw Error(ErrorKind::kPreconditionFailed, "version_changed");

  Uploaded done{.is_new_name = !file};
  if (file && file->head && file->head->sha256 == saving.blob.sha256) {
    done.outcome = Outcome::kUnchanged;
    done.file = *file;
    NoteUpload(in.events, vault, upload, path, saving, done);
    return done;
  }
  const bool is_locked = !upload.check && file && !in.locks.Covering(vault.id, place.nodes).empty();
  if (!file) file = in.nodes.Add(vault.id, parent->id, path.back(), /*is_collection=*/false);
  Version version = VersionOf(upload, path, saving, *file, in.versions);
  const bool becomes_head = !is_locked && BecomesHead(version.state, file->head);
  if (is_locked) version.state = VersionState::kConflict;
  saving.Settle(tx);
  done.version = in.versions.Add(vault, version);
  done.outcome = becomes_head ? Outcome::kHead : Outcome::kKept;
  if (becomes_head) {
    in.versions.SetHead(vault.id, file->id, done.version->id);
    if (IsDocument(path) && IsUnseen(upload, file->head)) {
      done.conflict = file->head->version;
      in.versions.SetState(vault.id, file->head->version, VersionState::kConflict);
    }
  }
  NoteUpload(in.events, vault, upload, path, saving, done);
  done.file = in.nodes.FindAny(vault.id, parent->id, path.back(), /*is_collection=*/false).value();
  return done;
}

}  // namespace

Uploaded SaveUpload(Context& context, const Upload& upload, Incoming& incoming) {
  if (IsReserved(incoming.path())) throw Forbidden("reserved_name");
  try {
    Saving saving(incoming, context.Now());
    saving.Finish();
    Uploaded done = context.Write<VaultStore, NodeStore, LockStore, VersionStore, EventStore, Transaction>(
        [&](VaultStore& vaults, NodeStore& nodes, LockStore& locks, VersionStore& versions,
            EventStore& events, Transaction& transaction) {
          const Vault vault = vaults.Lock(upload.vault);
          return SaveLocked(upload, vault, saving, {nodes, locks, versions, events}, transaction.tx);
        });
    if (done.outcome != Outcome::kUnchanged) saving.Keep();
    return done;
  } catch (const Error& error) {
    NoteRefusal(context, upload, incoming.path(), error);
    throw;
  }
}

void NoteRefusal(Context& context, const Upload& upload, const Path& path, const Error& error) {
  const bool is_about_content = error.kind() == ErrorKind::kUnprocessable ||
                                error.kind() == ErrorKind::kStorageFull ||
                                error.kind() == ErrorKind::kTooLarge;
  if (!is_about_content) return;
  context.Write<EventStore>([&](EventStore& events) {
    events.Add(upload.vault, {.level = error.kind() == ErrorKind::kUnprocessable ? EventLevel::kAlarm
                                                                                 : EventLevel::kWarning,
                              .kind = "upload_refused",
                              .device = upload.device,
                              .source = upload.source,
                              .path = TextOf(path),
                              .message = error.code()});
  });
}

}  // namespace syncline::vault
