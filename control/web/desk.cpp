// SPDX-License-Identifier: BSD-3-Clause
#include "control/web/desk.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "control/serve/request.hpp"

namespace sekisho::web {
namespace {

using std::chrono::milliseconds;

constexpr unsigned bad_request = 400;
constexpr unsigned unavailable = 503;

// A question takes control a millisecond or two: at most a fifth of its time is the page's.
constexpr int pauses_per_answer = 4;
constexpr milliseconds shortest_pause{5};
constexpr milliseconds longest_pause{250};

http::Response refusal(unsigned status, std::string why) {
  return {
      .status = status,
      .content_type = "application/json",
      .body = Json{{"error", std::move(why)}}.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

// A header holds no line breaks.
std::string as_header(std::string sentence) {
  std::ranges::replace_if(
      sentence, [](char c) { return c < ' ' || c > '~'; }, '?');
  return sentence;
}

http::Response as_response(const Question& question, const Json& reply) {
  if (!reply.value("ok", false)) {
    const bool is_theirs = question.request.value("command", "") == "explain";
    return refusal(is_theirs ? bad_request : unavailable, reply.value("error", ""));
  }
  http::Response response{
      .content_type = "application/json",
      .body = reply.at("result").dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
  if (response.body.size() > Desk::longest_answer) {
    return refusal(unavailable, "the answer is too long for a browser: the `sekisho` command has it");
  }
  if (const auto problem = reply.find("problem"); problem != reply.end()) {
    response.headers.emplace_back("Sekisho-Problem", as_header(problem->get<std::string>()));
  }
  return response;
}

}  // namespace

Desk::Desk(boost::asio::io_context& io, serve::Backend& backend, std::uint64_t started_unix_ms)
    : backend_(backend), started_unix_ms_(started_unix_ms), pause_(io) {}

void Desk::ask(const Question& question, Done done) {
  auto key = question.request.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (const auto kept = kept_.find(key); kept != kept_.end()) {
    if (Clock::now() < kept->second.until) {
      done(kept->second.answer);
      return;
    }
    kept_.erase(kept);
  }
  if (current_.key == key && question.fresh > milliseconds::zero()) {
    current_.who.push_back(std::move(done));
    return;
  }
  const auto same = std::ranges::find(waiting_, key, &Waiting::key);
  if (same != waiting_.end()) {
    same->who.push_back(std::move(done));
    return;
  }
  if (waiting_.size() == most_waiting) {
    done(refusal(unavailable, "too many ask at once: try again"));
    return;
  }
  waiting_.push_back({.key = std::move(key), .question = question, .who = {}});
  waiting_.back().who.push_back(std::move(done));
  if (!is_busy_) {
    ask_next();
  }
}

void Desk::ask_next() {
  is_busy_ = !waiting_.empty();
  if (!is_busy_) {
    return;
  }
  current_ = std::move(waiting_.front());
  waiting_.pop_front();
  asked_ = Clock::now();
  try {
    serve::handle(current_.question.request, backend_, started_unix_ms_, [this](const serve::Answer& answer) {
      answered(as_response(current_.question, answer.reply));
    });
  } catch (const std::bad_alloc&) {
    answered(refusal(unavailable, "sekisho-control has no memory for it"));
  }
}

void Desk::answered(const http::Response& response) {
  const auto now = Clock::now();
  const auto took = std::chrono::duration_cast<milliseconds>(now - asked_);
  if (current_.question.fresh > milliseconds::zero()) {
    kept_.insert_or_assign(current_.key, Kept{response, now + current_.question.fresh});
  }
  for (const auto& done : std::exchange(current_, {}).who) {
    done(response);
  }
  pause_.expires_after(std::clamp(took * pauses_per_answer, shortest_pause, longest_pause));
  pause_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      ask_next();
    }
  });
}

}  // namespace sekisho::web
