// SPDX-License-Identifier: BSD-3-Clause
// The policies that ran, so that one of them can run again; and which of them runs instead of the configuration, also after a restart.
//
//   DIRECTORY/17/entry.json             when it ran, why, and from which files
//   DIRECTORY/17/root/etc/sekisho/...   these files as they were (copy.hpp)
//   DIRECTORY/starts-with.json          the policy that runs, and is started, instead of the configuration; absent: none
//
// Not for several threads, but for what says so.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "control/history/copy.hpp"
#include "control/history/entry.hpp"

namespace sekisho::history {

// The policy that is started instead of the configuration.
struct Pin {
  std::uint64_t policy = 0;
  // While a newer one runs that nobody has confirmed yet.
  bool is_trial = false;

  friend bool operator==(const Pin&, const Pin&) = default;
};

// Also on the thread that reads: what follows must not run before the disk has it. The error is a sentence.
[[nodiscard]] auto write_pin(const std::filesystem::path& directory, const std::optional<Pin>& pin)
    -> tl::expected<void, std::string>;

class Store {
 public:
  static constexpr std::size_t most = 20;
  static constexpr std::uintmax_t most_bytes = std::uintmax_t{1} << 30;

  // Of what cannot be read, `problems` tell; it is not there then.
  [[nodiscard]] static auto open(std::filesystem::path directory) -> Store;

  [[nodiscard]] const auto& directory() const noexcept { return directory_; }
  [[nodiscard]] const auto& problems() const noexcept { return problems_; }
  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }  // the oldest first
  [[nodiscard]] const Entry* find(std::uint64_t number) const;
  // Where it has its files: beneath() takes it.
  [[nodiscard]] auto root(std::uint64_t number) const -> std::filesystem::path;
  [[nodiscard]] auto newest_root() const -> std::filesystem::path;  // empty: there is none

  // The number under which the copy is kept: the newest's, if it is that one again. The oldest go when there are too many, but for
  // `spared`.
  [[nodiscard]] auto keep(Copy& copy, std::string cause, std::uint64_t now_unix_ms,
                          std::optional<std::uint64_t> spared) -> tl::expected<std::uint64_t, std::string>;

  [[nodiscard]] const std::optional<Pin>& pin() const noexcept { return pin_; }
  // Nothing has changed after an error.
  [[nodiscard]] auto set_pin(std::optional<Pin> pin) -> tl::expected<void, std::string>;
  // Another thread has written it.
  void pin_is(Pin pin) { pin_ = pin; }

 private:
  explicit Store(std::filesystem::path directory) : directory_(std::move(directory)) {}
  void read_entries();
  void read_pin();
  void forget_oldest(std::optional<std::uint64_t> spared);
  [[nodiscard]] auto folder(std::uint64_t number) const -> std::filesystem::path;
  [[nodiscard]] auto bytes() const -> std::uintmax_t;

  std::filesystem::path directory_;
  std::vector<std::string> problems_;
  std::vector<Entry> entries_;
  std::optional<Pin> pin_;
};

}  // namespace sekisho::history
