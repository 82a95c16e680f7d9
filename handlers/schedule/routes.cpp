// The routes of the schedule service and the dialect of its clients, which were written for a server on Django.
#include "handlers/schedule/routes.h"

#include <algorithm>

#include "handlers/account/login/authorization_flow.h"
#include "handlers/account/tokens/token_flow.h"
#include "handlers/base/json_body.h"
#include "handlers/schedule/catalogue_handlers.h"
#include "handlers/schedule/error_wire.h"
#include "handlers/schedule/feed_handlers.h"
#include "handlers/schedule/import_handlers.h"
#include "handlers/schedule/run_handlers.h"
#include "handlers/schedule/session_handlers.h"
#include "handlers/schedule/timetable_handlers.h"

namespace syncline::schedule {
namespace {

using namespace std::chrono_literals;

// One token. Also accepted without Redis, because updates must work while Redis is down.
Identity AuthenticateToken(std::string_view credentials, const Request& request, Context& context) {
  if (credentials.empty() || credentials.find(' ') != std::string_view::npos)
    throw Unauthenticated("bad_authorization_header");
  return account::AuthenticateBearerWithoutRedis(credentials, request, context);
}

// Basic is for scripts, with an app password.
constexpr account::LoginScheme kSchemes[] = {{"bearer", AuthenticateToken},
                                             {"basic", account::AuthenticateAppPassword}};

std::optional<Identity> Authenticate(Request& request, Context& context) {
  return account::AuthenticateByHeader(request, context, kSchemes);
}

const Dialect kDialect{.service = "schedule",
                       .authenticate = Authenticate,
                       .render_error = PrintError,
                       .ignores_slashes = true,
                       .has_secret_paths = true};
const Dialect kLoginDialect{.service = "schedule", .render_error = PrintLoginError, .ignores_slashes = true};
const Dialect kRefreshDialect{
    .service = "schedule", .render_error = PrintRefreshError, .ignores_slashes = true};

constexpr std::size_t kBody = 16 << 10;
constexpr auto kQuick = 15s;
// A whole timetable as one list.
constexpr auto kWide = 60s;
// A group's lock may be held by a run that writes it.
constexpr auto kImport = 60s;

constexpr auto kRead = sql::Access::kRead;
constexpr auto kWrite = sql::Access::kWrite;

// Above the longest wait for an update (schedule_wait_s); a script gives up after 600 s.
constexpr auto kWait = 590s;
// Above the longest stream and the wait for a slot.
constexpr auto kStream = 90s;

// A key each.
constexpr CallLimit kNewFeeds{.rate = {.count = 100, .per = 1h}, .per = CallLimit::Per::kAccount};

// Method, path, operation, auth, database access, body limit in bytes, deadline, handler, dialect. Paths end without a slash;
// the dialect takes them with one, too.
const Route kRoutes[] = {
    Route{"POST", "/api/auth/login", "schedule.login", Auth::kPublic, kWrite, kBody, kQuick, PostLogin,
          &kLoginDialect}
        .ParsingFirst(ParseBodyFirst),
    Route{"POST", "/api/auth/token/refresh", "schedule.refresh", Auth::kPublic, kWrite, kBody, kQuick,
          PostTokenRefresh, &kRefreshDialect}
        .ParsingFirst(ParseBodyFirst),
    {"GET", "/api/auth/profile", "schedule.profile", Auth::kRequired, kRead, 0, kQuick, GetProfile,
     &kDialect},
    Route{"PATCH", "/api/auth/profile", "schedule.change_profile", Auth::kRequired, kWrite, kBody, kQuick,
          PatchProfile, &kDialect}
        .ParsingFirst(ParseBodyFirst),

    {"GET", "/api/schedule", "schedule.collections", Auth::kRequired, kRead, 0, kQuick, GetCollections,
     &kDialect},
    {"GET", "/api/schedule/institutes", "schedule.institutes", Auth::kRequired, kRead, 0, kQuick,
     GetInstitutes, &kDialect},
    {"GET", "/api/schedule/institutes/{id}", "schedule.institute", Auth::kRequired, kRead, 0, kQuick,
     GetInstitute, &kDialect},
    {"GET", "/api/schedule/groups", "schedule.groups", Auth::kRequired, kRead, 0, kQuick, GetGroups,
     &kDialect},
    {"GET", "/api/schedule/groups/my_group", "schedule.my_group", Auth::kRequired, kRead, 0, kQuick,
     GetMyGroup, &kDialect},
    {"GET", "/api/schedule/groups/{id}", "schedule.group", Auth::kRequired, kRead, 0, kQuick, GetGroup,
     &kDialect},
    {"GET", "/api/schedule/teachers", "schedule.teachers", Auth::kRequired, kRead, 0, kQuick, GetTeachers,
     &kDialect},
    {"GET", "/api/schedule/teachers/{id}", "schedule.teacher", Auth::kRequired, kRead, 0, kQuick, GetTeacher,
     &kDialect},
    {"GET", "/api/schedule/subjects", "schedule.subjects", Auth::kRequired, kRead, 0, kQuick, GetSubjects,
     &kDialect},
    {"GET", "/api/schedule/subjects/{id}", "schedule.subject", Auth::kRequired, kRead, 0, kQuick, GetSubject,
     &kDialect},
    {"GET", "/api/schedule/rooms", "schedule.rooms", Auth::kRequired, kRead, 0, kQuick, GetRooms, &kDialect},
    {"GET", "/api/schedule/rooms/free", "schedule.free_rooms", Auth::kRequired, kRead, 0, kQuick,
     GetFreeRooms, &kDialect},
    {"GET", "/api/schedule/rooms/{id}", "schedule.room", Auth::kRequired, kRead, 0, kQuick, GetRoom,
     &kDialect},
    {"GET", "/api/schedule/search", "schedule.search", Auth::kRequired, kRead, 0, kQuick, GetSearch,
     &kDialect},
    {"GET", "/api/schedule/lessons", "schedule.lessons", Auth::kRequired, kRead, 0, kWide, GetLessons,
     &kDialect},
    {"GET", "/api/schedule/lessons/my_schedule", "schedule.my_lessons", Auth::kRequired, kRead, 0, kQuick,
     GetMySchedule, &kDialect},
    {"GET", "/api/schedule/lessons/weekly", "schedule.weekly", Auth::kRequired, kRead, 0, kQuick, GetWeekly,
     &kDialect},
    {"GET", "/api/schedule/lessons/{id}", "schedule.lesson", Auth::kRequired, kRead, 0, kQuick, GetLesson,
     &kDialect},
    {"GET", "/api/schedule/changes", "schedule.changes", Auth::kRequired, kRead, 0, kQuick, GetChanges,
     &kDialect},
    {"GET", "/api/schedule/freshness", "schedule.freshness", Auth::kRequired, kRead, 0, kQuick, GetFreshness,
     &kDialect},
    {"GET", "/api/schedule/week", "schedule.week", Auth::kRequired, kRead, 0, kQuick, GetWeek, &kDialect},

    {"GET", "/api/schedule/feeds", "schedule.feeds", Auth::kRequired, kRead, 0, kQuick, GetFeeds, &kDialect},
    Route{"POST", "/api/schedule/feeds", "schedule.add_feed", Auth::kRequired, kWrite, kBody, kQuick,
          PostFeed, &kDialect}
        .ParsingFirst(ParseBodyFirst)
        .Limited(kNewFeeds),
    Route{"PATCH", "/api/schedule/feeds/{id}", "schedule.change_feed", Auth::kRequired, kWrite, kBody, kQuick,
          PatchFeed, &kDialect}
        .ParsingFirst(ParseBodyFirst),
    {"DELETE", "/api/schedule/feeds/{id}", "schedule.revoke_feed", Auth::kRequired, kWrite, kBody, kQuick,
     DeleteFeed, &kDialect},
    {"GET", "/api/schedule/feeds/{id}", "schedule.feed", Auth::kPublic, kWrite, 0, kQuick, GetFeedFile,
     &kDialect},

    {"GET", "/api/schedule/updates", "schedule.updates", Auth::kRequired, kRead, 0, kQuick, GetUpdates,
     &kDialect},
    // kWrite, because a read ends a run whose worker is lost.
    {"GET", "/api/schedule/updates/latest", "schedule.latest_update", Auth::kRequired, kWrite, 0, kQuick,
     GetLatestUpdate, &kDialect},
    {"GET", "/api/schedule/updates/{id}", "schedule.update", Auth::kRequired, kWrite, 0, kQuick, GetUpdate,
     &kDialect},
    {"GET", "/api/schedule/updates/{id}/events", "schedule.update_events", Auth::kRequired, kWrite, 0,
     kStream, GetUpdateEvents, &kDialect},
    Route{"GET", "/api/schedule/updates/{id}/groups", "schedule.update_groups", Auth::kRequired, kRead, 0,
          kQuick, GetUpdateGroups, &kDialect}
        .Needing(Roles::kAdmin),
    Route{"POST", "/api/schedule/updates/trigger_sync", "schedule.trigger_sync", Auth::kRequired, kWrite,
          kBody, kQuick, PostTriggerSync, &kDialect}
        .Needing(Roles::kAdmin),
    Route{"POST", "/api/schedule/updates/trigger_sync_sync", "schedule.trigger_sync_sync", Auth::kRequired,
          kWrite, kBody, kWait, PostTriggerSyncSync, &kDialect}
        .Needing(Roles::kAdmin),
    Route{"POST", "/api/schedule/updates/{id}/cancel", "schedule.cancel_update", Auth::kRequired, kWrite,
          kBody, kQuick, PostUpdateCancel, &kDialect}
        .Needing(Roles::kAdmin),
    Route{"POST", "/api/schedule/groups/{id}/sync", "schedule.sync_group", Auth::kRequired, kWrite, kBody,
          kQuick, PostGroupSync, &kDialect}
        .Needing(Roles::kAdmin),
    Route{"POST", "/api/schedule/updates/import_group", "schedule.import_group", Auth::kRequired, kWrite,
          kMaxImport, kImport, PostImportGroup, &kDialect}
        .Needing(Roles::kAdmin),
};

}  // namespace

std::span<const Route> Routes() {
  return kRoutes;
}

}  // namespace syncline::schedule
