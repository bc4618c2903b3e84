// SPDX-License-Identifier: BSD-3-Clause
#include "control/history/store.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <utility>

#include "common/base/file.hpp"
#include "common/base/write_whole.hpp"

namespace sekisho::history {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view pin_name = "starts-with.json";
constexpr std::string_view entry_name = "entry.json";
constexpr std::size_t most_text = 1 << 20;

auto parse_pin(std::string_view text) -> std::optional<Pin> {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("policy") || !json["policy"].is_number_unsigned() ||
      !json.contains("trial") || !json["trial"].is_boolean()) {
    return std::nullopt;
  }
  return Pin{.policy = json["policy"], .is_trial = json["trial"]};
}

// A folder of an entry has its number as name; 0: it is none.
auto number_of(const std::string& name) -> std::uint64_t {
  constexpr std::size_t most_digits = 18;
  const bool is_number = !name.empty() && name.size() <= most_digits && name.front() != '0' &&
                         std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? std::stoull(name) : 0;
}

}  // namespace

auto write_pin(const fs::path& directory, const std::optional<Pin>& pin) -> tl::expected<void, std::string> {
  const auto file = directory / pin_name;
  if (!pin) {
    std::error_code error;
    fs::remove(file, error);
    return error ? tl::expected<void, std::string>{tl::unexpected(
                       fmt::format("{} cannot be removed: {}", file.native(), error.message()))}
                 : tl::expected<void, std::string>{};
  }
  const nlohmann::ordered_json json{{"policy", pin->policy}, {"trial", pin->is_trial}};
  return base::write_whole(file, json.dump() + "\n", {.waits_for_disk = true});
}

auto Store::open(fs::path directory) -> Store {
  Store store{std::move(directory)};
  store.read_entries();
  store.read_pin();
  return store;
}

void Store::read_entries() {
  std::error_code error;
  std::vector<fs::path> unfinished;
  for (fs::directory_iterator at{directory_, error}, end; !error && at != end; at.increment(error)) {
    const auto name = at->path().filename().native();
    if (name.starts_with("new.")) {
      unfinished.push_back(at->path());
      continue;
    }
    const auto number = number_of(name);
    if (number == 0) {
      continue;
    }
    const auto file = at->path() / entry_name;
    const auto text = base::read_file(file, most_text);
    auto entry = text ? parse_entry(*text) : tl::unexpected(text.error().reason);
    if (!entry || entry->number != number) {
      problems_.push_back(
          fmt::format("{}: {}", file.native(), entry ? "has another's number" : entry.error()));
      continue;
    }
    entries_.push_back(std::move(*entry));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    problems_.push_back(fmt::format("{} cannot be listed: {}", directory_.native(), error.message()));
  }
  for (const auto& folder : unfinished) {
    fs::remove_all(folder, error);
  }
  std::ranges::sort(entries_, {}, &Entry::number);
}

void Store::read_pin() {
  const auto file = directory_ / pin_name;
  std::error_code error;
  if (!fs::exists(file, error) && !error) {
    return;
  }
  const auto text = base::read_file(file, most_text);
  pin_ = text ? parse_pin(*text) : std::nullopt;
  if (!pin_) {
    problems_.push_back(
        fmt::format("{}: {}", file.native(), text ? "does not name a policy" : text.error().reason));
  } else if (find(pin_->policy) == nullptr) {
    problems_.push_back(fmt::format("{}: policy {} is not in the history", file.native(), pin_->policy));
    pin_.reset();
  }
}

const Entry* Store::find(std::uint64_t number) const {
  const auto found = std::ranges::find(entries_, number, &Entry::number);
  return found == entries_.end() ? nullptr : &*found;
}

auto Store::folder(std::uint64_t number) const -> fs::path {
  return directory_ / std::to_string(number);
}

auto Store::root(std::uint64_t number) const -> fs::path {
  return root_of(folder(number));
}

auto Store::newest_root() const -> fs::path {
  return entries_.empty() ? fs::path{} : root(entries_.back().number);
}

auto Store::keep(Copy& copy, std::string cause, std::uint64_t now_unix_ms,
                 std::optional<std::uint64_t> spared) -> tl::expected<std::uint64_t, std::string> {
  if (copy.kept_as()) {
    return *copy.kept_as();
  }
  if (!entries_.empty() && copy.same_as() == newest_root() && copy.files() == entries_.back().files) {
    return entries_.back().number;
  }
  Entry entry{.number = entries_.empty() ? 1 : entries_.back().number + 1,
              .ran_unix_ms = now_unix_ms,
              .cause = std::move(cause),
              .files = copy.files()};
  const auto place = folder(entry.number);
  std::error_code error;
  fs::remove_all(place, error);  // one that could not be read
  if (auto kept = copy.keep(place, entry.number).and_then([&] {
        return base::write_whole(place / entry_name, to_text(entry));
      });
      !kept) {
    return tl::unexpected(std::move(kept.error()));
  }
  entries_.push_back(std::move(entry));
  forget_oldest(spared);
  return entries_.back().number;
}

void Store::forget_oldest(std::optional<std::uint64_t> spared) {
  std::error_code ignored;
  while (entries_.size() > 2 && (entries_.size() > most || bytes() > most_bytes)) {
    const auto oldest = std::ranges::find_if(entries_, [&](const Entry& entry) {
      return entry.number != spared && (!pin_ || entry.number != pin_->policy);
    });
    if (oldest == entries_.end() || std::next(oldest) == entries_.end()) {
      return;
    }
    fs::remove_all(folder(oldest->number), ignored);
    entries_.erase(oldest);
  }
}

// What entries share counts once.
auto Store::bytes() const -> std::uintmax_t {
  std::set<ino_t> seen;
  std::uintmax_t sum = 0;
  for (const auto& entry : entries_) {
    for (const auto& file : entry.files) {
      struct stat found {};
      if (::stat(beneath(root(entry.number), file).c_str(), &found) == 0 &&
          seen.insert(found.st_ino).second) {
        sum += static_cast<std::uintmax_t>(found.st_size);
      }
    }
  }
  return sum;
}

auto Store::set_pin(std::optional<Pin> pin) -> tl::expected<void, std::string> {
  return write_pin(directory_, pin).map([&] { pin_ = pin; });
}

}  // namespace sekisho::history
