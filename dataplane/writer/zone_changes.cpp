// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/zone_changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "dataplane/writer/indexes.hpp"
#include "dataplane/writer/publish.hpp"

namespace sekisho::writer {
namespace {

std::set<std::uint32_t> own_addresses(const Configuration& configuration) {
  std::set<std::uint32_t> own;
  for (const auto& [name, port] : configuration.ports) {
    own.insert(port.local.begin(), port.local.end());
  }
  return own;
}

}  // namespace

auto ZoneChanges::prepare() -> Result {
  for (const auto& [name, spec] : wanted_.zones) {
    if (live_.zones.contains(name)) {
      continue;
    }
    const auto index = take_index(live_, live_.zone_indexes, "zones");
    if (!index) {
      return tl::unexpected(index.error());
    }
    auto& zone = fresh_[name];
    zone.index = forward::ZoneIndex(*index);
    undo_.add([this, index] {
      forget_zone(live_, forward::ZoneIndex(*index));
      live_.zone_indexes.give_back(*index);
    });
    auto table = create_table(live_);
    if (!table) {
      return tl::unexpected(fmt::format("zone {}: {}", name, table.error()));
    }
    zone.table = std::move(*table);
  }
  prepare_sources();
  return {};
}

// Nobody else sends as we do, or as all of a subnet: own addresses are in the table of sources, too, as no zone's.
void ZoneChanges::prepare_sources() {
  const auto own = own_addresses(wanted_);
  if (wanted_.zones == live_.configuration.zones && own == own_addresses(live_.configuration)) {
    return;
  }
  std::vector<fib::Route> wanted;
  for (const auto& [name, spec] : wanted_.zones) {
    const auto index = at(name).index;
    for (const auto prefix : spec.sources) {
      if (prefix.length != 32 || !own.contains(prefix.address)) {
        wanted.push_back({prefix, value_of(index)});
      }
    }
  }
  for (const auto address : own) {
    wanted.push_back({{address, 32}, value_of(forward::own_sources)});
  }
  std::ranges::sort(wanted, {}, &fib::Route::prefix);
  sources_ = replace(*live_.sources, wanted);
}

auto ZoneChanges::publish() -> Result {
  for (const auto& [name, zone] : fresh_) {
    undo_.add([this, name = name] { live_.zones.erase(name); });
  }
  live_.zones.merge(fresh_);
  auto both = in(*live_.state);
  for (std::size_t zone = 1; zone < both.zones.size(); ++zone) {
    both.zones[zone].ports |= live_.state->zones[zone].ports;
  }
  undo_.add([this, before = *live_.state] { publish_state(live_, before); });
  publish_state(live_, both);
  if (auto done = apply(live_, *live_.sources, sources_.changes); !done) {
    return tl::unexpected(fmt::format("the zones' sources: {}", done.error()));
  }
  undo_.add([this] { take_back(live_, *live_.sources, sources_); });
  return {};
}

void ZoneChanges::sweep() {
  std::vector<std::string> gone;
  for (const auto& [name, zone] : live_.zones) {
    if (!wanted_.zones.contains(name)) {
      gone.push_back(name);
    }
  }
  if (gone.empty()) {
    return;
  }
  live_.qsbr.synchronize();  // no worker has a source of it in hand
  auto next = *live_.state;
  for (const auto& name : gone) {
    next.zone(live_.zones.at(name).index) = {};
  }
  publish_state(live_, next);
  for (const auto& name : gone) {
    const auto index = live_.zones.at(name).index;
    live_.zones.erase(name);
    forget_zone(live_, index);
    live_.zone_indexes.give_back(value_of(index));
  }
}

LiveZone& ZoneChanges::at(const std::string& name) {
  const auto fresh = fresh_.find(name);
  return fresh == fresh_.end() ? live_.zones.at(name) : fresh->second;
}

auto ZoneChanges::in(forward::ForwardingState state) const -> forward::ForwardingState {
  for (const auto& [name, spec] : wanted_.zones) {
    const auto& live = live_.zones.at(name);
    state.zone(live.index) = {.ports = ports_.mask_of(spec.ports), .table = live.table.get()};
  }
  return state;
}

}  // namespace sekisho::writer
