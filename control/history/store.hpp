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

// In sekisho-control's state directory.
[[nodiscard]] auto directory_in(const std::filesystem::path& state_directory) -> std::filesystem::path;
// The configuration that sekisho-control will start with: `config`, or its copy of the policy that is pinned.
struct Starting {
  std::filesystem::path config;
  std::filesystem::path root{};  // beneath which the copy has all its files; empty: it is no copy
};
[[nodiscard]] auto configuration_that_starts(const std::filesystem::path& state_directory,
                                             const std::filesystem::path& config) -> Starting;

class Store {
 public:
  static constexpr std::size_t most = 20;
  static constexpr std::uintmax_t most_bytes = std::uintmax_t{1} << 30;

  // Empty, as long as nobody has looked.
  explicit Store(std::filesystem::path directory) : directory_(std::move(directory)) {}
  // Of what cannot be read, `problems` tell; it is not there then.
  [[nodiscard]] static auto open(std::filesystem::path directory) -> Store;

  // What a process that is gone was copying. No other process may be copying now.
  void remove_unfinished() const;

  [[nodiscard]] const auto& directory() const noexcept { return directory_; }
  [[nodiscard]] const auto& problems() const noexcept { return problems_; }
  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }  // the oldest first
  [[nodiscard]] const Entry* find(std::uint64_t number) const;
  // Where it has its files: beneath() takes it.
  [[nodiscard]] auto root(std::uint64_t number) const -> std::filesystem::path;
  [[nodiscard]] auto newest_root() const -> std::filesystem::path;  // empty: there is none

  // The number under which the copy is kept: the newest's, if it is that one again. The oldest go when there are too many, but for
  // `spared`.
  [[nodiscard]] auto keep(Copy& copy, std::optional<std::uint64_t> spared)
      -> tl::expected<std::uint64_t, std::string>;

  [[nodiscard]] const std::optional<Pin>& pin() const noexcept { return pin_; }
  // Waits for the disk. After an error this has the one before, and the disk either of them.
  [[nodiscard]] auto set_pin(std::optional<Pin> pin) -> tl::expected<void, std::string>;
  // Another thread has written it.
  void pin_is(Pin pin) { pin_ = pin; }

 private:
  void read_entries();
  void read_pin();
  void forget_oldest(std::optional<std::uint64_t> spared);
  [[nodiscard]] auto folder(std::uint64_t number) const -> std::filesystem::path;
  [[nodiscard]] auto bytes() const -> std::uintmax_t;

  std::filesystem::path directory_;
  std::vector<std::string> problems_;
  std::vector<Entry> entries_;
  std::uint64_t last_number_ = 0;  // of any folder, also of one that cannot be read: it may be pinned
  std::optional<Pin> pin_;
};

}  // namespace sekisho::history
