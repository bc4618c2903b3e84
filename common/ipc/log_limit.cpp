// SPDX-License-Identifier: BSD-3-Clause
#include "common/ipc/log_limit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace sekisho::ipc {
namespace {

constexpr std::size_t longest_key = 200;

// Numbers, addresses and lines of files do not make another kind.
std::string key_of(const LogLimit::Line& line) {
  std::string key(1, static_cast<char>('a' + line.level));
  for (const char c : line.text.substr(0, longest_key)) {
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit) {
      key.push_back(c);
    } else if (key.back() != '0') {
      key.push_back('0');
    }
  }
  return key;
}

void sort_by_time(std::vector<LogLimit::Held>& lines) {
  std::ranges::stable_sort(lines, {}, &LogLimit::Held::time);
}

}  // namespace

void LogLimit::Kind::refill(Time now) {
  const std::chrono::duration<double> passed = now - since;
  tokens = std::min<double>(burst, tokens + passed / between);
  since = now;
}

auto LogLimit::kind_of(const Line& line, Time now) -> Kind& {
  auto key = key_of(line);
  if (const auto known = kinds_.find(key); known != kinds_.end()) {
    return known->second;
  }
  if (kinds_.size() >= most_kinds) {
    for (auto entry = kinds_.begin(); entry != kinds_.end();) {
      auto& kind = entry->second;
      kind.refill(now);
      entry = kind.held == 0 && kind.tokens >= burst ? kinds_.erase(entry) : std::next(entry);
    }
  }
  if (kinds_.size() >= most_kinds) {
    key.clear();
  }
  return kinds_.try_emplace(std::move(key), Kind{.since = now, .last = {}}).first->second;
}

bool LogLimit::admit(const Line& line, Time now) {
  auto& kind = kind_of(line, now);
  kind.refill(now);
  if (kind.held == 0 && kind.tokens >= 1) {
    kind.tokens -= 1;
    return true;
  }
  holding_ += kind.held++ == 0 ? 1 : 0;
  kind.last = {.level = line.level, .time = line.time, .text = std::string(line.text)};
  return false;
}

auto LogLimit::release(Kind& kind) -> Held {
  auto line = std::exchange(kind.last, {});
  if (const auto more = std::exchange(kind.held, 0) - 1; more != 0) {
    line.text += fmt::format(" ({} more like this)", more);
  }
  --holding_;
  return line;
}

auto LogLimit::take_due(Time now) -> std::vector<Held> {
  std::vector<Held> due;
  if (holding_ == 0) {
    return due;
  }
  for (auto& [key, kind] : kinds_) {
    if (kind.held == 0) {
      continue;
    }
    kind.refill(now);
    if (kind.tokens >= 1) {
      kind.tokens -= 1;
      due.push_back(release(kind));
    }
  }
  sort_by_time(due);
  return due;
}

auto LogLimit::take_all() -> std::vector<Held> {
  std::vector<Held> all;
  for (auto& [key, kind] : kinds_) {
    if (kind.held != 0) {
      all.push_back(release(kind));
    }
  }
  sort_by_time(all);
  return all;
}

}  // namespace sekisho::ipc
