// bench-hello: what nginx with a FastCGI program reaches that only checks the login of the anime service and says hello.
// The bar of a read over REST is half of that.
//
//   bench-hello SOCKET SLOTS      settings as for syncline-fcgi; until it is killed
#include <fcgiapp.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "handlers/account/tokens/token_flow.h"
#include "handlers/base/context.h"
#include "handlers/base/daemon.h"
#include "handlers/services.h"
#include "sql/database.h"

namespace {

using namespace syncline;

void Answer(FCGX_Request& fcgi, const Config& config, sql::Database& database, Redis& redis) {
  constexpr std::string_view kScheme = "Bearer ";
  const char* header = FCGX_GetParam("HTTP_AUTHORIZATION", fcgi.envp);
  const std::string login = header != nullptr ? header : "";
  try {
    if (!login.starts_with(kScheme)) throw Unauthenticated("login_required");
    Context context(config, database, redis, "hello");
    account::AuthenticateBearer(std::string_view(login).substr(kScheme.size()), Request{}, context);
    FCGX_PutS("Content-Type: application/json\r\n\r\n{\"hello\":\"world\"}", fcgi.out);
  } catch (const std::exception& error) {
    FCGX_PutS("Status: 401 Unauthorized\r\nContent-Type: text/plain\r\n\r\n", fcgi.out);
    FCGX_PutS(error.what(), fcgi.out);
  }
}

void Serve(int socket, const Config& config) {
  sql::Database database(config.DatabaseSettings("bench-hello"));
  Redis redis(config.redis_url);
  FCGX_Request fcgi;
  FCGX_InitRequest(&fcgi, socket, 0);
  while (FCGX_Accept_r(&fcgi) == 0) {
    Answer(fcgi, config, database, redis);
    FCGX_Finish_r(&fcgi);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Daemon daemon("bench-hello");
  Config config;
  std::string path;
  int slots = 8;
  CLI::App app("FastCGI program that checks a login and says hello.");
  app.add_option("socket", path)->required();
  app.add_option("slots", slots)->required();
  if (const auto exit_code = daemon.Configure(app, config, AllSettings(), argc, argv)) return *exit_code;
  FCGX_Init();
  const int socket = FCGX_OpenSocket(path.c_str(), 1024);
  chmod(path.c_str(), 0666);
  std::vector<std::thread> threads;
  for (int i = 0; i < slots; ++i) threads.emplace_back([&] { Serve(socket, config); });
  daemon.WaitForLeave();
  std::_Exit(0);
}
