#include "handlers/schedule/runs/run_wire.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "handlers/base/timestamp.h"

namespace syncline::schedule {
namespace {

struct StateRow {
  std::string_view state, status, display;
};
constexpr StateRow kStates[] = {
    {"queued", "in_progress", "В процессе"},     {"running", "in_progress", "В процессе"},
    {"cancelling", "in_progress", "В процессе"}, {"success", "success", "Успешно"},
    {"partial", "success", "Успешно"},           {"failed", "failed", "Ошибка"},
    {"cancelled", "failed", "Ошибка"},           {"interrupted", "failed", "Ошибка"},
};

constexpr std::pair<std::string_view, std::string_view> kSentences[] = {
    {"index_unavailable", "Сайт расписания недоступен. Данные не изменены."},
    {"layout_unknown", "Страницы сайта расписания имеют незнакомую разметку. Данные не изменены."},
    {"wrong_group", "Сайт расписания отдает страницы других групп. Данные не изменены."},
    {"charset", "Страницы сайта расписания в неизвестной кодировке. Данные не изменены."},
    {"truncated", "Страницы сайта расписания приходят не полностью. Данные не изменены."},
    {"groups_failed", "Не удалось прочитать страницы части групп."},
    {"group_without_page", "На сайте расписания нет страницы этой группы."},
    {"deadline", "Синхронизация не успела закончиться за отведенное время."},
    {"cancelled", "Синхронизация отменена."},
    {"interrupted", "Обработчик заданий остановился. Запустите синхронизацию еще раз."},
    {"no_worker", "Нет работающего обработчика заданий."},
    {"schedule_site_missing", "Не указан адрес сайта расписания."},
    {"schedule_site_bad", "Неверная настройка сайта расписания."},
};

const StateRow& RowOf(std::string_view state) {
  return *std::find_if(std::begin(kStates), std::prev(std::end(kStates)),
                       [&](const StateRow& row) { return row.state == state; });
}

std::int64_t PercentOf(const Run& run) {
  if (run.state == "success" || run.state == "partial") return 100;
  return run.groups_total == 0 ? 0 : run.groups_done * 100 / run.groups_total;
}

// By the speed so far.
std::optional<std::int64_t> SecondsLeft(const Run& run, sql::Time now) {
  if (!run.IsActive() || !run.claimed_at || run.groups_done == 0 || now < *run.claimed_at)
    return std::nullopt;
  const auto spent = std::chrono::duration_cast<std::chrono::seconds>(now - *run.claimed_at).count();
  return spent * (run.groups_total - run.groups_done) / run.groups_done;
}

std::optional<std::string> Printed(const std::optional<sql::Time>& time) {
  return time ? std::optional(PrintTimestamp(*time)) : std::nullopt;
}

JsonWriter& AddState(JsonWriter& json, const Run& run, bool has_details) {
  json.Add("id", run.id)
      .Add("started_at", PrintTimestamp(run.started_at))
      .Add("finished_at", Printed(run.finished_at))
      .Add("status", StatusOf(run.state))
      .Add("status_display", RowOf(run.state).display)
      .Add("groups_updated", run.groups_updated)
      .Add("lessons_added", run.lessons_added)
      .Add("lessons_removed", run.lessons_removed)
      .Add("error_message", SentenceOf(run))
      .Add("state", run.state)
      .Add("trigger", run.trigger)
      .Add("mode", run.kind)
      .Add("group", run.group)
      .Add("phase", run.phase)
      .Add("groups_total", run.groups_total)
      .Add("groups_done", run.groups_done)
      .Add("groups_unchanged", run.groups_unchanged)
      .Add("groups_failed", run.groups_failed)
      .Add("groups_held", run.groups_held)
      .Add("groups_skipped", run.groups_skipped)
      .Add("lessons_changed", run.lessons_changed)
      .Add("warnings", run.warnings)
      .Add("percent", PercentOf(run))
      .Add("current_group", run.current_group)
      .Add("cancel_requested", run.state == "cancelling")
      .Add("error_code", run.error_code);
  if (has_details) json.Add("error_detail", run.error_detail);
  return json;
}

}  // namespace

std::string_view StatusOf(std::string_view state) {
  return RowOf(state).status;
}

std::vector<std::string> StatesOf(std::string_view status) {
  std::vector<std::string> states;
  for (const StateRow& row : kStates) {
    if (row.status == status) states.emplace_back(row.state);
  }
  return states;
}

std::string_view SentenceOfCode(std::string_view code) {
  for (const auto& [known, sentence] : kSentences) {
    if (known == code) return sentence;
  }
  return code.starts_with("http_") || code.starts_with("upstream_") ? kSentences[0].second
                                                                    : "Ошибка синхронизации расписания.";
}

std::string SentenceOf(const Run& run) {
  if (!run.error_code) return {};
  // Some pages of a run that was good on the whole.
  if (run.state == "partial" && *run.error_code != "deadline")
    return "Не удалось прочитать групп: " + std::to_string(run.groups_failed + run.groups_skipped) + ".";
  return std::string(SentenceOfCode(*run.error_code));
}

void AddRun(JsonWriter& json, const Run& run, bool has_details, sql::Time now) {
  AddState(json.Object(), run, has_details)
      .Add("heartbeat_at", Printed(run.heartbeat_at))
      .Add("eta_seconds", SecondsLeft(run, now))
      .End();
}

std::string PrintRun(const Run& run, bool has_details, sql::Time now) {
  JsonWriter json;
  AddRun(json, run, has_details, now);
  return json.Finish();
}

std::string StampOf(const Run& run, bool has_details) {
  JsonWriter json;
  AddState(json.Object(), run, has_details).End();
  return json.Finish();
}

std::string PrintRunGroups(const Run& run, const std::vector<RunGroup>& groups) {
  JsonWriter json;
  json.Object().Add("update_id", run.id).Array("groups");
  for (const RunGroup& group : groups) {
    json.Object()
        .Add("group", group.group)
        .Add("group_name", group.name)
        .Add("state", group.state)
        .Add("attempts", group.attempts)
        .Add("http_status", group.http_status)
        .Add("took_ms", group.took_ms)
        .Add("lessons_found", group.found)
        .Add("lessons_added", group.added)
        .Add("lessons_changed", group.changed)
        .Add("lessons_removed", group.removed)
        .Add("warnings", group.warnings)
        .Add("error_code", group.error_code)
        .Add("error_detail", group.error_detail)
        .End();
  }
  return json.Finish();
}

}  // namespace syncline::schedule
