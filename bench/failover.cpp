// SPDX-License-Identifier: BSD-3-Clause
// A member of a next-hop group dies and returns: one object is published, however many routes lead to it.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "bench/demand.hpp"
#include "bench/environment.hpp"
#include "bench/require.hpp"
#include "bench/stopwatch.hpp"
#include "bench/tables.hpp"
#include "dataplane/nexthop/next_hop_table.hpp"

using namespace sekisho;

namespace {

constexpr nexthop::NextHopIndex group{1};
constexpr unsigned members = 8;
// The same work on the same objects; what is left is noise.
constexpr double same = 0.5;

nexthop::Adjacency adjacency(unsigned member, decide::Action action) {
  return {.stations = {}, .mtu = 1500, .port = 0, .action = action, .address = 0x0a000200 + member};
}

auto first_routes(std::size_t count) -> std::vector<fib::Route> {
  auto routes = bench::make_table("full").value().routes;
  routes.resize(std::min(count, routes.size()));
  for (auto& route : routes) {
    route.value = value_of(group);
  }
  return routes;
}

void fail_over(benchmark::State& state, std::size_t routes) {
  fib::Qsbr qsbr{1};
  const auto table = fib::Fib::create(qsbr).value();
  bench::require(table->apply(first_routes(routes)));
  nexthop::NextHopTable next_hops{qsbr};
  std::vector<nexthop::Member> all;
  for (unsigned member = 0; member < members; ++member) {
    const auto index = static_cast<nexthop::AdjacencyIndex>(nexthop::first_adjacency + member);
    const auto made = adjacency(member, decide::Action::forward);
    next_hops.set_adjacency(index, made);
    all.push_back({.address = made.address, .adjacency = index});
  }
  next_hops.set_members(group, all);
  bool alive = true;
  for (auto _ : state) {
    alive = !alive;
    const bench::Stopwatch watch;
    next_hops.set_adjacency(all.front().adjacency,
                            adjacency(0, alive ? decide::Action::forward : decide::Action::unresolved));
    state.SetIterationTime(watch.seconds());
    qsbr.poll();
  }
}

}  // namespace

int main(int argc, char** argv) try {
  std::vector<std::string> names;
  for (const std::size_t routes : {std::size_t{1}, std::size_t{901'899}}) {
    names.push_back(fmt::format("failover/sekisho/{}-routes", routes));
    bench::add(names.back(), [routes](auto& state) { fail_over(state, routes); })
        ->Iterations(10'000)
        ->Unit(benchmark::kMicrosecond);
  }
  return bench::run(
      argc, argv, {.limits = {}, .comparisons = {{.benchmark = names[1], .than = names[0], .factor = same}}});
} catch (const std::exception& error) {
  fmt::print(stderr, "failover: {}\n", error.what());
  return 1;
}
