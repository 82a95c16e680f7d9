#pragma once
// The settings of this service: context.config().Of<decks::Settings>().
#include <cstdint>
#include <span>
#include <string>

#include "handlers/base/setting.h"

namespace syncline::decks {

struct Settings {
  std::int64_t idle_days = 90;      ///< without a call; then a subscription is not counted
  std::int64_t max_media_mib = 10;  ///< of one file of a deck
  std::int64_t link_hours = 24;     ///< for how long a link to a file is good
  std::string public_url{};         ///< of this server, for links; empty: as the client has asked for it
};

std::span<const Setting> SettingRows();

}  // namespace syncline::decks
