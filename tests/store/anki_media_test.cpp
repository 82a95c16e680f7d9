// Media of accounts in a real PostgreSQL: what batches change, who may read, the quota, the history and its expiry, two devices
// at once, and what the nightly check finds. Batches run as a request would run them.
#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <future>
#include <string>
#include <vector>

#include "handlers/anki/collection/collection_store.h"
#include "handlers/anki/jobs.h"
#include "handlers/anki/media/media_check_flow.h"
#include "handlers/anki/media/media_flow.h"
#include "handlers/anki/media/media_store.h"
#include "handlers/base/blobs.h"
#include "handlers/base/errors.h"
#include "sql/database.h"
#include "tests/support/inputs.h"
#include "tests/support/jobs.h"
#include "tests/support/media_zip.h"
#include "tests/support/test_database.h"

using namespace syncline;
using namespace syncline::anki;
using namespace std::chrono_literals;
using tests::PieceBody;
using tests::RunOn;
using tests::SentFiles;
using tests::StringSink;
using tests::TestDatabase;
using tests::Unstoppable;
using tests::UploadZip;

namespace {

constexpr std::size_t kMib = 1 << 20;

// A device of an account, with connections of its own.
struct Device {
  Device(UserId user, DeviceId id) {
    config.temp_dir = "/tmp";
    context.SetIdentity({user, id});
  }
  TakenMedia Upload(const SentFiles& sent) { return UploadBytes(UploadZip(sent)); }
  TakenMedia UploadBytes(const std::string& zip) {
    PieceBody body(zip, 10'000);
    return TakeMedia(context, body, zip.size());
  }
  std::string UploadError(const SentFiles& sent) {
    return tests::CodeOf([&] { Upload(sent); });
  }
  // Names and contents of the zip that these names are answered with.
  std::vector<std::pair<std::string, std::string>> Download(const std::vector<std::string>& names) {
    const MediaDownload download(context, names);
    StringSink sink;
    download.Write(sink);
    BOOST_TEST(sink.text.size() == download.bytes());
    const ZipReader zip(sink.text);
    std::vector<std::pair<std::string, std::string>> files;
    const std::string list = zip.ReadAll(zip.Find("_meta"), kMib);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (list.find("\"" + std::to_string(i) + "\":") == list.npos) break;
      files.emplace_back(names[i], zip.ReadAll(zip.Find(std::to_string(i)), 200 * kMib));
    }
    return files;
  }
  // "a@1 b@2 c@3-": names, usns, and a minus for deleted ones.
  std::string Since(MediaUsn usn, int limit = 1000) {
    std::string text;
    for (const ListedMedia& item :
         context.ReadOnce<MediaStore>([&](MediaStore& media) { return media.ChangesSince(usn, limit); })) {
      BOOST_TEST((item.sha1.empty() || item.sha1.size() == 20u));
      text += (text.empty() ? "" : " ") + item.name + "@" + std::to_string(item.usn) +
              (item.sha1.empty() ? "-" : "");
    }
    return text;
  }
  MediaHead Head() {
    return context.ReadOnce<MediaStore>([](MediaStore& media) { return media.Head(); });
  }

  Config config = TestDatabase::Instance().config();
  sql::Database database{TestDatabase::Instance().settings()};
  Redis redis{config.redis_url};
  Context context{config, database, redis, "test"};
};

struct Fixture {
  Fixture() { test.Empty("users, blobs, anki_media_files, anki_media_history"); }

  UserId NewUser(const std::string& name) {
    const UserId user = test.AddUser(name);
    return user;
  }
  std::string Value(const std::string& query) { return test.Value(query); }
  std::string Count(const std::string& table) { return test.Value("SELECT count(*) FROM " + table); }
  std::vector<std::string> Findings(Device& device) {
    Unstoppable control;
    return CheckMedia(device.context, control);
  }
  void SweepHistory(Device& device) { tests::RunJob(Jobs(), "anki.sweep_history", device.context); }
  std::int64_t SweepBlobs(Device& device) { return syncline::SweepBlobs(device.database, 24h, 1000); }
  void MakeHistoryOld(const std::string& days) {
    test.Run("UPDATE anki_media_history SET replaced_at = replaced_at - interval '" + days +
             " days'; "
             "UPDATE anki_media SET history_since = history_since - interval '" +
             days + " days'");
  }

  TestDatabase& test = TestDatabase::Instance();
};

std::string Random(std::size_t size, unsigned seed) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
  return bytes;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(anki_media, Fixture)

BOOST_AUTO_TEST_CASE(files_get_a_usn_each_and_come_back_byte_for_byte) {
  const UserId ann = NewUser("ann");
  Device one(ann, DeviceId{1}), two(ann, DeviceId{2});
  BOOST_TEST(one.Since(0) == "");
  BOOST_TEST(one.Head().last_usn == 0);
  const std::string exact = Random(kBlobChunkBytes, 1);
  const TakenMedia taken =
      one.Upload({{"a", "aa"}, {"\u6f22.png", exact}, {"gone", std::nullopt}, {"b", "aa"}});
  BOOST_TEST(taken.processed == 4u);
  BOOST_TEST(taken.usn == 3);
  BOOST_TEST(two.Since(0) == "a@1 \u6f22.png@2 b@3");
  BOOST_TEST(two.Since(1) == "\u6f22.png@2 b@3");
  BOOST_TEST(two.Since(0, 2) == "a@1 \u6f22.png@2");
  BOOST_TEST(two.Since(3) == "");
  const auto files = two.Download({"b", "\u6f22.png", "a"});
  BOOST_REQUIRE(files.size() == 3u);
  BOOST_TEST(files[0].second == "aa");
  BOOST_TEST((files[1].second == exact));
  BOOST_TEST(two.Head().files == 3);
  // Equal bytes are one blob and count once.
  BOOST_TEST(Count("blobs") == "2");
  BOOST_TEST(Value("SELECT bytes FROM usage WHERE service = 'anki_media'") ==
             std::to_string(2 + kBlobChunkBytes));
  BOOST_TEST(Findings(one).empty());
}

BOOST_AUTO_TEST_CASE(only_what_differs_is_a_change) {
  Device one(NewUser("ann"), DeviceId{1});
  one.Upload({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  BOOST_TEST(one.Upload({{"a", "1"}, {"b", "22"}, {"c", std::nullopt}, {"never", std::nullopt}}).usn == 5);
  BOOST_TEST(one.Since(0) == "a@1 b@4 c@5-");
  // The same once more, because the answer got lost.
  BOOST_TEST(one.Upload({{"a", "1"}, {"b", "22"}, {"c", std::nullopt}, {"never", std::nullopt}}).usn == 5);
  BOOST_TEST(one.Since(0) == "a@1 b@4 c@5-");
  BOOST_TEST(one.Head().files == 2);
  // Back over a deleted one.
  BOOST_TEST(one.Upload({{"c", "new"}}).usn == 6);
  BOOST_TEST(one.Since(5) == "c@6");
  BOOST_TEST(one.Download({"c"})[0].second == "new");
  BOOST_TEST(Findings(one).empty());
}

BOOST_AUTO_TEST_CASE(a_usn_from_another_server_gets_everything) {
  Device one(NewUser("ann"), DeviceId{1});
  one.Upload({{"a", "1"}, {"b", "2"}});
  BOOST_TEST(one.Since(3) == "a@1 b@2");
  BOOST_TEST(one.Since(500) == "a@1 b@2");
  BOOST_TEST(one.Since(-5) == "a@1 b@2");
  Device other(NewUser("bob"), DeviceId{2});
  BOOST_TEST(other.Since(500) == "");
}

BOOST_AUTO_TEST_CASE(meta_has_the_media_usn_with_and_without_a_collection) {
  Device one(NewUser("ann"), DeviceId{1});
  const auto usn = [&] {
    return one.context.ReadOnce<CollectionStore>(
        [](CollectionStore& store) { return store.FindTimes().media_usn; });
  };
  BOOST_TEST(usn() == 0);
  one.Upload({{"a", "1"}, {"b", "2"}});
  BOOST_TEST(usn() == 2);
}

BOOST_AUTO_TEST_CASE(nobody_gets_the_files_of_another_account) {
  Device ann(NewUser("ann"), DeviceId{1}), bob(NewUser("bob"), DeviceId{2});
  ann.Upload({{"secret", "ann's"}});
  BOOST_TEST(bob.Since(0) == "");
  BOOST_TEST(tests::CodeOf([&] { bob.Download({"secret"}); }) == "no_such_media");
  bob.Upload({{"secret", "bob's"}});
  BOOST_TEST(ann.Download({"secret"})[0].second == "ann's");
  BOOST_TEST(bob.Download({"secret"})[0].second == "bob's");
}

BOOST_AUTO_TEST_CASE(equal_files_of_two_accounts_are_one_blob_and_cost_the_second_as_much) {
  Device ann(NewUser("ann"), DeviceId{1}), bob(NewUser("bob"), DeviceId{2});
  const std::string small = Random(10'000, 1), large = Random(3 * kMib, 2);
  const SentFiles files{{"small", small}, {"large", large}};
  const auto statements = [&](Device& device, const SentFiles& sent) {
    const int before = device.context.statements();
    device.Upload(sent);
    return device.context.statements() - before;
  };
  // Warm, so that nothing is prepared for the first time.
  ann.Upload({{"x", "11"}, {"y", Random(2 * kMib, 4)}});
  bob.Upload({{"x", "xx"}, {"y", Random(2 * kMib, 5)}});
  const int first = statements(ann, files);
  const auto chunks = [&] { return std::stoll(Count("blob_chunks")); };
  const auto before = chunks();
  const int second = statements(bob, files);
  // As much was written: the copies are doomed, and the next sweep takes them.
  BOOST_TEST(chunks() - before == 4);
  // One statement more, which marks the large copy as one to be removed, against one that finishes it.
  BOOST_TEST(std::abs(second - first) <= 1);
  BOOST_TEST(Value("SELECT count(DISTINCT blob_id) FROM anki_media_files WHERE name IN ('small', 'large')") ==
             "2");
  BOOST_TEST(Value("SELECT min(bytes) = max(bytes) FROM usage") == "t");
  BOOST_TEST(SweepBlobs(ann) == 2);
  BOOST_TEST(chunks() == before);
  BOOST_TEST((bob.Download({"large", "small"})[0].second == large));
  BOOST_TEST((ann.Download({"small"})[0].second == small));
  // Small files that do not fit into memory with the others are stored ahead, with the same care.
  SentFiles many;
  for (unsigned i = 0; i < 6; ++i) many.emplace_back("many" + std::to_string(i), Random(900'000, 10 + i));
  ann.Upload(many);
  const auto with_anns = chunks();
  bob.Upload(many);
  BOOST_TEST(chunks() - with_anns == 6);
  BOOST_TEST(SweepBlobs(ann) == 6);
  BOOST_TEST((bob.Download({"many5"})[0].second == many[5].second));
  // What one has oneself is no secret, and is not written again.
  const auto own = chunks();
  ann.Upload({{"again", small}, {"once more", large}});
  BOOST_TEST(chunks() == own);
  BOOST_TEST(Findings(ann).empty());
  BOOST_TEST(Findings(bob).empty());
}

BOOST_AUTO_TEST_CASE(a_batch_is_refused_as_a_whole) {
  Device one(NewUser("ann"), DeviceId{1});
  one.Upload({{"kept", "1"}});
  const std::string decomposed = "e\u0301.jpg";
  for (const auto& [sent, code] : std::vector<std::pair<SentFiles, std::string>>{
           {{{"ok", "1"}, {"a/b", "2"}}, "bad_media_name"},
           {{{"ok", "1"}, {decomposed, "2"}}, "bad_media_name"},
           {{{"ok", "1"}, {decomposed, std::nullopt}}, "bad_media_name"},
           {{{"ok", "1"}, {"", "2"}}, "bad_media_name"},
           {{{"ok", "1"}, {std::string(256, 'x'), "2"}}, "bad_media_name"},
           {{{"ok", "1"}, {"empty", ""}}, "bad_media_file"},
           {SentFiles(101, {"same", "1"}), "too_many_files"}}) {
    BOOST_TEST(one.UploadError(sent) == code);
  }
  std::string zip = UploadZip({{"ok", "content"}});
  zip[zip.find("content")] = 'C';
  BOOST_TEST(tests::CodeOf([&] { one.UploadBytes(zip); }) == "bad_zip");
  BOOST_TEST(tests::CodeOf([&] { one.UploadBytes(tests::ZipOf({{"0", "no list"}})); }) == "bad_zip");
  BOOST_TEST(tests::CodeOf([&] {
               one.UploadBytes(tests::ZipOf({{"_meta", R"([["a","0"]])"}}));
             }) == "bad_zip");
  BOOST_TEST(tests::CodeOf([&] {
               one.UploadBytes(tests::ZipOf({{"_meta", std::string(51'201, ' ') + "[]"}}));
             }) == "bad_zip");
  BOOST_TEST(tests::CodeOf([&] { one.UploadBytes("MZ"); }) == "bad_zip");
  BOOST_TEST(one.Since(0) == "kept@1");
  BOOST_TEST(Count("blobs") == "1");
  // A hundred are taken.
  SentFiles many;
  for (int i = 0; i < 100; ++i) many.emplace_back("file" + std::to_string(i), std::to_string(i));
  BOOST_TEST(one.Upload(many).usn == 101);
  BOOST_TEST(one.Head().files == 101);
}

BOOST_AUTO_TEST_CASE(large_files_and_small_ones_travel_in_one_batch) {
  Device one(NewUser("ann"), DeviceId{1});
  const std::string large = Random(5 * kMib + 17, 1), middle = Random(kMib + 1, 2);
  BOOST_TEST(one.Upload({{"small", "1"}, {"large", large}, {"middle", middle}, {"gone", std::nullopt}}).usn ==
             3);
  const auto files = one.Download({"small", "large", "middle"});
  // Up to the one that passes 2.5 MiB.
  BOOST_REQUIRE(files.size() == 2u);
  BOOST_TEST((files[1].second == large));
  BOOST_TEST((one.Download({"middle", "small"})[0].second == middle));
  // Again, unchanged: nothing of it stays.
  const std::string blobs = Count("blobs");
  BOOST_TEST(one.Upload({{"large", large}, {"middle", middle}}).usn == 3);
  BOOST_TEST(Count("blobs") == blobs);
  BOOST_TEST(Count("blob_reservations") == "0");
  BOOST_TEST(Findings(one).empty());
}

BOOST_AUTO_TEST_CASE(equal_files_of_a_batch_are_stored_once_and_leave_no_copy_to_the_sweep) {
  Device one(NewUser("ann"), DeviceId{1});
  const std::string large = Random(2 * kMib + 5, 1);
  SentFiles sent;
  for (int i = 0; i < 10; ++i) sent.emplace_back("large" + std::to_string(i), large);
  // Fills the room for small files; the last one comes again when there is none left for it.
  for (int i = 0; i < 4; ++i)
    sent.emplace_back("small" + std::to_string(i), Random(900'000, 2 + static_cast<unsigned>(i)));
  sent.emplace_back("again", sent.back().second);
  BOOST_TEST(one.Upload(sent).usn == 15);
  BOOST_TEST(Count("blobs") == "5");
  BOOST_TEST(Value("SELECT sum(size_bytes) FROM blobs") == std::to_string(2 * kMib + 5 + 4 * 900'000));
  BOOST_TEST((one.Download({"large9"})[0].second == large));
  BOOST_TEST((one.Download({"again"})[0].second == sent.back().second));
  BOOST_TEST(Findings(one).empty());
  // An account with a quota needs room for one of them.
  const UserId bob = NewUser("bob");
  Device two(bob, DeviceId{2});
  SentFiles other;
  for (int i = 0; i < 10; ++i) other.emplace_back("f" + std::to_string(i), Random(3 * kMib, 9));
  test.Run("UPDATE users SET quota_bytes = " + std::to_string(3 * kMib + 10 * MediaRowBytes("f0")) +
           " WHERE user_id = " + std::to_string(static_cast<std::int64_t>(bob)));
  BOOST_TEST(two.Upload(other).usn == 10);
  BOOST_TEST(Findings(two).empty());
}

BOOST_AUTO_TEST_CASE(a_download_is_a_prefix_of_what_was_asked_for) {
  Device one(NewUser("ann"), DeviceId{1});
  std::vector<std::string> names;
  for (int i = 0; i < 6; ++i) {
    names.push_back("f" + std::to_string(i));
    one.Upload({{names.back(), Random(800'000, static_cast<unsigned>(i))}});
  }
  BOOST_TEST(one.Download(names).size() == 4u);
  BOOST_TEST(one.Download({}).empty());
  BOOST_TEST(one.Download({"f1", "f1"}).size() == 2u);
  one.Upload({{"f2", std::nullopt}});
  BOOST_TEST(tests::CodeOf([&] { one.Download({"f1", "f2"}); }) == "no_such_media");
  BOOST_TEST(tests::CodeOf([&] { one.Download({"unknown"}); }) == "no_such_media");
  BOOST_TEST(one.Download({"f1", "f3"}).size() == 2u);
}

BOOST_AUTO_TEST_CASE(what_a_change_replaces_is_kept_for_the_retention_time) {
  Device one(NewUser("ann"), DeviceId{7});
  one.Upload({{"a", "old"}, {"b", "gone soon"}});
  one.Upload({{"a", "new"}, {"b", std::nullopt}, {"c", "first"}});
  const auto history = test.Run(
      "SELECT name, usn, replaced_usn, size_bytes, device_id, changed_at < replaced_at FROM "
      "anki_media_history ORDER BY 3");
  BOOST_REQUIRE(history.size() == 2u);
  BOOST_TEST((history[0] == std::vector<std::string>{"a", "1", "3", "3", "7", "t"}));
  BOOST_TEST((history[1] == std::vector<std::string>{"b", "2", "4", "9", "7", "t"}));
  // Each version was current from one time to the next.
  BOOST_TEST(Value("SELECT h.replaced_at = f.changed_at FROM anki_media_history h JOIN anki_media_files f "
                   "USING (user_id, name)"
                   " WHERE name = 'a'") == "t");
  BOOST_TEST(Findings(one).empty());
  SweepHistory(one);
  BOOST_TEST(Count("anki_media_history") == "2");
  // The bytes stay, and count.
  BOOST_TEST(Value("SELECT bytes FROM usage WHERE service = 'anki_media'") == "20");

  MakeHistoryOld("31");
  one.Upload({{"c", "second"}});  // younger history stays
  SweepHistory(one);
  BOOST_TEST(Count("anki_media_history") == "1");
  BOOST_TEST(Value("SELECT bytes FROM usage WHERE service = 'anki_media'") == "14");
  BOOST_TEST(Findings(one).empty());
  test.Run("UPDATE blobs SET touched_at = now() - interval '2 days'");
  BOOST_TEST(SweepBlobs(one) == 2);
  BOOST_TEST(one.Download({"a"})[0].second == "new");
  MakeHistoryOld("31");
  SweepHistory(one);
  BOOST_TEST(Value("SELECT history_since IS NULL FROM anki_media") == "t");
  BOOST_TEST(Findings(one).empty());
}

BOOST_AUTO_TEST_CASE(a_long_history_expires_in_steps) {
  Device one(NewUser("ann"), DeviceId{1});
  SentFiles first, second;
  for (int i = 0; i < 100; ++i) {
    first.emplace_back("f" + std::to_string(i), "1" + std::to_string(i % 7));
    second.emplace_back("f" + std::to_string(i), "2" + std::to_string(i % 7));
  }
  for (int i = 0; i < 6; ++i) {
    one.Upload(first);
    one.Upload(second);
  }
  BOOST_TEST(Count("anki_media_history") == "1100");
  BOOST_TEST(Findings(one).empty());
  MakeHistoryOld("31");
  SweepHistory(one);
  BOOST_TEST(Count("anki_media_history") == "0");
  BOOST_TEST(Findings(one).empty());
  BOOST_TEST(one.Head().files == 100);
}

BOOST_AUTO_TEST_CASE(a_client_adopts_the_usn_only_if_it_has_seen_all_changes) {
  const UserId ann = NewUser("ann");
  Device one(ann, DeviceId{1}), two(ann, DeviceId{2});
  one.Upload({{"a", "1"}});  // one has usn 1
  two.Upload({{"b", "2"}});  // which one has not seen
  // One's last usn 1 plus two files is 3, and so is ours: it would take the 3 and never ask for b.
  const TakenMedia taken = one.Upload({{"never", std::nullopt}, {"c", "3"}});
  BOOST_TEST(taken.processed == 2u);
  BOOST_TEST(taken.usn == 0);
  BOOST_TEST(one.Since(1) == "b@2 c@3");
  // The same with what it has sent itself, or sends again.
  BOOST_TEST(one.Upload({{"c", "3"}}).usn == 3);
  BOOST_TEST(one.Upload({{"b", "2"}, {"c", "3"}}).usn == 3);
  BOOST_TEST(one.Upload({{"d", "4"}, {"e", "5"}}).usn == 5);
}

BOOST_AUTO_TEST_CASE(clients_that_share_a_key_miss_no_change_of_each_other) {
  const UserId ann = NewUser("ann");
  Device one(ann, DeviceId{1}), two(ann, DeviceId{1});
  one.Upload({{"a", "1"}});  // both have seen usn 1
  two.Upload({{"a", "2"}});
  BOOST_TEST(one.Upload({{"never", std::nullopt}, {"c", "3"}}).usn == 0);
  // Two has seen everything up to 3, and one has not; its next batch would take it there.
  BOOST_TEST(two.Upload({{"d", "4"}}).usn == 4);
  BOOST_TEST(one.Upload({{"never", std::nullopt}, {"gone", std::nullopt}, {"e", "5"}}).usn == 0);
  // What it sends again is not news to it.
  BOOST_TEST(one.Upload({{"e", "5"}}).usn == 5);
}

BOOST_AUTO_TEST_CASE(two_devices_at_once_share_no_usn) {
  const UserId ann = NewUser("ann");
  Device one(ann, DeviceId{1});
  one.Upload({{"a", "1"}});
  // Another device's batch is half-way: it holds the head.
  const auto holder = test.Connect();
  RunOn(holder.get(),
        "BEGIN; UPDATE anki_media SET last_usn = 2; "
        "INSERT INTO anki_media_files SELECT user_id, 'b', 2, 0, NULL, NULL, NULL, now(), 2 FROM anki_media");
  auto waiting = std::async(std::launch::async, [&] { return one.Upload({{"b", "x"}, {"c", "3"}}); });
  tests::WaitForLockWaiters(test, 1);
  RunOn(holder.get(), "COMMIT");
  BOOST_TEST(waiting.get().usn == 4);
  BOOST_TEST(one.Since(1) == "b@3 c@4");
}

BOOST_AUTO_TEST_CASE(many_devices_at_once_leave_every_counter_right) {
  const UserId ann = NewUser("ann");
  constexpr int kDevices = 6, kBatches = 8;
  std::vector<std::future<void>> devices;
  for (int d = 1; d <= kDevices; ++d) {
    devices.push_back(std::async(std::launch::async, [&, d] {
      Device device(ann, DeviceId{d});
      for (int b = 0; b < kBatches; ++b) {
        SentFiles sent;
        for (int i = 0; i < 10; ++i) {
          const std::string name = "shared" + std::to_string((b * 7 + i * d) % 30);
          sent.emplace_back(name, (i + d) % 4 == 0
                                      ? std::nullopt
                                      : std::optional(Random(100 + static_cast<std::size_t>(i % 3),
                                                             static_cast<unsigned>(d))));
        }
        device.Upload(sent);
      }
    }));
  }
  for (auto& device : devices) device.get();
  Device one(ann, DeviceId{1});
  BOOST_TEST(Findings(one).empty());
  BOOST_TEST(Value("SELECT count(*) = count(DISTINCT usn) FROM anki_media_files") == "t");
}

BOOST_AUTO_TEST_CASE(two_accounts_that_send_the_same_new_files_at_once_get_one_blob_each) {
  // In opposite order, with the transactions overlapping: without an order of its own each would wait for the other.
  const UserId ann = NewUser("ann"), bob = NewUser("bob");
  for (int round = 0; round < 20; ++round) {
    SentFiles up, down;
    for (int i = 0; i < 40; ++i)
      up.emplace_back("f" + std::to_string(i), Random(500, static_cast<unsigned>(round * 100 + i)));
    down.assign(up.rbegin(), up.rend());
    auto other = std::async(std::launch::async, [&] { Device(bob, DeviceId{2}).Upload(down); });
    Device(ann, DeviceId{1}).Upload(up);
    other.get();
  }
  BOOST_TEST(Value("SELECT count(DISTINCT blob_id) FROM anki_media_files") == "40");
  Device one(ann, DeviceId{1}), two(bob, DeviceId{2});
  BOOST_TEST(Findings(one).empty());
  BOOST_TEST(Findings(two).empty());
}

BOOST_AUTO_TEST_CASE(an_account_over_its_quota_takes_no_more_files_but_deletes) {
  const UserId ann = NewUser("ann");
  Device one(ann, DeviceId{1});
  one.Upload({{"a", Random(5000, 1)}});
  const auto used = [&] { return std::stoll(Value("SELECT sum(bytes) FROM account_bytes")); };
  BOOST_TEST(used() == 5000 + MediaRowBytes("a"));
  test.Run("UPDATE users SET quota_bytes = " + std::to_string(used() + 1000 + MediaRowBytes("b")));
  const std::string blobs = Count("blobs");
  BOOST_TEST(one.UploadError({{"b", Random(1001, 2)}}) == "over_quota");
  BOOST_TEST(one.UploadError({{"large", Random(2 * kMib, 3)}}) == "over_quota");
  BOOST_TEST(one.Since(0) == "a@1");
  BOOST_TEST(Count("blobs") == blobs);
  one.Upload({{"b", Random(1000, 2)}});
  BOOST_TEST(one.UploadError({{"c", "1"}}) == "over_quota");
  // What is there already, and deletions, are taken.
  BOOST_TEST(one.Upload({{"b", Random(1000, 2)}}).usn == 2);
  BOOST_TEST(one.Upload({{"a", std::nullopt}}).usn == 3);
  // Also what would be stored before the transaction.
  const SentFiles large{{"huge", Random(2 * kMib, 4)}};
  test.Run("UPDATE users SET quota_bytes = NULL");
  one.Upload(large);
  test.Run("UPDATE users SET quota_bytes = 1");
  BOOST_TEST(one.Upload(large).usn == 4);
  BOOST_TEST(one.UploadError({{"huge", Random(2 * kMib, 5)}}) == "over_quota");
  BOOST_TEST(Findings(one).empty());
}

BOOST_AUTO_TEST_CASE(a_large_file_that_another_device_replaces_meanwhile_is_sent_again) {
  const UserId ann = NewUser("ann");
  Device one(ann, DeviceId{1});
  const SentFiles large{{"huge", Random(2 * kMib, 4)}};
  one.Upload(large);
  // The file is found unchanged, so it is not stored; then the batch waits for another one, which deletes it.
  const auto holder = test.Connect();
  RunOn(holder.get(), "BEGIN; UPDATE anki_media SET last_usn = 2, files = 0");
  RunOn(holder.get(),
        "UPDATE anki_media_files SET usn = 2, size_bytes = 0, crc32 = NULL, blob_id = NULL, sha1 = NULL");
  auto waiting = std::async(std::launch::async, [&] { return one.UploadError(large); });
  tests::WaitForLockWaiters(test, 1);
  RunOn(holder.get(), "COMMIT");
  BOOST_TEST(waiting.get() == "media_changed");
  BOOST_TEST(one.Upload(large).usn == 3);
  BOOST_TEST((one.Download({"huge"})[0].second == large[0].second));
}

BOOST_AUTO_TEST_CASE(fifty_parallel_writers_fill_an_account_exactly_to_its_quota) {
  const UserId ann = NewUser("ann");
  // Room for 17 of them: some in memory, some stored ahead.
  constexpr std::int64_t kEach = kMib + 100;
  const std::int64_t quota = 17 * (kEach + MediaRowBytes("f00"));
  test.Run("UPDATE users SET quota_bytes = " + std::to_string(quota));
  std::atomic<int> taken = 0, refused = 0;
  std::vector<std::future<void>> writers;
  for (int i = 0; i < 50; ++i) {
    writers.push_back(std::async(std::launch::async, [&, i] {
      Device device(ann, DeviceId{i + 1});
      const std::string name = std::string(i < 10 ? "f0" : "f") + std::to_string(i);
      // Half of them as one large file; the other half as two small ones that take as much with their rows.
      const SentFiles sent =
          i % 2 == 0
              ? SentFiles{{name, Random(kEach, static_cast<unsigned>(i))}}
              : SentFiles{{name, Random(kMib, static_cast<unsigned>(i))},
                          {name + "b", Random(static_cast<std::size_t>(100), static_cast<unsigned>(i))}};
      const std::string code = device.UploadError(sent);
      BOOST_TEST((code.empty() || code == "over_quota"));
      (code.empty() ? taken : refused) += 1;
    }));
  }
  for (auto& writer : writers) writer.get();
  const auto used = [&] { return std::stoll(Value("SELECT sum(bytes) FROM account_bytes")); };
  BOOST_TEST(used() <= quota);
  BOOST_TEST(taken >= 10);
  BOOST_TEST(taken + refused == 50);
  BOOST_TEST(Count("blob_reservations") == "0");
  // The last bytes are taken, and not one more.
  Device one(ann, DeviceId{1});
  while (quota - used() > MediaRowBytes("x1")) {
    const auto size = std::min<std::int64_t>(quota - used() - MediaRowBytes("x1"), 500'000);
    one.Upload({{"x" + std::to_string(one.Head().files % 10),
                 Random(static_cast<std::size_t>(size), static_cast<unsigned>(used()))}});
  }
  BOOST_TEST(used() == quota);
  BOOST_TEST(one.UploadError({{"y", "1"}}) == "over_quota");
  BOOST_TEST(Findings(one).empty());
  // The refused ones have left nothing behind.
  BOOST_TEST(Value("SELECT count(*) FROM blobs b WHERE NOT EXISTS (SELECT FROM blob_refs r WHERE r.blob_id = "
                   "b.blob_id)") == "0");
}

BOOST_AUTO_TEST_CASE(an_account_that_is_removed_meanwhile_is_gone) {
  const UserId ann = NewUser("ann");
  Device one(ann, DeviceId{1});
  test.Run("DELETE FROM users");
  BOOST_TEST(one.UploadError({{"a", "1"}}) == "account_gone");
  BOOST_TEST(Count("anki_media_files") == "0");
}

BOOST_AUTO_TEST_CASE(the_nightly_check_finds_every_kind_of_mismatch_and_nothing_else) {
  const UserId ann = NewUser("ann");
  Device one(ann, DeviceId{1});
  one.Upload({{"a", "1"}, {"b", "22"}, {"c", "22"}});
  one.Upload({{"a", "11"}, {"b", std::nullopt}});
  BOOST_TEST(Findings(one).empty());
  const auto finds = [&](const std::string& damage, const std::string& repair, const std::string& finding) {
    test.Run(damage);
    const auto found = Findings(one);
    test.Run(repair);
    BOOST_TEST_CONTEXT(damage) {
      BOOST_REQUIRE(found.size() == 1u);
      BOOST_TEST(found[0].find(finding) != std::string::npos);
      BOOST_TEST(Findings(one).empty());
    }
  };
  finds("UPDATE anki_media SET files = files + 1", "UPDATE anki_media SET files = files - 1",
        "files: counter says 3");
  finds("UPDATE anki_media SET bytes = bytes + 5", "UPDATE anki_media SET bytes = bytes - 5",
        "bytes: counter says");
  finds("UPDATE anki_media SET row_bytes = row_bytes + 5", "UPDATE anki_media SET row_bytes = row_bytes - 5",
        "bytes of rows");
  finds("UPDATE anki_media SET last_usn = 4", "UPDATE anki_media SET last_usn = 5", "a media file has usn 5");
  finds("UPDATE blob_refs SET holders = holders + 1 WHERE holders = 2",
        "UPDATE blob_refs SET holders = holders - 1 WHERE holders = 3", "3 references counted, 2 found");
  finds("UPDATE blobs SET size_bytes = 7 WHERE size_bytes = 1",
        "UPDATE blobs SET size_bytes = 1 WHERE size_bytes = 7", "1 files without blob");
  finds("UPDATE blob_refs SET service = 'x' WHERE size_bytes = 1",
        "UPDATE blob_refs SET service = 'anki_media'", "1 files without reference");
  // And the job logs it.
  test.Run("UPDATE anki_media SET files = 9");
  Unstoppable control;
  for (const JobKind& kind : Jobs()) {
    if (std::string_view(kind.name) == "anki.check_media")
      kind.body({JobId{1}, kind.name, {}, "{}", 1}, one.context, control);
  }
  BOOST_TEST(control.last_message == "1 media folders with findings");
}

BOOST_AUTO_TEST_SUITE_END()
