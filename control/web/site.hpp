// SPDX-License-Identifier: BSD-3-Clause
// The page, and what it asks: a site that only reads.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/http/server.hpp"
#include "control/serve/backend.hpp"
#include "control/web/desk.hpp"
#include "control/web/event_log.hpp"
#include "control/web/rate_log.hpp"

namespace sekisho::web {

class Page {
 public:
  // By which it may be called now, besides its address and localhost.
  using Names = std::function<std::vector<std::string>()>;

  // `backend` must outlive it.
  Page(boost::asio::io_context& io, serve::Backend& backend, std::uint64_t started_unix_ms, Names names);
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  // Which this must outlive.
  [[nodiscard]] auto site() -> http::Site;

 private:
  [[nodiscard]] auto refuse(const http::Request& request) -> std::optional<http::Response>;
  void answer(const http::Request& request, Desk::Done done);
  void remember(Question& question);

  serve::Backend& backend_;
  // Who asks what control has in its memory does not wait behind a question to a dataplane that is silent.
  Desk of_the_dataplane_;
  Desk of_memory_;
  EventLog events_;
  RateLog rates_;
  Names names_;
};

}  // namespace sekisho::web
