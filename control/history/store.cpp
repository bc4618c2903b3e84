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
#include "common/base/watch.hpp"
#include "common/base/write_whole.hpp"

namespace sekisho::history {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view pin_name = "starts-with.json";
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
  const base::Waiting waiting{file};
  if (!pin) {
    return base::remove_whole(file);
  }
  const nlohmann::ordered_json json{{"policy", pin->policy}, {"trial", pin->is_trial}};
  return base::write_whole(file, json.dump() + "\n", {.waits_for_disk = true});
}

auto directory_in(const fs::path& state_directory) -> fs::path {
  return state_directory / "history";
}

auto configuration_that_starts(const fs::path& state_directory, const fs::path& config) -> Starting {
  const auto store = Store::open(directory_in(state_directory));
  const auto* entry = store.pin() ? store.find(store.pin()->policy) : nullptr;
  if (entry == nullptr) {
    return {.config = config};
  }
  auto root = store.root(entry->number);
  return {.config = beneath(root, entry->files.front()), .root = root};
}

auto Store::open(fs::path directory) -> Store {
  Store store{std::move(directory)};
  store.read_entries();
  store.read_pin();
  return store;
}

void Store::read_entries() {
  std::error_code error;
  for (fs::directory_iterator at{directory_, error}, end; !error && at != end; at.increment(error)) {
    const auto name = at->path().filename().native();
    const auto number = number_of(name);
    if (number == 0) {
      continue;
    }
    last_number_ = std::max(last_number_, number);
    const auto file = at->path() / entry_name;
    const auto text = base::read_file(file, most_text);
    auto entry = text ? parse_entry(*text) : tl::unexpected(text.error().reason);
    if (!entry) {
      problems_.push_back(fmt::format("{}: {}", file.native(), entry.error()));
      continue;
    }
    entry->number = number;
    entries_.push_back(std::move(*entry));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    problems_.push_back(fmt::format("{} cannot be listed: {}", directory_.native(), error.message()));
  }
  std::ranges::sort(entries_, {}, &Entry::number);
}

void Store::remove_unfinished() const {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator at{directory_, error}, end; !error && at != end; at.increment(error)) {
    if (at->path().filename().native().starts_with(unfinished)) {
      found.push_back(at->path());
    }
  }
  for (const auto& folder : found) {
    fs::remove_all(folder, error);
  }
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

auto Store::keep(Copy& copy, std::optional<std::uint64_t> spared)
    -> tl::expected<std::uint64_t, std::string> {
  if (copy.entry().number != 0) {
    return copy.entry().number;
  }
  if (!entries_.empty() && copy.same_as() == newest_root() && copy.entry().files == entries_.back().files) {
    copy.be(entries_.back().number);
    return copy.entry().number;
  }
  if (auto kept = copy.keep(folder(last_number_ + 1), last_number_ + 1); !kept) {
    return tl::unexpected(std::move(kept.error()));
  }
  entries_.push_back(copy.entry());
  ++last_number_;
  forget_oldest(spared);
  return last_number_;
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
