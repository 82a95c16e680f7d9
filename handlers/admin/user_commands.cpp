// syncline-admin user ...: accounts.
#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>

#include "handlers/account/login/account_store.h"
#include "handlers/account/login/email_wire.h"
#include "handlers/account/login/name_wire.h"
#include "handlers/account/login/password.h"
#include "handlers/account/login/registration_flow.h"
#include "handlers/admin/commands.h"
#include "handlers/admin/password_input.h"
#include "handlers/base/errors.h"

namespace syncline::admin {
namespace {

using account::Account;
using account::AccountStore;
using account::AccountSummary;

constexpr std::int64_t kMib = 1 << 20;
constexpr std::int64_t kMaxUses = 10'000;
constexpr std::int64_t kMaxDays = 365;
constexpr std::int64_t kMaxQuotaMib = std::int64_t{1} << 40;

struct Choice {
  std::string name;
  std::string password_file;
  bool is_admin = false;
  bool keep_devices = false;
  bool is_confirmed = false;
  std::optional<std::int64_t> quota_mib;
  std::string new_quota;
  std::int64_t uses = 1;
  std::int64_t days = 7;
};

std::string HashOf(const std::string& password) {
  return account::HashPassword(account::HashSlot(std::chrono::seconds(10)), password);
}

std::optional<std::int64_t> Bytes(std::optional<std::int64_t> mib) {
  if (!mib) return std::nullopt;
  return *mib * kMib;
}

int Add(Tool& tool, const Choice& choice) {
  const auto name = account::NewName(choice.name);
  if (!name) {
    throw Refusal(
        "a name has 1 to 254 characters, no ':', no control or invisible characters and no space at its "
        "ends");
  }
  Context& context = tool.context();
  // Before the password is asked for.
  if (context.Read<AccountStore>([&](AccountStore& accounts) { return accounts.Find(*name).has_value(); })) {
    throw Refusal("there is a user " + *name + " already");
  }
  const std::string hash = HashOf(ReadNewPassword(choice.password_file, *name));
  try {
    context.Write<AccountStore>([&](AccountStore& accounts) {
      return accounts.Add({.name = *name,
                           .email = account::EmailOfName(*name),
                           .password_hash = hash,
                           .is_admin = choice.is_admin,
                           .quota_bytes = Bytes(choice.quota_mib)});
    });
  } catch (const Error& e) {
    if (e.code() == "name_taken" || e.code() == "email_taken")
      throw Refusal("there is a user " + *name + " already");
    throw;
  }
  std::printf("added %s\n", name->c_str());
  return 0;
}

int List(Tool& tool, const Choice&) {
  std::vector<std::vector<std::string>> rows;
  tool.context().Read<AccountStore>([&](AccountStore& accounts) {
    rows.clear();
    accounts.List([&](const AccountSummary& summary) {
      const Account& account = summary.account;
      rows.push_back({account.name, account.is_admin ? "admin" : "user",
                      account.is_disabled ? "disabled" : "enabled", std::to_string(summary.devices),
                      SizeText(summary.used_bytes),
                      account.quota_bytes ? SizeText(*account.quota_bytes) : "unlimited",
                      TimeText(summary.last_seen_at)});
    });
  });
  if (rows.empty()) {
    std::puts("there are no users: syncline-admin user add NAME");
  } else {
    PrintTable({"NAME", "ROLE", "STATE", "DEVICES", "USED", "QUOTA", "LAST SEEN"}, rows);
  }
  return 0;
}

int Password(Tool& tool, const Choice& choice) {
  const Account account = tool.Find(choice.name);
  const std::string hash = HashOf(ReadNewPassword(choice.password_file, account.name));
  // In one transaction: otherwise a device with the old password could log in between the two.
  const auto revoked = tool.context().Write<AccountStore>([&](AccountStore& accounts) {
    accounts.SetPassword(account.id, hash);
    return choice.keep_devices ? 0 : accounts.Devices(account.id).RevokeAll();
  });
  std::printf("changed the password of %s; %s must log in again\n", account.name.c_str(),
              CountText(revoked, "device", "devices").c_str());
  return 0;
}

int SetDisabled(Tool& tool, const Choice& choice, bool is_disabled) {
  const Account account = tool.Find(choice.name);
  tool.context().Write<AccountStore>(
      [&](AccountStore& accounts) { accounts.SetDisabled(account.id, is_disabled); });
  std::printf("%s %s\n", is_disabled ? "disabled" : "enabled", account.name.c_str());
  return 0;
}

int Disable(Tool& tool, const Choice& choice) {
  return SetDisabled(tool, choice, true);
}

int Enable(Tool& tool, const Choice& choice) {
  return SetDisabled(tool, choice, false);
}

int Quota(Tool& tool, const Choice& choice) {
  std::optional<std::int64_t> mib;
  if (choice.new_quota != "unlimited") {
    std::int64_t number = -1;
    const char* end = choice.new_quota.data() + choice.new_quota.size();
    const auto parsed = std::from_chars(choice.new_quota.data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end || number < 0 || number > kMaxQuotaMib) {
      throw UsageError("a quota is a number of MiB, or 'unlimited', not " + choice.new_quota);
    }
    mib = number;
  }
  const Account account = tool.Find(choice.name);
  tool.context().Write<AccountStore>(
      [&](AccountStore& accounts) { accounts.SetQuota(account.id, Bytes(mib)); });
  std::printf("quota of %s: %s\n", account.name.c_str(), mib ? SizeText(*mib * kMib).c_str() : "unlimited");
  return 0;
}

int Invite(Tool& tool, const Choice& choice) {
  const std::string code =
      account::MakeInvitation(tool.context(), choice.uses, std::chrono::hours(24) * choice.days);
  std::printf("%s\n", code.c_str());
  return 0;
}

int Remove(Tool& tool, const Choice& choice) {
  const Account account = tool.Find(choice.name);
  if (!choice.is_confirmed &&
      !Confirm("This deletes everything of " + account.name + ". Type the name to go on: ", account.name)) {
    throw Refusal("nothing was removed");
  }
  const std::int64_t removed = account::RemoveAccount(tool.context(), account.id, [] {});
  std::printf("removed %s and %s\n", account.name.c_str(), CountText(removed, "row", "rows").c_str());
  return 0;
}

}  // namespace

void AddUserCommands(CLI::App& app, Tool& tool) {
  CLI::App* group = app.add_subcommand("user", "Accounts");
  group->require_subcommand(1);
  const auto choice = std::make_shared<Choice>();
  const auto add = [&](const char* name, const char* help, int (*run)(Tool&, const Choice&), bool has_name) {
    CLI::App* command = group->add_subcommand(name, help);
    if (has_name)
      command->add_option("NAME", choice->name, "Name of the account; case does not matter")->required();
    command->callback(
        [&tool, choice, run] { tool.command = [&tool, choice, run] { return run(tool, *choice); }; });
    return command;
  };
  const auto add_password_file = [&](CLI::App* command) {
    command->add_option("--password-file", choice->password_file,
                        "File with the password, - for standard input; default: ask on the terminal");
  };
  CLI::App* command = add("add", "Add an account", Add, true);
  command->add_flag("--admin", choice->is_admin, "Make the account an administrator");
  command->add_option("--quota-mib", choice->quota_mib, "Quota in MiB (default: unlimited)")
      ->check(CLI::Range(std::int64_t{0}, kMaxQuotaMib));
  add_password_file(command);
  add("list", "Show the accounts", List, false);
  command = add("password", "Set a new password; the account's devices have to log in again", Password, true);
  command->add_flag("--keep-devices", choice->keep_devices, "Devices stay logged in");
  add_password_file(command);
  add("disable", "Refuse an account and its devices until it is enabled", Disable, true);
  add("enable", "Enable a disabled account", Enable, true);
  add("quota", "Set the quota of an account", Quota, true)
      ->add_option("MIB", choice->new_quota, "A number of MiB, or 'unlimited'")
      ->required();
  command = add("invite", "Print an invitation code for registration", Invite, false);
  command->add_option("--uses", choice->uses, "Number of accounts that it admits (default: 1)")
      ->check(CLI::Range(std::int64_t{1}, kMaxUses));
  command->add_option("--days", choice->days, "Days for which it is valid (default: 7)")
      ->check(CLI::Range(std::int64_t{1}, kMaxDays));
  add("remove", "Delete an account and everything it holds", Remove, true)
      ->add_flag("--yes", choice->is_confirmed, "Do not ask for confirmation");
}

}  // namespace syncline::admin
