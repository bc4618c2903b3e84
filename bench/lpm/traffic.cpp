// SPDX-License-Identifier: BSD-3-Clause
#include "bench/lpm/traffic.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <stdexcept>

#include "common/base/prefix.hpp"

namespace sekisho::bench {
namespace {

using Random = std::mt19937_64;

// Not on the public Internet (RFC 6890), and multicast and class E.
constexpr auto private_space = [] {
  constexpr auto block = [](std::uint32_t a, std::uint32_t b, std::uint8_t length) {
    return base::Prefix{.address = a << 24 | b << 16, .length = length};
  };
  return std::array{block(0, 0, 8),      block(10, 0, 8),    block(100, 64, 10),  block(127, 0, 8),
                    block(169, 254, 16), block(172, 16, 12), block(192, 168, 16), block(224, 0, 3)};
}();

std::uint32_t public_address(Random& random) {
  for (;;) {
    const auto address = static_cast<std::uint32_t>(random());
    if (std::none_of(private_space.begin(), private_space.end(),
                     [&](const base::Prefix& block) { return block.covers(address); })) {
      return address;
    }
  }
}

std::uint32_t address_in(const base::Prefix& prefix, Random& random) {
  return prefix.address | (static_cast<std::uint32_t>(random()) & ~prefix.mask());
}

// The number of the k-th of `count` things with probability proportional to 1/k.
class Zipf {
 public:
  explicit Zipf(std::size_t count) : sums_(count) {
    double sum = 0;
    for (std::size_t k = 0; k < count; ++k) {
      sums_[k] = sum += 1.0 / static_cast<double>(k + 1);
    }
  }
  std::size_t operator()(Random& random) const {
    const double at = std::uniform_real_distribution<>{0, sums_.back()}(random);
    return static_cast<std::size_t>(std::upper_bound(sums_.begin(), sums_.end() - 1, at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

}  // namespace

auto make_traffic(std::string_view name, const Table& table) -> std::vector<std::uint32_t> {
  Random random{20};
  std::vector<std::uint32_t> addresses(traffic_size);
  const auto& routes = table.routes;
  if (name == "random") {
    std::generate(addresses.begin(), addresses.end(), [&] { return public_address(random); });
  } else if (name == "routed") {
    std::uniform_int_distribution<std::size_t> any{0, routes.size() - 1};
    std::generate(addresses.begin(), addresses.end(),
                  [&] { return address_in(routes[any(random)].prefix, random); });
  } else if (name == "zipf") {
    auto order = routes;
    std::shuffle(order.begin(), order.end(), random);
    const Zipf popular{order.size()};
    std::generate(addresses.begin(), addresses.end(),
                  [&] { return address_in(order[popular(random)].prefix, random); });
  } else {
    throw std::invalid_argument{"there is no traffic \"" + std::string{name} + '"'};
  }
  return addresses;
}

}  // namespace sekisho::bench
