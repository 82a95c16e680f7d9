// Deck configs: the blocks "new", "rev" and "lapse" of the JSON become one message.
#include "handlers/anki/objects/schema18_wire.h"

#include <algorithm>
#include <cmath>

#include "handlers/anki/objects/schema18_wire_serde.h"
#include "handlers/base/json.h"
#include "schema18.pb.h"

namespace syncline::anki {
namespace {

using namespace serde;

// Upstream's defaults for a block of the JSON that does not parse, and for stored numbers out of bounds.
constexpr std::uint32_t kNewPerDay = 20, kReviewsPerDay = 200, kMaximumInterval = 36500, kLeechThreshold = 8,
                        kAnswerCapSecs = 60, kGraduatingGood = 1, kGraduatingEasy = 4,
                        kMinimumLapseInterval = 1;
constexpr float kInitialEase = 2.5F, kEasyMultiplier = 1.3F, kHardMultiplier = 1.2F, kLapseMultiplier = 0,
                kIntervalMultiplier = 1, kRetention = 0.9F;
constexpr std::int32_t kTagOnly = 1;

// [good, easy] or [good, easy, unused]: some versions of AnkiDroid write two elements.
std::pair<std::uint16_t, std::uint16_t> GraduatingIntervals(ObjectReader& in) {
  const auto& json = in.Json();
  const auto& list = in.Need("ints");
  std::vector<std::uint16_t> days;
  bool valid = list.kind == Kind::kArray;
  json.EachIn(list, [&](const Value& value) {
    const auto number = IntOf(json, value, 0, 0xFFFF);
    valid = valid && number;
    days.push_back(static_cast<std::uint16_t>(number.value_or(0)));
  });
  if (!valid || days.size() < 2) return {kGraduatingGood, kGraduatingEasy};
  return {days[0], days[1]};
}

// An enum by its number, 0 to `last`; anything else reads as `otherwise`. The key must exist.
std::int32_t LenientEnum(ObjectReader& in, std::string_view key, std::int64_t last, std::int32_t otherwise) {
  return static_cast<std::int32_t>(IntOf(in.Json(), in.Need(key), 0, last).value_or(otherwise));
}

void NewBlock(ObjectReader& in, schema18::DeckConfig& config) {
  config.set_bury_new(in.Bool("bury", Rule::kOptional));
  SetFloats(config.mutable_learn_steps(), in.Floats("delays", Rule::kLenient));
  config.set_initial_ease(static_cast<float>(in.Number<std::uint16_t>("initialFactor", Rule::kStrict)) /
                          1000.0F);
  const auto [good, easy] = GraduatingIntervals(in);
  config.set_graduating_interval_good(good);
  config.set_graduating_interval_easy(easy);
  // 0 random, 1 due in JSON; reversed in protobuf. Invalid values mean due.
  config.set_new_insert_order(LenientEnum(in, "order", 1, 1) == 0 ? 1 : 0);
  config.set_new_per_day(in.Number<std::uint32_t>("perDay", Rule::kLenient));
}

void NewDefaults(schema18::DeckConfig& config) {
  config.set_bury_new(false);
  SetFloats(config.mutable_learn_steps(), {1, 10});
  config.set_initial_ease(kInitialEase);
  config.set_graduating_interval_good(kGraduatingGood);
  config.set_graduating_interval_easy(kGraduatingEasy);
  config.set_new_insert_order(0);
  config.set_new_per_day(kNewPerDay);
}

void ReviewBlock(ObjectReader& in, schema18::DeckConfig& config) {
  config.set_bury_reviews(in.Bool("bury", Rule::kOptional));
  config.set_easy_multiplier(in.Float("ease4", Rule::kStrict));
  config.set_interval_multiplier(in.Float("ivlFct", Rule::kStrict));
  config.set_maximum_interval(in.Number<std::uint32_t>("maxIvl", Rule::kStrict));
  config.set_reviews_per_day(in.Number<std::uint32_t>("perDay", Rule::kLenient));
  config.set_hard_multiplier(in.Float("hardFactor", Rule::kOptional, kHardMultiplier));
}

void ReviewDefaults(schema18::DeckConfig& config) {
  config.set_bury_reviews(false);
  config.set_easy_multiplier(kEasyMultiplier);
  config.set_interval_multiplier(kIntervalMultiplier);
  config.set_maximum_interval(kMaximumInterval);
  config.set_reviews_per_day(kReviewsPerDay);
  config.set_hard_multiplier(kHardMultiplier);
}

void LapseBlock(ObjectReader& in, schema18::DeckConfig& config) {
  SetFloats(config.mutable_relearn_steps(), in.Floats("delays", Rule::kLenient));
  config.set_leech_action(LenientEnum(in, "leechAction", 1, kTagOnly));
  config.set_leech_threshold(in.Number<std::uint32_t>("leechFails", Rule::kStrict));
  config.set_minimum_lapse_interval(in.Number<std::uint32_t>("minInt", Rule::kStrict));
  config.set_lapse_multiplier(in.Float("mult", Rule::kStrict));
}

void LapseDefaults(schema18::DeckConfig& config) {
  SetFloats(config.mutable_relearn_steps(), {10});
  config.set_leech_action(kTagOnly);
  config.set_leech_threshold(kLeechThreshold);
  config.set_minimum_lapse_interval(kMinimumLapseInterval);
  config.set_lapse_multiplier(kLapseMultiplier);
}

using Block = void (*)(ObjectReader&, schema18::DeckConfig&);
using BlockDefaults = void (*)(schema18::DeckConfig&);

// Reads the block new, rev or lapse, which must exist, and returns its unknown keys. If anything in it does
// not parse, upstream silently uses the defaults for the whole block and drops the unknown keys.
std::string ReadBlock(ObjectReader& in, std::string_view key, Block read, BlockDefaults defaults,
                      schema18::DeckConfig& config) {
  const auto& value = in.Need(key);
  try {
    ObjectReader block(in.Json(), value);
    read(block, config);
    return OtherBytes(block);
  } catch (const BadObject&) {
    defaults(config);
    return {};
  }
}

// The unknown keys of the top level, and under the names of the three blocks their unknown keys.
std::string ConfigOtherBytes(const ObjectReader& in, const std::string& new_other,
                             const std::string& review_other, const std::string& lapse_other) {
  ObjectWriter out;
  bool empty = true;
  const auto add = [&](std::string_view key, std::string_view raw) {
    out.Key(key);
    out.Raw(raw);
    empty = false;
  };
  for (const auto& [key, raw] : in.Rest()) add(key, raw);
  if (!new_other.empty()) add("new", new_other);
  if (!review_other.empty()) add("rev", review_other);
  if (!lapse_other.empty()) add("lapse", lapse_other);
  return empty ? std::string() : out.Finish();
}

std::uint32_t Within(std::uint32_t value, std::uint32_t low, std::uint32_t high, std::uint32_t otherwise) {
  return value < low || value > high ? otherwise : value;
}

float Within(float value, float low, float high, float otherwise) {
  return value >= low && value <= high ? value : otherwise;
}

// The options screen once saved zeros and NaN; upstream replaces them on reading.
void ReplaceImpossibleValues(schema18::DeckConfig& c) {
  c.set_new_per_day(Within(c.new_per_day(), 0, 9999, kNewPerDay));
  c.set_reviews_per_day(Within(c.reviews_per_day(), 0, 9999, kReviewsPerDay));
  c.set_new_per_day_minimum(Within(c.new_per_day_minimum(), 0, 9999, 0));
  c.set_initial_ease(Within(c.initial_ease(), 1.31F, 5.0F, kInitialEase));
  c.set_easy_multiplier(Within(c.easy_multiplier(), 1.0F, 5.0F, kEasyMultiplier));
  c.set_hard_multiplier(Within(c.hard_multiplier(), 0.5F, 1.3F, kHardMultiplier));
  c.set_lapse_multiplier(Within(c.lapse_multiplier(), 0.0F, 1.0F, kLapseMultiplier));
  c.set_interval_multiplier(Within(c.interval_multiplier(), 0.5F, 2.0F, kIntervalMultiplier));
  c.set_maximum_interval(Within(c.maximum_interval(), 1, 36500, kMaximumInterval));
  c.set_minimum_lapse_interval(Within(c.minimum_lapse_interval(), 1, 36500, kMinimumLapseInterval));
  c.set_graduating_interval_good(Within(c.graduating_interval_good(), 1, 36500, kGraduatingGood));
  c.set_graduating_interval_easy(Within(c.graduating_interval_easy(), 1, 36500, kGraduatingEasy));
  c.set_leech_threshold(Within(c.leech_threshold(), 1, 9999, kLeechThreshold));
  c.set_answer_cap_secs(Within(c.answer_cap_secs(), 1, 9999, kAnswerCapSecs));
  c.set_desired_retention(Within(c.desired_retention(), 0.7F, 0.99F, kRetention));
  c.set_historical_retention(Within(c.historical_retention(), 0.7F, 0.97F, kRetention));
}

// The keys in `other` that belong to one of the blocks; empty if there are none.
std::string BlockOther(const std::string& other, std::string_view block) {
  if (other.empty()) return {};
  try {
    const JsonSpans json(other, 1);
    if (json.Root().kind != Kind::kObject) return {};
    const auto* value = ObjectReader(json, json.Root()).Take(block);
    return value == nullptr ? std::string() : std::string(json.Raw(*value));
  } catch (const BadJson&) {
    return {};
  }
}

std::string NewBlockToJson(const schema18::DeckConfig& c) {
  ObjectWriter out;
  out.Bool("bury", c.bury_new());
  out.Floats("delays", c.learn_steps());
  out.Int("initialFactor", Truncated<std::uint16_t>(c.initial_ease() * 1000.0F));
  out.Key("ints");
  out.Writer().StartArray();
  out.Writer().Uint(static_cast<std::uint16_t>(c.graduating_interval_good()));
  out.Writer().Uint(static_cast<std::uint16_t>(c.graduating_interval_easy()));
  out.Writer().Uint(0);
  out.Writer().EndArray();
  out.Int("order", c.new_insert_order() == 1 ? 0 : 1);
  out.Int("perDay", c.new_per_day());
  out.Others(BlockOther(c.other(), "new"));
  return out.Finish();
}

std::string ReviewBlockToJson(const schema18::DeckConfig& c) {
  ObjectWriter out;
  out.Bool("bury", c.bury_reviews());
  out.Float("ease4", c.easy_multiplier());
  out.Float("ivlFct", c.interval_multiplier());
  out.Int("maxIvl", c.maximum_interval());
  out.Int("perDay", c.reviews_per_day());
  out.Float("hardFactor", c.hard_multiplier());
  out.Others(BlockOther(c.other(), "rev"));
  return out.Finish();
}

std::string LapseBlockToJson(const schema18::DeckConfig& c) {
  ObjectWriter out;
  out.Floats("delays", c.relearn_steps());
  out.Int("leechAction", c.leech_action() == kTagOnly ? 1 : 0);
  out.Int("leechFails", c.leech_threshold());
  out.Int("minInt", c.minimum_lapse_interval());
  out.Float("mult", c.lapse_multiplier());
  out.Others(BlockOther(c.other(), "lapse"));
  return out.Finish();
}

}  // namespace

DeckConfigRow DeckConfigFromJson(std::string_view text) {
  const auto json = ParseObject(text);
  ObjectReader in(json, json.Root());
  DeckConfigRow row;
  schema18::DeckConfig c;
  row.id = in.NumberOrText("id", Rule::kStrict);
  row.mod = in.NumberOrText("mod", Rule::kStrict);
  row.name = in.Text("name", Rule::kStrict);
  row.usn = in.Number<Usn>("usn", Rule::kStrict);
  c.set_answer_cap_secs(
      static_cast<std::uint32_t>(std::max(in.Number<std::int32_t>("maxTaken", Rule::kStrict), 0)));
  c.set_disable_autoplay(!in.Bool("autoplay", Rule::kStrict));
  c.set_show_timer(in.Number<std::uint8_t>("timer", Rule::kLenient) != 0);
  c.set_skip_question_in_replay(!in.Bool("replayq", Rule::kOptional));
  const auto new_other = ReadBlock(in, "new", NewBlock, NewDefaults, c);
  const auto review_other = ReadBlock(in, "rev", ReviewBlock, ReviewDefaults, c);
  const auto lapse_other = ReadBlock(in, "lapse", LapseBlock, LapseDefaults, c);
  in.Take("dyn");
  c.set_new_mix(in.Number<std::int32_t>("newMix", Rule::kOptional));
  c.set_new_per_day_minimum(in.Number<std::uint32_t>("newPerDayMinimum", Rule::kOptional));
  c.set_interday_learning_mix(in.Number<std::int32_t>("interdayLearningMix", Rule::kOptional));
  c.set_review_order(in.Number<std::int32_t>("reviewOrder", Rule::kOptional));
  c.set_new_sort_order(in.Number<std::int32_t>("newSortOrder", Rule::kOptional));
  c.set_new_gather_priority(in.Number<std::int32_t>("newGatherPriority", Rule::kOptional));
  c.set_bury_interday_learning(in.Bool("buryInterdayLearning", Rule::kOptional));
  SetFloats(c.mutable_fsrs_params_4(), in.Floats("fsrsWeights", Rule::kOptional));
  SetFloats(c.mutable_fsrs_params_5(), in.Floats("fsrsParams5", Rule::kOptional));
  SetFloats(c.mutable_fsrs_params_6(), in.Floats("fsrsParams6", Rule::kOptional));
  c.set_desired_retention(in.Float("desiredRetention", Rule::kOptional));
  c.set_ignore_reviews_before(in.Text("ignoreRevlogsBeforeDate", Rule::kOptional));
  SetFloats(c.mutable_easy_days_percentages(), in.Floats("easyDaysPercentages", Rule::kOptional));
  c.set_stop_timer_on_answer(in.Bool("stopTimerOnAnswer", Rule::kOptional));
  c.set_seconds_to_show_question(in.Float("secondsToShowQuestion", Rule::kOptional));
  c.set_seconds_to_show_answer(in.Float("secondsToShowAnswer", Rule::kOptional));
  c.set_question_action(StrictEnum(in, "questionAction", 1));
  c.set_answer_action(StrictEnum(in, "answerAction", 4));
  c.set_wait_for_audio(in.Bool("waitForAudio", Rule::kOptional, true));
  c.set_historical_retention(in.Float("sm2Retention", Rule::kOptional));
  c.set_param_search(in.Text("weightSearch", Rule::kOptional));
  c.set_other(ConfigOtherBytes(in, new_other, review_other, lapse_other));
  row.config = c.SerializeAsString();
  return row;
}

std::string DeckConfigToJson(const DeckConfigRow& row) {
  auto c = Decode<schema18::DeckConfig>(row.config, "deck config");
  ReplaceImpossibleValues(c);
  ObjectWriter out;
  out.Int("id", row.id);
  out.Int("mod", row.mod);
  out.Text("name", row.name);
  out.Int("usn", row.usn);
  out.Int("maxTaken", c.answer_cap_secs());
  out.Bool("autoplay", !c.disable_autoplay());
  out.Int("timer", c.show_timer() ? 1 : 0);
  out.Bool("replayq", !c.skip_question_in_replay());
  out.Key("new");
  out.Raw(NewBlockToJson(c));
  out.Key("rev");
  out.Raw(ReviewBlockToJson(c));
  out.Key("lapse");
  out.Raw(LapseBlockToJson(c));
  out.Bool("dyn", false);
  out.Int("newMix", c.new_mix());
  out.Int("newPerDayMinimum", c.new_per_day_minimum());
  out.Int("interdayLearningMix", c.interday_learning_mix());
  out.Int("reviewOrder", c.review_order());
  out.Int("newSortOrder", c.new_sort_order());
  out.Int("newGatherPriority", c.new_gather_priority());
  out.Bool("buryInterdayLearning", c.bury_interday_learning());
  out.Floats("fsrsWeights", c.fsrs_params_4());
  out.Floats("fsrsParams5", c.fsrs_params_5());
  out.Floats("fsrsParams6", c.fsrs_params_6());
  out.Float("desiredRetention", c.desired_retention());
  out.Text("ignoreRevlogsBeforeDate", c.ignore_reviews_before());
  out.Floats("easyDaysPercentages", c.easy_days_percentages());
  out.Bool("stopTimerOnAnswer", c.stop_timer_on_answer());
  out.Float("secondsToShowQuestion", c.seconds_to_show_question());
  out.Float("secondsToShowAnswer", c.seconds_to_show_answer());
  out.Int("questionAction", c.question_action() == 1 ? 1 : 0);
  out.Int("answerAction", c.answer_action() >= 1 && c.answer_action() <= 4 ? c.answer_action() : 0);
  out.Bool("waitForAudio", c.wait_for_audio());
  out.Float("sm2Retention", c.historical_retention());
  out.Text("weightSearch", c.param_search());
  out.Others(c.other());
  return out.Finish();
}

void UpgradeDeckConfigFromSchema15(DeckConfigRow& row) {
  auto config = Decode<schema18::DeckConfig>(row.config, "deck config");
  config.set_initial_ease(config.initial_ease() / 100.0F);
  if (config.initial_ease() <= 1.3F) config.set_initial_ease(kInitialEase);
  row.config = config.SerializeAsString();
}

void DowngradeDeckConfigToSchema15(DeckConfigRow& row) {
  auto config = Decode<schema18::DeckConfig>(row.config, "deck config");
  config.set_initial_ease(config.initial_ease() * 100.0F);
  row.config = config.SerializeAsString();
}

}  // namespace syncline::anki
