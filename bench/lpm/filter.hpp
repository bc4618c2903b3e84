// SPDX-License-Identifier: BSD-3-Clause
// Which benchmarks were asked for: each expression is matched at the start of a name; without any, all are.
#pragma once

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

namespace sekisho::bench {

class Filter {
 public:
  // Throws std::regex_error.
  explicit Filter(const std::vector<std::string>& expressions) : expressions_(expressions.size()) {
    std::transform(expressions.begin(), expressions.end(), expressions_.begin(),
                   [](const std::string& expression) { return std::regex{expression}; });
  }

  [[nodiscard]] bool operator()(const std::string& name) const {
    return expressions_.empty() ||
           std::any_of(expressions_.begin(), expressions_.end(), [&](const std::regex& expression) {
             return std::regex_search(name, expression, std::regex_constants::match_continuous);
           });
  }

 private:
  std::vector<std::regex> expressions_;
};

}  // namespace sekisho::bench
