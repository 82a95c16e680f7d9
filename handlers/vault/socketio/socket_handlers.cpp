#include "handlers/vault/socketio/socket_handlers.h"

#include "handlers/vault/engineio/polling_flow.h"
#include "handlers/vault/socketio/desktop_flow.h"

namespace syncline::vault {

Response GetSocket(Request& request, Context& context) {
  return Poll(request, context, RulesOf(context), kDesktopLayer);
}

Response PostSocket(Request& request, Context& context) {
  return ReceivePackets(request, context, RulesOf(context), kDesktopLayer);
}

Response PutSocket(Request& request, Context&) {
  RefuseMethod(request);
}

}  // namespace syncline::vault
