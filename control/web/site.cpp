// SPDX-License-Identifier: BSD-3-Clause
#include "control/web/site.hpp"

#include <string_view>
#include <utility>

#include "control/web/host.hpp"
#include "control/web/question.hpp"
#include "page.html.h"

namespace sekisho::web {
namespace {

constexpr std::string_view events_path = "/api/v1/events";
constexpr const char* json = "application/json";

std::vector<std::string> paths() {
  std::vector<std::string> all{"/"};
  for (auto& path : question_paths()) {
    all.push_back(std::move(path));
  }
  all.emplace_back(events_path);
  return all;
}

// Only the page's own script and style run, by their hashes; it may ask nobody but us, and nobody may frame it.
http::Headers headers() {
  return {{"Content-Security-Policy", std::string{page_policy}},
          {"Cache-Control", "no-store"},
          {"X-Content-Type-Options", "nosniff"},
          {"X-Frame-Options", "DENY"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cross-Origin-Resource-Policy", "same-origin"}};
}

std::string dumped(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Page::Page(boost::asio::io_context& io, serve::Backend& backend, std::uint64_t started_unix_ms, Names names)
    : desk_(io, backend, started_unix_ms), events_(backend.subscribe()), names_(std::move(names)) {}

auto Page::site() -> http::Site {
  return {
      .name = "the page",
      .paths = paths(),
      .answer = [this](const http::Request& request, Desk::Done done) { answer(request, std::move(done)); },
      .too_late = {.status = 503,
                   .content_type = json,
                   .body = dumped({{"error", "the dataplane does not answer, or many ask at once"}})},
      .headers = headers()};
}

void Page::answer(const http::Request& request, Desk::Done done) {
  if (auto is_meant = check_host(request, names_()); !is_meant) {
    done(std::move(is_meant.error()));
  } else if (request.path == "/") {
    done({.content_type = "text/html; charset=utf-8", .body = std::string{page_text()}});
  } else if (request.path == events_path) {
    done({.content_type = json, .body = dumped(events_.to_json())});
  } else if (auto question = read_question(request.path, request.query); question) {
    desk_.ask(*question, std::move(done));
  } else {
    done({.status = 400, .content_type = json, .body = dumped({{"error", question.error()}})});
  }
}

}  // namespace sekisho::web
