#include "sql/connect.h"

#include <libpq-fe.h>

#include <map>
#include <memory>

#include "sql/connection.h"
#include "sql/errors.h"

namespace syncline::sql {
namespace {

std::string Quoted(const std::string& value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

std::map<std::string, std::string> Parse(const std::string& url) {
  char* problem = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
      PQconninfoParse(url.c_str(), &problem), PQconninfoFree);
  if (options == nullptr) {
    const std::string text = problem != nullptr ? problem : "out of memory";
    PQfreemem(problem);
    throw Unavailable("cannot connect: " + text);
  }
  std::map<std::string, std::string> values;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) values[option->keyword] = option->val;
  }
  return values;
}

}  // namespace

std::string ConnectionString(const Settings& settings, const std::string& application_name,
                             const std::string& options) {
  std::map<std::string, std::string> values = Parse(settings.url);
  values["application_name"] = application_name;
  values["client_encoding"] = "UTF8";
  values["connect_timeout"] = std::to_string(settings.connect_timeout.count());
  if (!options.empty()) values["options"] = options;
  // The kernel's default is two hours. Keepalive probes detect a dead peer while we wait for an answer, the
  // user timeout (ms) while sent data is unacknowledged. Unix sockets ignore them. A request waits for an
  // answer only until its deadline (sql/connection.h); for sending, the user timeout is below the 25 s of quick
  // routes.
  values.emplace("keepalives_idle", "15");
  values.emplace("keepalives_interval", "5");
  values.emplace("keepalives_count", "3");
  values.emplace("tcp_user_timeout", "20000");
  std::string text;
  for (const auto& [key, value] : values) {
    if (!text.empty()) text += ' ';
    text += key + "=" + Quoted(value);
  }
  return text;
}

}  // namespace syncline::sql
