// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/output.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "control/cli/command.hpp"

namespace sekisho::cli {
namespace {

std::string color = "auto";

bool coloured() {
  if (color != "auto") {
    return color == "always";
  }
  return ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
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

std::string color_word() {
  return color;
}

void add_color_option(CLI::App& app) {
  app.add_option("--color", color,
                 "Whether states have colours: where a terminal shows them, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->take_last()  // as --socket
      ->capture_default_str();
}

std::optional<std::size_t> terminal_width() {
  if (::isatty(STDOUT_FILENO) == 0) {
    return std::nullopt;
  }
  std::size_t columns = 0;
  if (const auto* const said = std::getenv("COLUMNS")) {
    const std::string_view text{said};
    std::from_chars(text.data(), text.data() + text.size(), columns);
  }
  winsize size{};
  if (columns == 0 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
    columns = size.ws_col;
  }
  return columns == 0 ? std::nullopt : std::optional{columns};
}

Outcome finish_output() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    return tl::unexpected{fmt::format("cannot write the output: {}", std::generic_category().message(errno))};
  }
  return {};
}

}  // namespace sekisho::cli
