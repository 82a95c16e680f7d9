#pragma once
// The text of a report for an administrator: what happened, and what to do about it. Pure.
#include <string>

#include "handlers/anki/collection/problem_store.h"

namespace syncline::anki {

struct ProblemText {
  std::string what;    ///< a sentence or two
  std::string advice;  ///< what to do, in sentences
};
ProblemText Explain(const Problem& problem);

}  // namespace syncline::anki
