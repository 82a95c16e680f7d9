#include "handlers/vault/webdav/file_handlers.h"

#include <array>
#include <utility>

#include "handlers/base/blobs.h"
#include "handlers/base/conditional.h"
#include "handlers/base/errors.h"
#include "handlers/base/range.h"
#include "handlers/vault/settings.h"
#include "handlers/vault/versions/upload_flow.h"
#include "handlers/vault/webdav/access_flow.h"
#include "handlers/vault/webdav/history_flow.h"
#include "handlers/vault/webdav/multistatus_wire.h"

namespace syncline::vault {
namespace {

constexpr std::size_t kPieceBytes = 64 << 10;

Response ListOf(const std::vector<Node>& members) {
  std::string html =
      "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>Files</title></head><body><ul>\n";
  for (const Node& member : members) {
    const std::string slash = member.is_collection ? "/" : "";
    html += "<li><a href=\"./" + HrefName(member.name) + slash + "\">" + XmlText(member.name) + slash +
            "</a></li>\n";
  }
  return Response{200, {}, html + "</ul></body></html>\n", std::nullopt}
      .With("Content-Type", "text/html; charset=utf-8")
      .With("Cache-Control", "no-cache");
}

Response ContentOf(const Request& request, Context& context, const Node& file) {
  const Current current = CurrentOf(file);
  if (Evaluate(Conditions(request), current) == syncline::Outcome::kNotModified) return NotModified(current);
  const auto size = static_cast<std::uint64_t>(file.size_bytes());
  const auto range = RangeOf(request, current, size);
  const auto write = [&context, file, range](BodySink& sink) {
    if (!file.head) return;
    context.WithDatabase([&](sql::Database& database) {
      ReadBlob(
          database, context.user(), kBlobService, file.head->blob,
          [&](std::string_view bytes) { sink.Write(bytes); }, range);
    });
  };
  Response response{200, {}, BodyStream(write), range ? range->Size() : size};
  return Partial(std::move(response)
                     .With("Content-Type", ContentTypeOf(file.name))
                     .With("ETag", current.etag->Print())
                     .With("Last-Modified", PrintHttpDate(file.modified_at))
                     .With("Cache-Control", "no-cache")
                     .With("Content-Security-Policy", "sandbox"),
                 range);
}

// The content, without ever holding more than a piece of it.
Uploaded Receive(Request& request, Context& context, const Target& target, const Upload& upload) {
  return context.WithDatabase([&](sql::Database& database) {
    const auto expected = static_cast<std::int64_t>(request.content_length.value_or(0));
    Incoming incoming(database, context.user(), target.vault, target.path, expected);
    std::array<char, kPieceBytes> piece{};
    try {
      while (const std::size_t got =
                 request.body == nullptr ? 0 : request.body->Read(piece.data(), piece.size()))
        incoming.Write({piece.data(), got});
    } catch (const Error& error) {
      NoteRefusal(context, upload, target.path, error);
      throw;
    }
    return SaveUpload(context, upload, incoming);
  });
}

}  // namespace

// OPTIONS -- what this server can do. Windows asks without a login, and also above the vaults.
Response Options(Request&, Context&) {
  return Response::Text(200, "")
      .With("DAV", "1, 2")
      .With("MS-Author-Via", "DAV")
      .With("Allow", "OPTIONS, GET, HEAD, PUT, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK")
      .With("Accept-Ranges", "bytes");
}

// GET, HEAD -- a file, or the names in a collection: the desktop takes a HEAD of its folder for a check, which only a 200 passes.
Response GetFile(Request& request, Context& context) {
  const Target target = TargetOf(request, context);
  if (IsReserved(target.path)) {
    const auto place = FindHistory(context, target.vault.id, target.path);
    if (!place) throw NotFound("no_such_file");
    return place->node.is_collection ? ListOf(place->members) : ContentOf(request, context, place->node);
  }
  const auto [node, members] = context.Read<NodeStore>([&](NodeStore& nodes) {
    const auto found = nodes.Walk(target.vault.id, target.path).Found();
    if (!found) throw NotFound("no_such_file");
    return std::pair(*found,
                     found->is_collection ? nodes.Children(target.vault.id, found->id) : std::vector<Node>());
  });
  return node.is_collection ? ListOf(members) : ContentOf(request, context, node);
}

// PUT -- the content of a file. Conditions and locks are compared twice: before the body, so that nothing is received in vain, and in the
// transaction that changes the file, where they count.
Response PutFile(Request& request, Context& context) {
  const Target target = ChangedTargetOf(request, context);
  if (target.has_slash || target.path.empty()) throw Error(ErrorKind::kMethodNotAllowed, "is_collection");
  // A part of a file would replace all of it (RFC 9110, 14.4).
  if (request.Header("content-range")) throw BadInput("content_range");
  const Headers headers(request);
  const auto check = [&](sql::Tx& tx, const Place& place) {
    NodeStore nodes(tx, context.user());
    LockStore locks(tx, context.user());
    headers.RequireHeld(target, place, nodes, locks);
    headers.RequireUnlocked(target, place, locks);
    if (place.Exists() && place.nodes.back().is_collection)
      throw Error(ErrorKind::kMethodNotAllowed, "is_collection");
    if (place.Parent() == nullptr) throw Conflict("no_parent");
  };
  context.Read<NodeStore, Transaction>([&](NodeStore& nodes, Transaction& transaction) {
    check(transaction.tx, nodes.Walk(target.vault.id, target.path));
  });
  const Uploaded done = Receive(request, context, target,
                                {.vault = target.vault.id,
                                 .source = Source::kWebdav,
                                 .device = context.device(),
                                 .check = check,
                                 .is_conditional = headers.AreAboutContent()});
  return Response::Empty(done.is_new_name ? 201 : 204).With("ETag", ETagOf(done.file).Print());
}

}  // namespace syncline::vault
