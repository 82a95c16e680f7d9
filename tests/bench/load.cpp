// bench-load: the load generator. It speaks Anki's sync protocol v11 like a client, with any server.
//
//   bench-load pack FILE                    makes FILE.zst, the body that uploads FILE; no server needed
//   bench-load login URL                    hostKey for each "NAME PASSWORD" on stdin; prints "NAME KEY"
//   bench-load upload URL FILE.zst          one full upload per account, one after the other
//   bench-load download URL                 one full download per account, one after the other
//   bench-load sync URL PROFILE CARDS TIMES all accounts at once, each TIMES syncs of CARDS changed cards
//   bench-load meta URL COUNT               COUNT paced meta calls of the first account
//   bench-load meta URL COUNT FILE.zst      the same, but until the second account has uploaded FILE
//
// Accounts are "NAME KEY" lines on standard input, as login prints them. PROFILE is the file that
// make_collections.py wrote next to the uploaded one. Each command prints one JSON line, times in
// milliseconds.
//
// Everything possible is prepared before the clock starts; every answer is checked, and the first wrong one
// ends the program with status 1. Left out on purpose: what a client does locally, deletions, notes, media,
// retries. A changed card has more repetitions, without a row in the review log, so that counts stay the same
// and a run can be repeated.
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/connection.h"

namespace syncline::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::size_t kRowsPerMessage = 250;  // the client's own limit of an applyChunk
constexpr auto kMetaPace = std::chrono::milliseconds(10);
constexpr const char* kClientVersion = "26.09.3,bench,linux";

struct Account {
  std::string name, secret;  // the password before login, then the key
};

std::vector<Account> ReadAccounts() {
  std::vector<Account> accounts;
  for (Account account; std::cin >> account.name >> account.secret;) accounts.push_back(account);
  if (accounts.empty()) throw std::runtime_error("no accounts on standard input");
  return accounts;
}

rapidjson::Document Parse(const std::string& json) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  if (document.HasParseError()) {
    throw std::runtime_error(std::string("not JSON: ") + GetParseError_En(document.GetParseError()));
  }
  return document;
}

void Expect(bool holds, const char* what, const std::string& got) {
  if (!holds) throw std::runtime_error(std::string("expected ") + what + ", got " + got.substr(0, 500));
}

std::string RandomSessionKey() {
  constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  static std::mt19937 random{std::random_device{}()};
  std::string key;
  for (int i = 0; i < 6; ++i) key += kDigits[random() % kDigits.size()];
  return key;
}

std::string SyncHeader(const std::string& key, const std::string& session) {
  return R"({"v":11,"k":")" + key + R"(","c":")" + kClientVersion + R"(","s":")" + session + R"("})";
}

/// The latencies of one run, and its result line.
class Result {
 public:
  void Add(Clock::duration latency) { latencies_.push_back(Milliseconds(latency).count()); }
  void Add(const Result& other) {
    latencies_.insert(latencies_.end(), other.latencies_.begin(), other.latencies_.end());
  }
  void Print(Clock::duration whole) {
    std::sort(latencies_.begin(), latencies_.end());
    const double seconds = std::chrono::duration<double>(whole).count();
    const auto count = latencies_.size();
    std::printf(R"({"count":%zu,"seconds":%.3f,"per_second":%.2f,"p50_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f})"
                "\n",
                count, seconds, static_cast<double>(count) / seconds, At(0.5), At(0.99), latencies_.back());
  }

 private:
  double At(double share) const {
    return latencies_[std::min(latencies_.size() - 1, static_cast<std::size_t>(share * latencies_.size()))];
  }
  std::vector<double> latencies_;
};

/// One device of an account, with its own connection and session key.
class Device {
 public:
  Device(std::string_view url, const Account& account) : connection_(url), account_(account) {}

  std::string Request(std::string_view method, std::string_view json) const {
    std::string request = RequestHead(connection_, method, SyncHeader(account_.secret, session_));
    AppendChunks(Pack(json), request);
    return request += kLastChunk;
  }
  std::string Call(const std::string& request) {
    const Answer answer = connection_.Exchange(request);
    if (answer.status != 200) {
      throw std::runtime_error(account_.name + ": status " + std::to_string(answer.status) + " to " +
                               request.substr(0, request.find("\r\n")) + ": " +
                               answer.payload.substr(0, 500));
    }
    return answer.payload;
  }
  rapidjson::Document Meta(const std::string& request) { return Parse(Call(request)); }

  /// Sends a compressed file from disk, so that its size costs no memory here.
  void Upload(const std::string& packed) {
    std::ifstream file(packed, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + packed);
    connection_.Send(RequestHead(connection_, "upload", SyncHeader(account_.secret, session_)));
    std::string piece(256 * 1024, '\0'), framed;
    while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
      framed.clear();
      AppendChunks(std::string_view(piece).substr(0, static_cast<std::size_t>(file.gcount())), framed);
      connection_.Send(framed);
    }
    connection_.Send(kLastChunk);
    std::string verdict;
    const int status = connection_.Receive([&verdict](std::string_view bytes) { verdict += bytes; });
    Expect(status == 200 && verdict == "OK", "OK to an upload", std::to_string(status) + " " + verdict);
  }
  /// Returns the size of the file; Receive has compared it with the announced size.
  std::uint64_t Download() {
    connection_.Send(Request("download", R"({"_pad":null})"));
    std::uint64_t size = 0;
    std::string begin;
    const int status = connection_.Receive([&](std::string_view bytes) {
      if (begin.size() < 16) begin += bytes.substr(0, 16);
      size += bytes.size();
    });
    Expect(status == 200 && begin.starts_with("SQLite format 3"), "an SQLite file",
           std::to_string(status) + " " + begin.substr(0, 16));
    return size;
  }

  void NewSession() { session_ = RandomSessionKey(); }
  const Account& Owner() const { return account_; }

 private:
  Connection connection_;
  Account account_;
  std::string session_ = RandomSessionKey();
};

std::string MetaMessage() {
  return R"({"v":11,"cv":"anki,26.09.3 (bench),lin:debian:12"})";
}

std::string LogIn(std::string_view url, const Account& account) {
  Device device(url, {account.name, ""});
  rapidjson::StringBuffer json;
  rapidjson::Writer writer(json);
  writer.StartObject();
  writer.Key("u");
  writer.String(account.name.c_str());
  writer.Key("p");
  writer.String(account.secret.c_str());
  writer.EndObject();
  const std::string answer = device.Call(device.Request("hostKey", json.GetString()));
  const auto reply = Parse(answer);
  Expect(reply.IsObject() && reply.HasMember("key"), "a key", answer);
  return reply["key"].GetString();
}

// --- normal syncs

/// The data that a client with the uploaded file sends in a sync; from make_collections.py.
class Profile {
 public:
  explicit Profile(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) throw std::runtime_error("cannot read " + path);
    document_ = Parse(text.str());
  }
  std::int64_t Scm() const { return document_["scm"].GetInt64(); }
  std::size_t Cards() const { return document_["cards"].Size(); }

  /// The newer side sends its whole config; only cards have changed.
  std::string Changes() const {
    return R"({"changes":{"models":[],"decks":[[],[]],"tags":[],"conf":)" + Text(document_["conf"]) +
           R"(,"crt":)" + Text(document_["crt"]) + "}}";
  }
  std::string SanityCheck() const { return R"({"client":)" + Text(document_["counts"]) + "}"; }

  /// The changed cards from `first` up to `last`, as sent by the `repetition`th sync of this run.
  std::string Chunk(std::size_t first, std::size_t last, bool done, int usn, int repetition) const {
    rapidjson::StringBuffer json;
    rapidjson::Writer writer(json);
    writer.StartObject();
    writer.Key("chunk");
    writer.StartObject();
    writer.Key("done");
    writer.Bool(done);
    writer.Key("cards");
    writer.StartArray();
    for (auto i = first; i < last; ++i)
      WriteCard(document_["cards"][static_cast<unsigned>(i)], usn, repetition, writer);
    writer.EndArray();
    writer.EndObject();
    writer.EndObject();
    return json.GetString();
  }

 private:
  static std::string Text(const rapidjson::Value& value) {
    rapidjson::StringBuffer json;
    rapidjson::Writer writer(json);
    value.Accept(writer);
    return json.GetString();
  }
  void WriteCard(const rapidjson::Value& card, int usn, int repetition, auto& writer) const {
    constexpr unsigned kMod = 4, kUsn = 5, kReps = 11;
    writer.StartArray();
    for (unsigned column = 0; column < card.Size(); ++column) {
      switch (column) {
        case kMod:
          writer.Int64(now_ + repetition);
          break;
        case kUsn:
          writer.Int(usn);
          break;
        case kReps:
          writer.Int64(card[column].GetInt64() + 1 + repetition);
          break;
        default:
          card[column].Accept(writer);
      }
    }
    writer.EndArray();
  }

  rapidjson::Document document_;
  const std::int64_t now_ = std::time(nullptr);
};

/// All requests of one normal sync, prepared before the clock starts. Their usns are known because every sync
/// raises the server's usn by exactly one and nobody else syncs these accounts; each answer of meta confirms
/// that.
struct PlannedSync {
  int usn;
  std::string meta, start, apply_changes, chunk, sanity_check, finish;
  std::vector<std::string> apply_chunk;
};

PlannedSync Plan(Device& device, const Profile& profile, std::size_t cards, int usn, int repetition) {
  device.NewSession();
  PlannedSync sync{
      .usn = usn,
      .meta = device.Request("meta", MetaMessage()),
      .start =
          device.Request("start", R"({"minUsn":)" + std::to_string(usn) + R"(,"lnewer":true,"graves":null})"),
      .apply_changes = device.Request("applyChanges", profile.Changes()),
      .chunk = device.Request("chunk", R"({"_pad":null})"),
      .sanity_check = device.Request("sanityCheck2", profile.SanityCheck()),
      .finish = device.Request("finish", R"({"_pad":null})"),
      .apply_chunk = {},
  };
  for (std::size_t first = 0; first < cards; first += kRowsPerMessage) {
    const auto last = std::min(first + kRowsPerMessage, cards);
    // Like the client, which knows that there are no more rows only when a message stays short: a full last
    // message is followed by an empty one.
    const bool done = last - first < kRowsPerMessage;
    sync.apply_chunk.push_back(
        device.Request("applyChunk", profile.Chunk(first, last, done, usn, repetition)));
  }
  if (cards % kRowsPerMessage == 0) {
    sync.apply_chunk.push_back(device.Request("applyChunk", profile.Chunk(0, 0, true, usn, repetition)));
  }
  return sync;
}

/// Returns the collection's new mod.
std::int64_t Run(Device& device, const PlannedSync& sync, const Profile& profile, std::int64_t mod) {
  std::string answer = device.Call(sync.meta);
  const auto meta = Parse(answer);
  // Compared as numbers: in C++20, RapidJSON 1.1's operator== for a value and a number recurses endlessly.
  Expect(meta["usn"].GetInt() == sync.usn && meta["scm"].GetInt64() == profile.Scm() &&
             meta["mod"].GetInt64() == mod && meta["cont"].GetBool(),
         "a meta as the last sync left it", answer);
  answer = device.Call(sync.start);
  const auto graves = Parse(answer);
  for (const char* kind : {"cards", "notes", "decks"}) Expect(graves[kind].Empty(), "no graves", answer);
  answer = device.Call(sync.apply_changes);
  const auto changes = Parse(answer);
  Expect(changes["models"].Empty() && changes["decks"][0].Empty() && changes["tags"].Empty(), "no changes",
         answer);
  answer = device.Call(sync.chunk);
  const auto chunk = Parse(answer);
  Expect(chunk["done"].GetBool() && !chunk.HasMember("cards"), "nothing to fetch", answer);
  for (const auto& message : sync.apply_chunk) device.Call(message);
  answer = device.Call(sync.sanity_check);
  Expect(std::string_view(Parse(answer)["status"].GetString()) == "ok", "a sanity check that agrees", answer);
  answer = device.Call(sync.finish);
  const auto new_mod = Parse(answer);
  Expect(new_mod.IsInt64() && new_mod.GetInt64() > mod, "a newer mod", answer);
  return new_mod.GetInt64();
}

struct User {
  Device device;
  std::int64_t mod;
  std::vector<PlannedSync> syncs;
  Result result;
};

void Sync(std::string_view url, const std::string& profile_path, std::size_t cards, int times) {
  const Profile profile(profile_path);
  if (cards == 0 || cards > profile.Cards()) throw std::runtime_error("the profile has too few cards");
  std::vector<User> users;
  for (const auto& account : ReadAccounts()) {
    User user{Device(url, account), 0, {}, {}};
    const auto meta = user.device.Meta(user.device.Request("meta", MetaMessage()));
    user.mod = meta["mod"].GetInt64();
    for (int i = 0; i < times; ++i) {
      user.syncs.push_back(Plan(user.device, profile, cards, meta["usn"].GetInt() + i, i));
    }
    users.push_back(std::move(user));
  }

  std::barrier all_ready(static_cast<std::ptrdiff_t>(users.size() + 1));
  std::vector<std::jthread> threads;
  for (auto& user : users) {
    threads.emplace_back([&user, &all_ready, &profile] {
      all_ready.arrive_and_wait();
      try {
        for (const auto& sync : user.syncs) {
          const auto begin = Clock::now();
          user.mod = Run(user.device, sync, profile, user.mod);
          user.result.Add(Clock::now() - begin);
        }
      } catch (const std::exception& error) {
        std::fprintf(stderr, "bench-load: %s: %s\n", user.device.Owner().name.c_str(), error.what());
        std::_Exit(1);
      }
    });
  }
  all_ready.arrive_and_wait();
  const auto begin = Clock::now();
  threads.clear();  // joins
  const auto whole = Clock::now() - begin;
  Result result;
  for (const auto& user : users) result.Add(user.result);
  result.Print(whole);
}

// --- other commands

template <typename Work>
void OneAfterTheOther(std::string_view url, Work work) {
  Result result;
  const auto accounts = ReadAccounts();
  const auto first = Clock::now();
  for (const auto& account : accounts) {
    Device device(url, account);
    const auto begin = Clock::now();
    work(device);
    result.Add(Clock::now() - begin);
  }
  result.Print(Clock::now() - first);
}

/// Calls are due at fixed times, and a latency counts from the due time: a server that stalls for a second
/// delays a hundred calls, not one.
void Meta(std::string_view url, std::size_t count, const std::string& packed) {
  const auto accounts = ReadAccounts();
  std::atomic<bool> uploading = !packed.empty();
  std::jthread uploader;
  if (uploading) {
    if (accounts.size() < 2) throw std::runtime_error("two accounts are needed");
    uploader = std::jthread([&] {
      try {
        Device(url, accounts[1]).Upload(packed);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "bench-load: the upload during meta: %s\n", error.what());
        std::_Exit(1);
      }
      uploading = false;
    });
  }
  Device device(url, accounts[0]);
  const std::string request = device.Request("meta", MetaMessage());
  Result result;
  const auto first = Clock::now();
  for (std::size_t i = 0; uploading || (packed.empty() && i < count); ++i) {
    const auto due = first + i * kMetaPace;
    std::this_thread::sleep_until(due);
    Expect(device.Meta(request).HasMember("usn"), "a meta", "something else");
    result.Add(Clock::now() - due);
  }
  result.Print(Clock::now() - first);
}

int Main(const std::vector<std::string>& args) {
  const std::string command = args.empty() ? "" : args[0];
  const auto is = [&](const char* name, std::size_t least) {
    return command == name && args.size() >= least;
  };
  if (is("pack", 2)) {
    PackFile(args[1], args[1] + ".zst");
  } else if (is("login", 2)) {
    for (const auto& account : ReadAccounts()) {
      std::printf("%s %s\n", account.name.c_str(), LogIn(args[1], account).c_str());
    }
  } else if (is("upload", 3)) {
    OneAfterTheOther(args[1], [&args](Device& device) { device.Upload(args[2]); });
  } else if (is("download", 2)) {
    OneAfterTheOther(args[1], [](Device& device) { device.Download(); });
  } else if (is("sync", 5)) {
    Sync(args[1], args[2], std::stoul(args[3]), std::stoi(args[4]));
  } else if (is("meta", 3)) {
    Meta(args[1], std::stoul(args[2]), args.size() > 3 ? args[3] : "");
  } else {
    std::fputs("usage: bench-load pack|login|upload|download|sync|meta ...; see the head of load.cpp\n",
               stderr);
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace syncline::bench

int main(int argc, char** argv) {
  try {
    return syncline::bench::Main({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench-load: %s\n", error.what());
    return 1;
  }
}
