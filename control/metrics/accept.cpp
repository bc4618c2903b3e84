// SPDX-License-Identifier: BSD-3-Clause
#include "control/metrics/accept.hpp"

#include <boost/beast/core/string.hpp>
#include <cstdlib>
#include <string>

namespace sekisho::metrics {
namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// What stands before the first separator; the rest stays in `text`.
std::string_view take(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const auto piece = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return trim(piece);
}

// RFC 9110, 12.4.2: "If no "q" parameter is present, the default weight is 1."
double weight(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto parameter = take(parameters, ';');
    if (parameter.starts_with("q=") || parameter.starts_with("Q=")) {
      return std::strtod(std::string{parameter.substr(2)}.c_str(), nullptr);
    }
  }
  return 1;
}

}  // namespace

Format negotiate(std::string_view accept) {
  double openmetrics = 0;
  double plain = 0;
  while (!accept.empty()) {
    auto range = take(accept, ',');
    const auto type = take(range, ';');
    if (boost::beast::iequals({type.data(), type.size()}, "application/openmetrics-text")) {
      openmetrics = weight(range);
    } else if (boost::beast::iequals({type.data(), type.size()}, "text/plain")) {
      plain = weight(range);
    }
  }
  return plain > openmetrics ? Format::prometheus : Format::openmetrics;
}

}  // namespace sekisho::metrics
