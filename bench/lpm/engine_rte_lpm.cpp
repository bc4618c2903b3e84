// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_lpm.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "bench/lpm/engine.hpp"

namespace sekisho::bench {
namespace {

struct FreeRteLpm {
  void operator()(rte_lpm* table) const noexcept { rte_lpm_free(table); }
};
using RteLpm = std::unique_ptr<rte_lpm, FreeRteLpm>;

class ReferenceLpm final : public Engine {
 public:
  explicit ReferenceLpm(RteLpm lpm) : lpm_{std::move(lpm)} {}

  // "n: This should be a compile time constant, and divisible by 8 for best performance" (rte_lpm.h).
  void run(std::span<const std::uint32_t> addresses, unsigned bulk) noexcept override {
    switch (bulk) {
      case 8:
        return run_constant<8>(addresses);
      case 32:
        return run_constant<32>(addresses);
      case 64:
        return run_constant<64>(addresses);
      case 256:
        return run_constant<256>(addresses);
      default:
        for (std::size_t i = 0; i < addresses.size(); i += bulk) {
          rte_lpm_lookup_bulk(lpm_.get(), &addresses[i], burst_.data(), bulk);
          keep(burst_.data());
        }
    }
  }

  auto answers(std::span<const std::uint32_t> addresses) -> std::vector<fib::Value> override {
    std::vector<fib::Value> next_hops(addresses.size());
    std::transform(addresses.begin(), addresses.end(), next_hops.begin(), [&](std::uint32_t address) {
      std::uint32_t next_hop = 0;
      return rte_lpm_lookup(lpm_.get(), address, &next_hop) == 0 ? static_cast<fib::Value>(next_hop)
                                                                 : fib::no_route;
    });
    return next_hops;
  }

 private:
  template <unsigned bulk>
  void run_constant(std::span<const std::uint32_t> addresses) noexcept {
    for (std::size_t i = 0; i < addresses.size(); i += bulk) {
      rte_lpm_lookup_bulk(lpm_.get(), &addresses[i], burst_.data(), bulk);
      keep(burst_.data());
    }
  }

  RteLpm lpm_;
  alignas(64) std::array<std::uint32_t, max_bulk> burst_;
};

}  // namespace

Made make_rte_lpm(const Table& table) {
  const bool default_route = std::any_of(table.routes.begin(), table.routes.end(),
                                         [](const auto& route) { return route.prefix.length == 0; });
  if (default_route) {
    return tl::unexpected(std::string{"0.0.0.0/0; rte_lpm has no prefix of length 0"});
  }
  const rte_lpm_config configuration{.max_rules = static_cast<std::uint32_t>(table.routes.size()),
                                     .number_tbl8s = std::max(table.extended_blocks(), 1U),
                                     .flags = 0};
  RteLpm lpm{rte_lpm_create("bench", 0, &configuration)};
  if (!lpm) {
    return tl::unexpected(
        fmt::format("rte_lpm_create: {}; are there enough free 2 MB pages?", rte_strerror(rte_errno)));
  }
  for (const auto& [prefix, next_hop] : table.routes) {
    if (const int result = rte_lpm_add(lpm.get(), prefix.address, prefix.length, next_hop); result != 0) {
      return tl::unexpected(fmt::format("rte_lpm_add {}: {}", to_string(prefix), std::strerror(-result)));
    }
  }
  return std::make_unique<ReferenceLpm>(std::move(lpm));
}

}  // namespace sekisho::bench
