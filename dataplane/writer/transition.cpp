// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/transition.hpp"

#include <new>

#include "common/base/memory_reserve.hpp"
#include "dataplane/writer/publish.hpp"

namespace sekisho::writer {
namespace {

template <class Map>
std::uint32_t count_differences(const Map& before, const Map& after) {
  std::uint32_t count = 0;
  for (const auto& [key, value] : after) {
    const auto old = before.find(key);
    count += old == before.end() || !(old->second == value);
  }
  for (const auto& [key, value] : before) {
    count += !after.contains(key);
  }
  return count;
}

}  // namespace

auto Transition::run() -> tl::expected<ipc::Committed, std::string> {
  if (auto done = attempt_with_memory(); !done) {
    undo();
    return tl::unexpected(done.error());
  }
  auto committed = count_changes();
  finish();
  // A port or the exit that has gone leaves its interface behind.
  if (target_.full || committed.ports_changed() != 0 || live_.configuration.exit != wanted_.exit) {
    host_.sweep();
  }
  committed.set_ports_changed(committed.ports_changed() + ports_.revived());
  live_.configuration = std::move(target_.configuration);
  return committed;
}

// What comes after it cannot be refused any more, and goes on with the reserve.
auto Transition::attempt_with_memory() -> Result {
  try {
    auto done = attempt();
    if (done && (!base::has_memory_reserve() || live_.refuses())) {
      return tl::unexpected(std::string{base::no_memory});
    }
    return done;
  } catch (const std::bad_alloc&) {
    return tl::unexpected(std::string{base::no_memory});
  }
}

auto Transition::attempt() -> Result {
  if (auto done = prepare(); !done) {
    return done;
  }
  return publish();
}

auto Transition::prepare() -> Result {
  return ports_.prepare()
      .and_then([this] { return next_hops_.prepare(); })
      .and_then([this] { return zones_.prepare(); })
      .and_then([this] {
        tables_.compare();
        return next_hops_.renumber(!tables_.empty() || wanted_.zones != live_.configuration.zones);
      })
      .and_then([this](const Renumbering& renumbering) { return tables_.prepare(renumbering); });
}

auto Transition::publish() -> Result {
  ports_.publish();
  host_.publish();
  next_hops_.publish(!tables_.empty());
  return tables_.publish().and_then([this] { return zones_.publish(); });
}

void Transition::undo() {
  zones_.undo();
  tables_.undo();
  next_hops_.undo();
  host_.undo();
  ports_.undo();
}

void Transition::finish() {
  next_hops_.redefine();
  zones_.sweep();
  next_hops_.sweep();
  ports_.mark_leaving();
  close_marked_ports();
  ports_.sweep();
  ports_.open_late();
  next_hops_.publish_adjacencies();
  ports_.publish_queues();
  if (!ports_.admit()) {
    close_marked_ports();
  }
  ports_.set_local_addresses();
  host_.settle();
}

// Nothing is sent there, nothing is received there, then nobody knows the device any more.
void Transition::close_marked_ports() {
  next_hops_.publish_adjacencies();
  ports_.publish_queues();
  host_.publish_queues();
  live_.qsbr.synchronize();
  publish_state(live_, zones_.in(ports_.in(*live_.state)));
  ports_.let_go();
  ports_.close_marked();
}

auto Transition::count_changes() const -> ipc::Committed {
  ipc::Committed committed;
  const auto& before = live_.configuration;
  committed.set_ports_changed(count_differences(before.ports, wanted_.ports));
  committed.set_next_hops_changed(count_differences(before.next_hops, wanted_.next_hops));
  committed.set_adjacencies_changed(count_differences(before.adjacencies, wanted_.adjacencies));
  committed.set_zones_changed(count_differences(before.zones, wanted_.zones));
  tables_.count(committed);
  return committed;
}

}  // namespace sekisho::writer
