#pragma once
// Answers: always an object with "success", because the add-on takes nothing else for an answer.
#include <string>
#include <utility>

#include "handlers/base/json_writer.h"
#include "handlers/base/response.h"

namespace syncline::decks {

/// Begins {"success":true,...
inline JsonWriter& Success(JsonWriter& json) {
  return json.Object().Add("success", true);
}
inline Response Answer(JsonWriter& json) {
  return Response::Json(200, json.Finish());
}
/// 200 with an object that is written while it is sent.
inline Response StreamedAnswer(BodyStream write) {
  return Response{200, {}, std::move(write), std::nullopt}.With("Content-Type", "application/json");
}
/// {"success":true}
inline Response Done() {
  JsonWriter json;
  return Answer(Success(json));
}
/// 200 with "success":false, for what the add-on's screens offer to everybody: 403 would end the login. `body`: PrintError.
inline Response SoftRefusal(std::string body) {
  return Response::Json(200, std::move(body));
}

}  // namespace syncline::decks
