// SPDX-License-Identifier: BSD-3-Clause
#include "control/doctor/options.hpp"

#include <sstream>
#include <string>

#include "control/doctor/cpus.hpp"

namespace sekisho::doctor {

DataplaneOptions parse_options(std::string_view environment) {
  constexpr std::string_view variable = "SEKISHO_DATAPLANE_OPTIONS=";
  std::string words;
  std::istringstream lines{std::string{environment}};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(variable)) {
      words = line.substr(variable.size());  // the last one counts
    }
  }
  for (auto& character : words) {
    if (character == '=' || character == '"' || character == '\'') {
      character = ' ';
    }
  }
  DataplaneOptions options;
  std::istringstream stream{words};
  for (std::string word; stream >> word;) {
    if (word == "--workers" && stream >> word) {
      options.workers = parse_cpus(word);
    } else if (word == "--memory") {
      stream >> options.memory_mb;
    }
  }
  return options;
}

}  // namespace sekisho::doctor
