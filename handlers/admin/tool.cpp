#include <algorithm>
#include <cstdio>

#include "handlers/account/login/name_wire.h"
#include "handlers/admin/commands.h"
#include "sql/migrate.h"

namespace syncline::admin {
namespace {

std::size_t Characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

}  // namespace

Context& Tool::context() {
  if (context_ == nullptr) {
    if (const auto problem = sql::SchemaProblem(settings())) throw Refusal(*problem);
    // Suppresses log lines between the answers, unless the setting is 0: then the user wants to see all
    // statements.
    if (config.slow_statement_ms > 0) config.slow_statement_ms = config.statement_timeout_ms + 1;
    database_ = std::make_unique<sql::Database>(settings());
    redis_ = std::make_unique<Redis>(config.redis_url);
    context_ = std::make_unique<Context>(config, *database_, *redis_, "admin");
  }
  context_->SetIdentity({});
  return *context_;
}

Context& Tool::ContextOf(UserId user) {
  context().SetIdentity({user, DeviceId{}});
  return *context_;
}

account::Account Tool::Find(const std::string& name) {
  const auto normal = account::NormalName(name);
  std::optional<account::Account> found;
  if (normal) {
    found = context().Read<account::AccountStore>(
        [&](account::AccountStore& accounts) { return accounts.Find(*normal); });
  }
  if (!found) throw Refusal("there is no user " + account::ShortText(name, 200));
  return *found;
}

void PrintTable(const std::vector<std::string>& headings, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const std::string& heading : headings) widths.push_back(Characters(heading));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Characters(row[i]));
  }
  const auto print = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] + 2 - Characters(row[i]), ' ');
    }
    std::puts(line.c_str());
  };
  print(headings);
  for (const auto& row : rows) print(row);
}

}  // namespace syncline::admin
