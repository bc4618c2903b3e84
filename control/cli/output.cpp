// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace sekisho::cli {
namespace {

bool coloured() {
  static const bool result = ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  return result;
}

std::string dump(const Json& document, int indent) {
  return document.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

void print_json(const Json& document) {
  fmt::print("{}\n", dump(document, 2));
}

void JsonArray::add(const Json& element) {
  add_text(dump(element, -1));
}

void JsonArray::add_text(std::string_view element) {
  std::fputs(empty_ ? "[\n  " : ",\n  ", stdout);
  std::fwrite(element.data(), 1, element.size(), stdout);
  empty_ = false;
}

void JsonArray::close() {
  fmt::print("{}", empty_ ? "[]\n" : "\n]\n");
}

std::string toned(std::string_view text, Tone tone) {
  if (tone == Tone::plain || !coloured()) {
    return std::string{text};
  }
  const auto* code = tone == Tone::heading ? "1" : tone == Tone::good ? "32" : "31";
  return fmt::format("\033[{}m{}\033[0m", code, text);
}

Outcome finish_output() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    return tl::unexpected{fmt::format("cannot write the output: {}", std::generic_category().message(errno))};
  }
  return {};
}

}  // namespace sekisho::cli
