// SPDX-License-Identifier: BSD-3-Clause
// Tables as files, for what reads files.
#pragma once

#include <filesystem>
#include <memory>

#include "bench/tables.hpp"

namespace sekisho::bench {

class RouteFile {
 public:
  // `temporary`: gone with this object.
  RouteFile(std::filesystem::path path, bool temporary) : path_(std::move(path)), temporary_(temporary) {}
  RouteFile(const RouteFile&) = delete;
  RouteFile& operator=(const RouteFile&) = delete;
  ~RouteFile();
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
  bool temporary_;
};

// These throw std::runtime_error when a file cannot be written.
//
// `PREFIX gateway-N` a line.
[[nodiscard]] auto write_text(const Table& table) -> std::unique_ptr<RouteFile>;
// TABLE_DUMP_V2 with one peer and attributes of the usual size, compressed with gzip.
[[nodiscard]] auto write_mrt(const Table& table) -> std::unique_ptr<RouteFile>;
// Azure's own file where there is one, else one with a tag a next hop of the table `tags`.
[[nodiscard]] auto find_service_tags() -> std::unique_ptr<RouteFile>;

}  // namespace sekisho::bench
