#pragma once
// Shared by all answers of the reading routes: validators, caching, pagination, parameters of lists.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "handlers/base/conditional.h"
#include "handlers/base/parameter_input.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"
#include "handlers/schedule/reading/timetable_store.h"

namespace syncline::schedule {

/// JSON whose entity tag is made of `stamp`; a 304 if the request has it already.
Response TaggedAnswer(const Request& request, std::string_view stamp, std::string json);
/// The same, with a tag of the JSON's bytes.
Response TaggedAnswer(const Request& request, std::string json);

/// For entity tags: hexadecimal digits.
std::string ShortHash(std::string_view text);

/// The validators of the answer to this request, made of the revision in `state` and the query. `more`:
/// anything else that the answer depends on.
Current ValidatorsOf(const Request& request, const TimetableState& state, std::string_view more);

/// JSON with these validators, and the header X-Data-As-Of.
Response LessonAnswer(std::string json, const Current& current, const TimetableState& state);
/// The matching 304.
Response UnchangedLessons(const Current& current, const TimetableState& state);

/// The id in the path. Error NotFound "no_such_row" for a text that is not an id.
std::int64_t PathId(const Request& request, std::string_view name);

/// The first known name in `ordering`, which may begin with a minus; unknown ones are ignored. `names[0]` by default.
std::string OrderOf(ParameterInput& in, std::span<const std::string_view> names);

inline constexpr std::int64_t kPageSize = 20;

/// The requested page, from 1. Error NotFound "invalid_page" for anything else.
std::int64_t PageOf(ParameterInput& in);

/// The server's origin as the client knows it, "https://example.org"; empty if the client sent none or an
/// invalid one.
std::string OriginOf(const Request& request);

/// The address of another page of the same list.
std::string LinkToPage(const Request& request, std::int64_t page);

}  // namespace syncline::schedule
