#include "handlers/vault/webdav/tree_handlers.h"

#include "handlers/base/errors.h"
#include "handlers/vault/webdav/access_flow.h"
#include "handlers/vault/webdav/change_flow.h"

namespace syncline::vault {
namespace {

Response RunTransferOf(const Request& request, Context& context, bool is_move) {
  const Target from = ChangedTargetOf(request, context);
  const Target to = DestinationOf(request, from.vault);
  const Depth depth = DepthOf(request, Depth::kInfinity);
  if (depth == Depth::kOne || (is_move && depth != Depth::kInfinity)) throw BadInput("bad_depth");
  const bool overwrites = OverwriteOf(request);
  const Headers headers(request);
  const bool is_new = RunTransfer(context, headers,
                                  {.from = from,
                                   .to = to,
                                   .is_move = is_move,
                                   .overwrites = overwrites,
                                   .is_shallow = depth == Depth::kZero});
  return Response::Empty(is_new ? 201 : 204);
}

}  // namespace

// MKCOL -- a collection. A body might ask for something that we do not know, so it is refused.
Response Mkcol(Request& request, Context& context) {
  const Target target = ChangedTargetOf(request, context);
  char byte = 0;
  if (request.body != nullptr && request.body->Read(&byte, 1) > 0)
    throw Error(ErrorKind::kUnsupportedMedia, "body_not_supported");
  const Headers headers(request);
  context.Write<VaultStore, NodeStore, LockStore>(
      [&](VaultStore& vaults, NodeStore& nodes, LockStore& locks) {
        vaults.Lock(target.vault.id);
        const Place place = nodes.Walk(target.vault.id, target.path);
        headers.RequireHeld(target, place, nodes, locks);
        if (place.Exists()) throw Error(ErrorKind::kMethodNotAllowed, "exists");
        const Node* const parent = place.Parent();
        if (parent == nullptr) throw Conflict("no_parent");
        headers.RequireUnlocked(target, place, locks);
        nodes.Add(target.vault.id, parent->id, target.path.back(), /*is_collection=*/true);
      });
  return Response::Empty(201);
}

// DELETE -- a file, or a collection with all that is in it. Versions are kept.
Response DeleteFile(Request& request, Context& context) {
  const Target target = ChangedTargetOf(request, context);
  RunDelete(context, Headers(request), target);
  return Response::Empty();
}

// COPY -- with properties, without locks and history.
Response CopyFile(Request& request, Context& context) {
  return RunTransferOf(request, context, /*is_move=*/false);
}

// MOVE -- with properties and history, without locks.
Response MoveFile(Request& request, Context& context) {
  return RunTransferOf(request, context, /*is_move=*/true);
}

}  // namespace syncline::vault
