// SPDX-License-Identifier: BSD-3-Clause
// Whatever a client sends: frames are cut, messages parsed and transactions checked, without a crash, a leak
// or a desired state that contradicts itself.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "common/base/prefix.hpp"
#include "common/ipc/frame_reader.hpp"
#include "dataplane/writer/transaction.hpp"

namespace {

using namespace sekisho::ipc;
using namespace sekisho::writer;

class NoRoutes : public RunningRoutes {
  std::optional<std::string_view> find(const std::string&, sekisho::base::Prefix) const override {
    return std::nullopt;
  }
  std::size_t count(const std::string&, const std::string&) const override { return 0; }
};

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check(const Target& target) {
  const auto& wanted = target.configuration;
  for (const auto& [name, next_hop] : wanted.next_hops) {
    for (const auto& member : next_hop.members) {
      require(member.id.port.empty() || wanted.adjacencies.contains(member.id));
    }
  }
  for (const auto& [zone, table] : target.tables) {
    require(wanted.zones.contains(zone));
    require(std::ranges::is_sorted(table.routes, {}, &sekisho::writer::NamedRoute::prefix));
    for (const auto& route : table.routes) {
      require(route.next_hop == withdraw ||
              wanted.next_hops.contains(target.next_hop_names.at(value_of(route.next_hop))));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Configuration running;
  std::optional<Transaction> open;
  FrameReader frames;
  while (size > 0) {
    const auto room = frames.prepare();
    const auto count = std::min(size, room.size());
    std::memcpy(room.data(), data, count);
    frames.commit(count);
    data += count;
    size -= count;
    while (true) {
      const auto frame = frames.next();
      if (!frame) {
        return 0;
      }
      if (!*frame) {
        break;
      }
      Request request;
      if (!request.ParseFromArray((*frame)->data(), static_cast<int>((*frame)->size()))) {
        return 0;
      }
      if (request.has_begin()) {
        open.emplace(request.begin().full(), running);
      } else if (open && request.has_change()) {
        if (!open->add(request.change())) {
          open.reset();
        }
      } else if (open && request.has_commit()) {
        auto target = std::move(*open).finish(NoRoutes{});
        open.reset();
        if (target) {
          check(*target);
          running = std::move(target->configuration);
        }
      }
    }
  }
  return 0;
}
