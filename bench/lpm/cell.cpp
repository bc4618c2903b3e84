// SPDX-License-Identifier: BSD-3-Clause
#include "bench/lpm/cell.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sekisho::bench {

std::string Cell::name(std::string_view engine) const {
  const auto name = fmt::format("{}/{}/{}/{}", group, engine, table, traffic);
  return group == "lpm-bulk" ? fmt::format("{}/{}", name, bulk) : name;
}

auto compare(const std::vector<std::string>& engines, const Rates& rates) -> std::optional<Ratio> {
  const auto own = std::find(engines.begin(), engines.end(), "sekisho");
  if (own == engines.end() || engines.size() < 2) {
    return std::nullopt;
  }
  const auto sekisho = static_cast<std::size_t>(own - engines.begin());
  std::size_t best = sekisho;
  double best_median = 0;
  for (std::size_t i = 0; i < engines.size(); ++i) {
    const double median = quartiles(rates[i]).median;
    if (i != sekisho && median > best_median) {
      best = i;
      best_median = median;
    }
  }
  std::vector<double> ratios(rates[sekisho].size());
  std::transform(rates[sekisho].begin(), rates[sekisho].end(), rates[best].begin(), ratios.begin(),
                 std::divides<>{});
  return Ratio{.against = engines[best], .of = quartiles(std::move(ratios))};
}

double target(std::string_view table, std::string_view traffic) {
  if (table == "nva") {
    return traffic == "random" ? 5 : 1.2;
  }
  if (table == "tags") {
    return traffic == "random" ? 5 : 1.1;
  }
  if (traffic == "random") {
    return 2;
  }
  return traffic == "routed" ? 1.0 : 1.2;
}

}  // namespace sekisho::bench
