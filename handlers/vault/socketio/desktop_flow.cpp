#include "handlers/vault/socketio/desktop_flow.h"

#include <sodium.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>

#include "handlers/account/login/key_wire.h"
#include "handlers/account/login/login_flow.h"
#include "handlers/base/base64.h"
#include "handlers/base/errors.h"
#include "handlers/base/json.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/log.h"
#include "handlers/base/rate_limit.h"
#include "handlers/base/sha256.h"
#include "handlers/base/timestamp.h"
#include "handlers/vault/settings.h"
#include "handlers/vault/socketio/desktop_upload_flow.h"
#include "handlers/vault/socketio/packet_wire.h"
#include "handlers/vault/socketio/presence_store.h"
#include "handlers/vault/versions/event_store.h"

namespace syncline::vault {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Fields = std::map<std::string, std::string>;

constexpr std::string_view kNamespace = "/cordiax-sync";
constexpr std::string_view kUploadEvent = "sync_data", kUploadKey = "data", kMetaEvent = "sync_meta";
constexpr int kListedVersions = 50;
// The desktop ignores what comes in the first second after it has joined.
constexpr milliseconds kFirstRequest{1'500}, kFirstSpread{400};
// A busy machine may take longer. So one that does not answer the first request is soon asked again.
constexpr milliseconds kSecondRequest{8'000};
constexpr int kScreenClosedMisses = 3;
constexpr std::size_t kMaxNamespaces = 4;
// Names of fields: who it is, requests without an answer, each joined namespace, and a binary event that still lacks attachments.
constexpr const char *kUser = "user", *kDevice = "device", *kMisses = "misses", *kAsked = "asked";
constexpr std::string_view kJoined = "ns:";
constexpr const char *kLeft = "p_left", *kNext = "p_next", *kData = "p_data", *kBase = "p_base",
                     *kPlace = "p_ns", *kAck = "p_ack", *kResult = "p_result";

std::int64_t NumberIn(const Fields& fields, const std::string& name, std::int64_t otherwise = 0) {
  const auto found = fields.find(name);
  return found == fields.end() ? otherwise : WholeNumber(found->second).value_or(otherwise);
}

std::string NumberText(std::int64_t number) {
  return std::to_string(number);
}

Fields MapOf(const SessionFields& fields) {
  return {fields.begin(), fields.end()};
}

std::optional<Identity> IdentityIn(const Fields& fields) {
  const std::int64_t device = NumberIn(fields, kDevice);
  if (device == 0) return std::nullopt;
  return Identity{.user = UserId{NumberIn(fields, kUser)}, .device = DeviceId{device}};
}

SessionFields FieldsOf(const Identity& identity) {
  return {{kUser, NumberText(static_cast<std::int64_t>(identity.user))},
          {kDevice, NumberText(static_cast<std::int64_t>(identity.device))}};
}

milliseconds Spread(milliseconds most) {
  std::random_device random;
  return milliseconds(std::uniform_int_distribution<std::int64_t>(0, most.count())(random));
}

// The key in a request: the desktop has no field for one, but its address may have a query or user info.
std::string KeyIn(const Request& request) {
  if (auto token = request.Query("token")) return *std::move(token);
  constexpr std::string_view kBasic = "Basic ";
  const auto header = request.Header("authorization");
  if (!header || !header->starts_with(kBasic)) return "";
  const auto decoded = FromBase64(header->substr(kBasic.size()), sodium_base64_VARIANT_ORIGINAL);
  const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) throw Unauthenticated("bad_credentials");
  return decoded->substr(colon + 1);
}

// Kept with the session instead of the key, and compared with that of later requests.
std::string MarkOf(const std::string& key, Context& context) {
  if (key.empty()) return "";
  return ToBase64(context.secret().Sign("vault.session", key), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

std::string Credential(const Request& request, Context& context) {
  return MarkOf(KeyIn(request), context);
}

Identity DeviceWithKey(Context& context, const std::string& key) {
  const Identity identity = account::AuthenticateKey(context, key, kDeviceKeyKind);
  context.SetIdentity(identity);
  return identity;
}

Admittance Admit(Request& request, Context& context) {
  const std::string key = KeyIn(request);
  RequireRate(context.redis(),
              "vault:handshakes:" + NetworkOf(request.remote_address) + ":" + MarkOf(key, context),
              {.count = static_cast<int>(context.config().Of<Settings>().handshakes_per_minute), .per = 1min},
              WithoutRedis::kRefuse);
  if (key.empty()) return {};
  return {.credential = MarkOf(key, context), .fields = FieldsOf(DeviceWithKey(context, key))};
}

// The key in the name of a namespace, "" if there is none; none: it is no namespace of ours.
std::optional<std::string> KeyInNamespace(std::string_view name) {
  if (name == kNamespace) return "";
  if (!name.starts_with(kNamespace) || name[kNamespace.size()] != '/') return std::nullopt;
  name.remove_prefix(kNamespace.size() + 1);
  if (name.ends_with('/')) name.remove_suffix(1);
  if (name.find('/') != std::string_view::npos) return std::nullopt;
  return std::string(name);
}

std::string TokenIn(const std::string& json) {
  if (json.empty()) return "";
  std::string token;
  const JsonSpans spans{std::string_view(json)};
  spans.EachIn(spans.Root(), [&](const JsonSpans::Value& member) {
    if (spans.Key(member) == "token") token = spans.Text(member);
  });
  return token;
}

std::string Refusal(std::string_view message) {
  return JsonWriter().Object().Add("message", message).Finish();
}

/// A binary event whose attachments are to come.
struct Pending {
  int left = 0, next = 0;
  int data = -1;  ///< the attachment that is an upload; -1: none
  std::optional<std::int64_t> base_version{};
  std::string name_space{}, ack{}, result{};
};

Pending PendingIn(const Fields& fields) {
  const auto text = [&](const char* name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  };
  Pending pending{.left = static_cast<int>(NumberIn(fields, kLeft)),
                  .next = static_cast<int>(NumberIn(fields, kNext)),
                  .data = static_cast<int>(NumberIn(fields, kData, -1)),
                  .name_space = text(kPlace),
                  .ack = text(kAck),
                  .result = text(kResult)};
  if (const std::int64_t base = NumberIn(fields, kBase, -1); base >= 0) pending.base_version = base;
  return pending;
}

SessionFields FieldsOf(const Pending& pending) {
  if (pending.left == 0)
    return {{kLeft, ""}, {kNext, ""}, {kData, ""}, {kBase, ""}, {kPlace, ""}, {kAck, ""}, {kResult, ""}};
  return {{kLeft, NumberText(pending.left)},
          {kNext, NumberText(pending.next)},
          {kData, NumberText(pending.data)},
          {kBase, pending.base_version ? NumberText(*pending.base_version) : ""},
          {kPlace, pending.name_space},
          {kAck, pending.ack},
          {kResult, pending.result}};
}

// The version that a better client has seen, of the first argument.
std::optional<std::int64_t> BaseVersionIn(std::string_view argument) {
  const auto number = FindMember(argument, "base_version");
  return number ? WholeNumber(*number) : std::nullopt;
}

class Receiver : public MessageReceiver {
 public:
  Receiver(Context& context, const std::string& sid, const SessionFields& fields)
      : context_(context),
        sessions_(context.redis()),
        sid_(sid),
        fields_(MapOf(fields)),
        pending_(PendingIn(fields_)) {
    if (const auto identity = IdentityIn(fields_)) context.SetIdentity(*identity);
    was_pending_ = pending_.left > 0;
    cut_ = {.event = kUploadEvent,
            .key = kUploadKey,
            .begin = [this](const PacketHead& head) { BeginHex(head); },
            .piece = [this](std::string_view digits) { PushHex(digits); },
            .end = [this] { EndHex(); }};
  }

  void Begin(bool is_binary) override {
    if (is_binary != (pending_.left > 0)) throw BadInput("bad_packet", "an attachment out of place");
    if (!is_binary) {
      reader_.emplace(cut_);
    } else if (pending_.next == pending_.data && IsJoined(pending_.name_space)) {
      BeginUpload();
    }
  }
  void Piece(std::string_view bytes) override {
    if (reader_) return reader_->Push(bytes);
    if (upload_) upload_->Write(bytes);
  }
  void End() override {
    if (!reader_) return EndAttachment();
    reader_->Finish();
    const PacketReader packet = *std::move(reader_);
    reader_.reset();
    EndPacket(packet.head(), packet.json());
  }
  void Finish() override {
    if (was_pending_ || pending_.left > 0) sessions_.SetFields(sid_, FieldsOf(pending_));
  }

 private:
  bool IsJoined(const std::string& name_space) const {
    return fields_.contains(std::string(kJoined) + name_space);
  }
  void Set(const SessionFields& fields) {
    for (const auto& [name, value] : fields) {
      if (value.empty()) {
        fields_.erase(name);
      } else {
        fields_[name] = value;
      }
    }
    sessions_.SetFields(sid_, fields);
  }
  void Push(SocketPacketType type, std::string_view name_space, std::string_view ack, std::string_view json) {
    sessions_.Push(sid_, {WritePacket(type, name_space, ack, json)});
  }

  void BeginUpload() {
    // It answers, whatever becomes of it.
    Set({{kMisses, ""}});
    upload_.emplace(context_, context_.device());
  }
  void BeginHex(const PacketHead& head) {
    if (IsJoined(head.name_space)) BeginUpload();
    hex_ = {};
  }
  void PushHex(std::string_view digits) {
    if (!upload_) return;
    if (hex_.Push(digits, bytes_)) {
      upload_->Write(bytes_);
    } else {
      upload_->Refuse("The upload is not made of hexadecimal digits.");
    }
  }
  void EndHex() {
    if (upload_ && hex_.IsHalf()) upload_->Refuse("The upload has an odd number of hexadecimal digits.");
  }

  void EndPacket(const PacketHead& head, const std::string& json) {
    switch (head.type) {
      case SocketPacketType::kConnect:
        return Connect(head.name_space, json);
      case SocketPacketType::kDisconnect:
        return Disconnect(head.name_space);
      case SocketPacketType::kEvent:
        return OnEvent(head, json);
      case SocketPacketType::kBinaryEvent:
        return OnBinaryEvent(head, json);
      case SocketPacketType::kBinaryAck:
        // Nothing is asked that would be acknowledged.
        pending_ = {.left = head.attachments, .name_space = head.name_space};
        return;
      case SocketPacketType::kAck:
      case SocketPacketType::kConnectError:
        return;
    }
  }

  // The device that asks to join, if it may.
  std::optional<Identity> DeviceOf(const std::string& key) {
    const auto own = IdentityIn(fields_);
    if (key.empty()) return own;
    try {
      const Identity identity = DeviceWithKey(context_, key);
      return !own || (own->user == identity.user && own->device == identity.device) ? std::optional(identity)
                                                                                    : std::nullopt;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUnauthenticated) throw;
      return std::nullopt;
    }
  }
  void Connect(const std::string& name_space, const std::string& json) {
    const auto key = KeyInNamespace(name_space);
    if (!key) return Push(SocketPacketType::kConnectError, name_space, "", Refusal("Invalid namespace"));
    if (IsJoined(name_space)) return;
    const auto joined = static_cast<std::size_t>(std::count_if(
        fields_.begin(), fields_.end(), [](const auto& field) { return field.first.starts_with(kJoined); }));
    const auto identity =
        joined < kMaxNamespaces ? DeviceOf(key->empty() ? TokenIn(json) : *key) : std::nullopt;
    if (!identity) return Push(SocketPacketType::kConnectError, name_space, "", Refusal("Forbidden"));
    context_.SetIdentity(*identity);
    if (!VaultOfDevice(context_, identity->device))
      return Push(SocketPacketType::kConnectError, name_space, "", Refusal("Forbidden"));
    SessionFields fields = FieldsOf(*identity);
    const std::string socket = NewSocketId();
    fields.emplace_back(std::string(kJoined) + name_space, socket);
    fields.emplace_back(kMisses, "");
    fields.emplace_back(kAsked, "");
    Set(fields);
    PresenceStore presence(context_.redis(), identity->user, identity->device);
    const auto most = static_cast<int>(context_.config().Of<Settings>().sessions_per_device);
    for (const std::string& surplus : presence.Join(sid_, most))
      sessions_.Abort(surplus, Ending::kUnavailable);
    // Before the answer, which a waiting poll may deliver at once.
    sessions_.SetAlarm(sid_, kFirstRequest + Spread(kFirstSpread), SessionStore::From::kDelivery);
    Push(SocketPacketType::kConnect, name_space, "", JsonWriter().Object().Add("sid", socket).Finish());
  }
  void Disconnect(const std::string& name_space) {
    if (!IsJoined(name_space)) return;
    Set({{std::string(kJoined) + name_space, ""}});
    if (std::none_of(fields_.begin(), fields_.end(),
                     [](const auto& field) { return field.first.starts_with(kJoined); })) {
      PresenceStore(context_.redis(), context_.user(), context_.device()).Leave(sid_);
      sessions_.SetAlarm(sid_, SessionRules{}.connect_time, SessionStore::From::kNow);
    }
  }

  void OnEvent(const PacketHead& head, const std::string& json) {
    if (!IsTaken(head)) return;
    const std::string name = EventName(json);
    if (name == kMetaEvent) return AnswerMeta(head);
    if (name != kUploadEvent) return;
    const std::string argument(FirstArgument(json).value_or("null"));
    std::string result;
    if (upload_) {
      result = upload_->Finish(BaseVersionIn(argument));
      upload_.reset();
    } else {
      Set({{kMisses, ""}});
      result = RefusedUpload("The upload has no text \"data\".");
    }
    AnswerUpload(head.name_space, head.ack, result);
  }
  void OnBinaryEvent(const PacketHead& head, const std::string& json) {
    pending_ = {.left = head.attachments, .name_space = head.name_space, .ack = head.ack};
    if (IsTaken(head) && EventName(json) == kUploadEvent) {
      const std::string argument(FirstArgument(json).value_or("null"));
      pending_.data = AttachmentIn(argument, kUploadKey).value_or(-1);
      pending_.base_version = BaseVersionIn(argument);
      if (pending_.data < 0) pending_.result = RefusedUpload("The upload has no attachment \"data\".");
    }
    if (pending_.left == 0 && !pending_.result.empty())
      AnswerUpload(head.name_space, head.ack, pending_.result);
  }
  void EndAttachment() {
    if (upload_) {
      pending_.result = upload_->Finish(pending_.base_version);
      upload_.reset();
    }
    ++pending_.next;
    if (--pending_.left == 0 && !pending_.result.empty())
      AnswerUpload(pending_.name_space, pending_.ack, pending_.result);
  }
  // An event of a namespace that was not joined is left alone: other servers end the session, which some clients send one to
  // after a reconnection.
  bool IsTaken(const PacketHead& head) const {
    if (IsJoined(head.name_space)) return true;
    LogLine(LogLevel::kInfo)
        .Add("event", "socket_event_dropped")
        .Add("why", "its namespace was not joined")
        .Write();
    return false;
  }
  void AnswerUpload(const std::string& name_space, const std::string& ack, const std::string& result) {
    std::vector<std::string> packets = {
        WritePacket(SocketPacketType::kEvent, name_space, "", R"(["sync_complete",)" + result + "]")};
    if (!ack.empty())
      packets.push_back(WritePacket(SocketPacketType::kAck, name_space, ack, "[" + result + "]"));
    sessions_.Push(sid_, packets);
  }

  // The latest versions of the vault, for better clients than the desktop.
  void AnswerMeta(const PacketHead& head) {
    const auto vault = VaultOfDevice(context_, context_.device());
    JsonWriter json;
    json.Object().Array("versions");
    if (vault) {
      for (const Version& version : context_.ReadOnce<VersionStore>([&](VersionStore& versions) {
             return versions.Page(vault->id, VersionId{std::numeric_limits<std::int64_t>::max()},
                                  /*plaintext_only=*/false, kListedVersions);
           })) {
        json.Object()
            .Add("version", static_cast<std::int64_t>(version.id))
            .Add("size", version.blob.size_bytes)
            .Add("sha256", HexText(version.blob.sha256))
            .Add("state", NameOf(version.state))
            .Add("saved_at", PrintTimestamp(version.created_at))
            .End();
      }
    }
    const std::string text = json.Finish();
    if (head.ack.empty())
      return Push(SocketPacketType::kEvent, head.name_space, "", R"(["sync_meta",)" + text + "]");
    Push(SocketPacketType::kAck, head.name_space, head.ack, "[" + text + "]");
  }

  static std::string NewSocketId() {
    StartSodium();
    std::string bytes(15, '\0');
    randombytes_buf(bytes.data(), bytes.size());
    return ToBase64(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  }

  Context& context_;
  SessionStore sessions_;
  const std::string sid_;
  Fields fields_;
  Pending pending_;
  bool was_pending_ = false;
  CutText cut_;
  std::optional<PacketReader> reader_;
  std::optional<DesktopUpload> upload_;
  HexReader hex_;
  std::string bytes_;
};

std::unique_ptr<MessageReceiver> Receive(Context& context, const std::string& sid,
                                         const SessionFields& fields) {
  return std::make_unique<Receiver>(context, sid, fields);
}

void OnOversized(Context& context, const SessionFields& fields) {
  if (const auto identity = IdentityIn(MapOf(fields)))
    PresenceStore(context.redis(), identity->user, identity->device).Pause();
}

std::int64_t MissesOf(SessionStore& sessions, const std::string& sid) {
  return NumberIn(MapOf(sessions.Fields(sid)), kMisses);
}

// Whether a newer session of the device should be asked instead: one that has answered what it was asked so far.
bool IsNewerAsked(SessionStore& sessions, PresenceStore& presence, const std::string& sid) {
  for (const std::string& other : presence.Sessions()) {
    if (other == sid) return false;
    if (sessions.IsLive(other) && MissesOf(sessions, other) == 0) return true;
  }
  return false;
}

void OnAlarm(Context& context, const std::string& sid) {
  SessionStore sessions(context.redis());
  const Fields fields = MapOf(sessions.Fields(sid));
  const auto joined = fields.lower_bound(std::string(kJoined));
  const auto identity = IdentityIn(fields);
  if (joined == fields.end() || !joined->first.starts_with(kJoined) || !identity)
    return sessions.Abort(sid, Ending::kBadRequest);
  context.SetIdentity(*identity);
  const auto vault = VaultOfDevice(context, identity->device);
  // Not an error, after which the device would come back.
  if (!vault) return sessions.Close(sid, "1");
  account::TouchDevice(context, identity->user, identity->device);
  const milliseconds interval{std::int64_t{1000} * vault->request_interval_s};
  sessions.SetAlarm(sid, interval - interval / 20 + Spread(interval / 10), SessionStore::From::kNow);
  const std::int64_t asked = NumberIn(fields, kAsked), misses = NumberIn(fields, kMisses);
  if (asked == 0) sessions.SetAlarm(sid, kSecondRequest, SessionStore::From::kNow);
  sessions.SetFields(sid, {{kAsked, NumberText(asked + 1)}});
  if (asked == 1 && misses == 0) return;
  PresenceStore presence(context.redis(), identity->user, identity->device);
  if (presence.IsPaused() || IsNewerAsked(sessions, presence, sid)) return;
  sessions.SetFields(sid, {{kMisses, NumberText(misses + 1)}});
  sessions.Push(sid, {WritePacket(SocketPacketType::kEvent, joined->first.substr(kJoined.size()), "",
                                  R"(["sync_request",{}])")});
}

}  // namespace

const MessageLayer kDesktopLayer{
    .admit = Admit, .credential = Credential, .receive = Receive, .oversized = OnOversized, .alarm = OnAlarm};

SessionRules RulesOf(const Context& context) {
  const Settings& settings = context.config().Of<Settings>();
  return {.ping_interval = milliseconds(settings.ping_interval_ms),
          .ping_timeout = milliseconds(settings.ping_timeout_ms),
          .max_sessions = settings.max_sessions};
}

NewVaultDevice AddVaultDevice(Context& context, VaultId vault, std::string_view name) {
  account::NewKey key = account::MakeKey(context.user());
  const DeviceId id =
      context.Write<VaultStore, VaultDeviceStore>([&](VaultStore& vaults, VaultDeviceStore& devices) {
        return devices.Add(vaults.Lock(vault).id, name, key.hash);
      });
  return {id, std::move(key.text)};
}

bool RemoveVaultDevice(Context& context, VaultId vault, DeviceId device) {
  if (!context.Write<VaultDeviceStore>(
          [&](VaultDeviceStore& devices) { return devices.Remove(vault, device); }))
    return false;
  // Without Redis they end at their next request for the database.
  try {
    SessionStore sessions(context.redis());
    for (const std::string& sid : PresenceStore(context.redis(), context.user(), device).Sessions())
      sessions.Close(sid, "1");
  } catch (const Error& error) {
    if (error.code() != "redis_unavailable") throw;
  }
  return true;
}

bool AskVaultDevice(Context& context, DeviceId device) {
  SessionStore sessions(context.redis());
  PresenceStore presence(context.redis(), context.user(), device);
  presence.EndPause();
  for (const std::string& sid : presence.Sessions()) {
    if (!sessions.IsLive(sid)) continue;
    sessions.SetFields(sid, {{kAsked, "2"}});
    sessions.SetAlarm(sid, 0ms, SessionStore::From::kNow);
    return true;
  }
  return false;
}

std::string NamespaceOf(std::string_view key) {
  return std::string(kNamespace).append("/").append(key).append("/");
}

void SweepDesktops(Context& context, const std::function<void()>& between) {
  SessionStore sessions(context.redis());
  while (const auto ended = sessions.TakeEnded()) {
    between();
    const auto identity = IdentityIn(MapOf(ended->fields));
    if (!identity) continue;
    PresenceStore(context.redis(), identity->user, identity->device).Leave(ended->sid);
    if (!ended->was_silent) continue;
    context.SetIdentity(*identity);
    context.Write<VaultDeviceStore, EventStore>([&](VaultDeviceStore& devices, EventStore& events) {
      if (const auto place = devices.PlaceOf(identity->device)) {
        events.Add(place->vault,
                   {.kind = "device_silent", .device = identity->device, .source = Source::kSocketio});
      }
    });
  }
}

const char* NameOf(Presence presence) {
  switch (presence) {
    case Presence::kAway:
      return "away";
    case Presence::kConnected:
      return "connected";
    case Presence::kScreenClosed:
      return "screen_closed";
    case Presence::kUnknown:
      break;
  }
  return "unknown";
}

Presence PresenceOf(Context& context, DeviceId device) {
  try {
    SessionStore sessions(context.redis());
    Presence found = Presence::kAway;
    for (const std::string& sid : PresenceStore(context.redis(), context.user(), device).Sessions()) {
      if (!sessions.IsLive(sid)) continue;
      if (MissesOf(sessions, sid) < kScreenClosedMisses) return Presence::kConnected;
      found = Presence::kScreenClosed;
    }
    return found;
  } catch (const Error& error) {
    if (error.code() != "redis_unavailable") throw;
    return Presence::kUnknown;
  }
}

}  // namespace syncline::vault
