// SPDX-License-Identifier: BSD-3-Clause
#include "control/web/desk.hpp"

#include <algorithm>
#include <ctime>
#include <memory>
#include <new>
#include <utility>

#include "control/serve/request.hpp"

namespace sekisho::web {
namespace {

using std::chrono::milliseconds;

constexpr unsigned bad_request = 400;
constexpr unsigned unavailable = 503;

// The time from question to answer holds what else control did meanwhile, a reload say: a pause without an end would keep the page
// from being answered. Where control waits for the dataplane it takes no time.
constexpr milliseconds shortest_pause{5};
constexpr milliseconds longest_pause{1000};
// What is too long for a browser now is so in a moment, too, and making it is what takes long.
constexpr milliseconds too_long_for{60'000};

// Of this thread, in which all of control's work is done.
std::chrono::nanoseconds processor_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

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

}  // namespace

std::string dumped(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Desk::Desk(boost::asio::io_context& io, serve::Backend& backend, std::uint64_t started_unix_ms, int rest)
    : backend_(backend), started_unix_ms_(started_unix_ms), rest_(rest), pause_(io) {}

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
  asked_ = processor_time();
  try {
    if (current_.question.remembered) {
      answered({{"ok", true}, {"result", current_.question.remembered()}});
      return;
    }
    serve::handle(current_.question.request, backend_, started_unix_ms_,
                  [this](const serve::Answer& answer) { answered(answer.reply); });
  } catch (const std::bad_alloc&) {
    answered(refusal(unavailable, "sekisho-control has no memory for it"), current_.question.fresh);
  }
}

void Desk::answered(const Json& reply) {
  const auto& question = current_.question;
  if (!reply.value("ok", false)) {
    const bool is_theirs = question.request.value("command", "") == "explain";
    answered(refusal(is_theirs ? bad_request : unavailable, reply.value("error", "")), question.fresh);
    return;
  }
  auto body = dumped(reply.at("result"));
  if (body.size() > longest_answer) {
    answered(refusal(unavailable, "the answer is too long for a browser: the `sekisho` command has it"),
             too_long_for);
    return;
  }
  http::Response response{.content_type = "application/json",
                          .shared = std::make_shared<const std::string>(std::move(body))};
  if (const auto problem = reply.find("problem"); problem != reply.end()) {
    response.headers.emplace_back("Sekisho-Problem", as_header(problem->get<std::string>()));
  }
  answered(std::move(response), question.fresh);
}

void Desk::answered(http::Response response, milliseconds fresh) {
  if (fresh > milliseconds::zero()) {
    const auto now = Clock::now();
    std::erase_if(kept_, [now](const auto& each) { return each.second.until <= now; });
    if (kept_.size() < most_kept) {
      kept_.insert_or_assign(current_.key, Kept{response, now + fresh});
    }
  }
  for (const auto& done : std::exchange(current_, {}).who) {
    done(response);
  }
  const auto took = std::chrono::ceil<milliseconds>(processor_time() - asked_);
  pause_.expires_after(std::clamp(took * rest_, shortest_pause, longest_pause));
  pause_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      ask_next();
    }
  });
}

}  // namespace sekisho::web
