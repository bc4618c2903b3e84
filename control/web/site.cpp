// SPDX-License-Identifier: BSD-3-Clause
#include "control/web/site.hpp"

#include <string_view>
#include <utility>

#include "control/serve/show.hpp"
#include "control/web/host.hpp"
#include "control/web/question.hpp"
#include "page.html.h"

namespace sekisho::web {
namespace {

constexpr unsigned forbidden = 403;
// A fifth of control's time, and a twentieth, are the page's at most.
constexpr int rest_of_the_dataplane = 4;
constexpr int rest_of_memory = 19;
constexpr const char* json = "application/json";

std::vector<std::string> paths() {
  std::vector<std::string> all{"/"};
  for (auto& path : question_paths()) {
    all.push_back(std::move(path));
  }
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

// Whether somebody follows a link: the answer takes the place of the page that has it, which no longer is there to make it again and
// again, and never reads it. A frame, an image or a script is none, nor is what a browser fetches in case somebody will.
bool is_gone_to(const http::Request::Fetch& fetch) {
  return fetch.mode == "navigate" && fetch.destination == "document" && fetch.purpose.empty();
}

}  // namespace

Page::Page(boost::asio::io_context& io, serve::Backend& backend, std::uint64_t started_unix_ms, Names names)
    : backend_(backend),
      of_the_dataplane_(io, backend, started_unix_ms, rest_of_the_dataplane),
      of_memory_(io, backend, started_unix_ms, rest_of_memory),
      events_(backend.subscribe()),
      rates_(io, backend),
      names_(std::move(names)) {}

auto Page::site() -> http::Site {
  return {
      .name = "the page",
      .paths = paths(),
      .refuse = [this](const http::Request& request) { return refuse(request); },
      .answer = [this](const http::Request& request, Desk::Done done) { answer(request, std::move(done)); },
      .too_late = {.status = 503, .content_type = json, .body = dumped({{"error", "no answer within 5 s"}})},
      .headers = headers()};
}

auto Page::refuse(const http::Request& request) -> std::optional<http::Response> {
  if (auto is_meant = check_host(request, names_()); !is_meant) {
    return std::move(is_meant.error());
  }
  // What a page from elsewhere has a browser ask it cannot read; nor need it make work.
  if (request.path.starts_with("/api/") && request.fetch.site == "cross-site" && !is_gone_to(request.fetch)) {
    return http::Response{.status = forbidden,
                          .content_type = json,
                          .body = dumped({{"error", "a page from elsewhere may not ask"}})};
  }
  return std::nullopt;
}

void Page::answer(const http::Request& request, Desk::Done done) {
  if (request.path == "/") {
    done({.content_type = "text/html; charset=utf-8", .body = std::string{page_text()}});
  } else if (auto question = read_question(request.path, request.query); question) {
    remember(*question);
    (question->remembered ? of_memory_ : of_the_dataplane_).ask(*question, std::move(done));
  } else {
    done({.status = 400, .content_type = json, .body = dumped({{"error", question.error()}})});
  }
}

// FRR is not waited for: when it hangs, it does so for 5 s. The keeper of BGP asks it, and what it heard last says when that was.
void Page::remember(Question& question) {
  const auto& what = question.request.value("what", "");
  if (what == "bgp") {
    question.remembered = [this] { return serve::show_bgp(backend_.bgp()); };
  } else if (what == "events") {
    question.remembered = [this] { return events_.to_json(); };
  } else if (what == "rates") {
    question.remembered = [this] { return rates_.to_json(RateLog::Clock::now()); };
  }
}

}  // namespace sekisho::web
