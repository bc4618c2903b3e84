// SPDX-License-Identifier: BSD-3-Clause
#include "control/metrics/text.hpp"

#include <fmt/format.h>

#include <iterator>

namespace sekisho::metrics {
namespace {

std::string_view suffix(Type type) {
  switch (type) {
    case Type::counter:
      return "_total";
    case Type::info:
      return "_info";
    default:
      return "";
  }
}

std::string_view type_name(Type type, Format format) {
  switch (type) {
    case Type::counter:
      return "counter";
    case Type::info:  // the older format has no such type: a gauge that is 1
      return format == Format::openmetrics ? "info" : "gauge";
    default:
      return "gauge";
  }
}

// "Line feed, double quote and backslash are escaped": the OpenMetrics specification's escaped-string.
void append_escaped(std::string& out, std::string_view value) {
  for (const char c : value) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '"':
        out += "\\\"";
        break;
      case '\n':
        out += "\\n";
        break;
      default:
        out += c;
    }
  }
}

}  // namespace

std::string_view content_type(Format format) noexcept {
  return format == Format::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                       : "text/plain; version=0.0.4; charset=utf-8";
}

void Text::family(std::string_view name, Type type, std::string_view unit, std::string_view help) {
  name_ = fmt::format("{}{}", name, suffix(type));
  // OpenMetrics describes the family, the older format the samples.
  const auto described = format_ == Format::openmetrics ? name : std::string_view{name_};
  const auto out = std::back_inserter(text_);
  fmt::format_to(out, "# TYPE {} {}\n", described, type_name(type, format_));
  if (format_ == Format::openmetrics && !unit.empty()) {
    fmt::format_to(out, "# UNIT {} {}\n", described, unit);
  }
  fmt::format_to(out, "# HELP {} {}\n", described, help);
}

void Text::sample_name(Labels labels) {
  text_ += name_;
  char before = '{';
  for (const auto& [label, value] : labels) {
    text_ += before;
    text_ += label;
    text_ += "=\"";
    append_escaped(text_, value);
    text_ += '"';
    before = ',';
  }
  if (labels.size() != 0) {
    text_ += '}';
  }
}

void Text::sample(Labels labels, std::uint64_t value) {
  sample_name(labels);
  fmt::format_to(std::back_inserter(text_), " {}\n", value);
}

void Text::sample(Labels labels, double value) {
  sample_name(labels);
  // To the millisecond; what is shorter than a second, such as a round trip, to the microsecond.
  constexpr double second = 1;
  fmt::format_to(std::back_inserter(text_), " {:.{}f}\n", value, value < second ? 6 : 3);
}

std::string Text::finish() && {
  if (format_ == Format::openmetrics) {
    text_ += "# EOF\n";  // without it a scraper knows that the end is missing
  }
  return std::move(text_);
}

}  // namespace sekisho::metrics
