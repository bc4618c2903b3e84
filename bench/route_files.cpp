// SPDX-License-Identifier: BSD-3-Clause
#include "bench/route_files.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "tests/unit/fib/tables.hpp"

namespace sekisho::bench {
namespace {

auto temporary_path(std::string_view ending) -> std::filesystem::path {
  return std::filesystem::temp_directory_path() / fmt::format("sekisho-bench-{}.{}", getpid(), ending);
}

[[noreturn]] void cannot_write(const std::filesystem::path& path) {
  throw std::runtime_error{fmt::format("{} cannot be written", path.string())};
}

void append(std::string& bytes, std::uint64_t value, unsigned size) {
  while (size-- > 0) {
    bytes += static_cast<char>(value >> (8 * size));
  }
}

// RFC 6396, 2.
void append_record(std::string& bytes, unsigned subtype, const std::string& message) {
  constexpr unsigned table_dump_v2 = 13;
  append(bytes, 0, 4);
  append(bytes, table_dump_v2, 2);
  append(bytes, subtype, 2);
  append(bytes, message.size(), 4);
  bytes += message;
}

constexpr std::uint32_t peer_address = 0x0a000001;

// ORIGIN, AS_PATH of four, NEXT_HOP, MULTI_EXIT_DISC and two communities.
auto path_attributes(const fib::Route& route) -> std::string {
  std::string bytes{"\x40\x01\x01\x00\x40\x02\x12\x02\x04", 9};
  for (unsigned i = 0; i < 4; ++i) {
    append(bytes, 65001 + (route.prefix.address >> (8 * i) & 0xff), 4);
  }
  bytes += "\x40\x03\x04";
  append(bytes, peer_address + route.value, 4);
  bytes += "\x80\x04\x04";
  append(bytes, route.value, 4);
  bytes += "\xc0\x08\x08";
  append(bytes, std::uint64_t{65001} << 48 | route.prefix.address, 8);
  return bytes;
}

auto peer_index_table() -> std::string {
  std::string message;
  append(message, peer_address, 4);
  append(message, 0, 2);  // the view has no name
  append(message, 1, 2);
  append(message, 0, 1);
  append(message, peer_address, 4);
  append(message, peer_address, 4);
  append(message, 65001, 2);
  return message;
}

auto rib(const fib::Route& route, std::uint32_t number) -> std::string {
  std::string message;
  append(message, number, 4);
  append(message, route.prefix.length, 1);
  const unsigned size = (route.prefix.length + 7U) / 8;
  append(message, std::uint64_t{route.prefix.address} >> (32 - 8 * size), size);
  append(message, 1, 2);
  append(message, 0, 6);  // the only peer, and when
  const auto attributes = path_attributes(route);
  append(message, attributes.size(), 2);
  return message + attributes;
}

}  // namespace

RouteFile::~RouteFile() {
  if (temporary_) {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
}

auto write_text(const Table& table) -> std::unique_ptr<RouteFile> {
  auto file = std::make_unique<RouteFile>(temporary_path("txt"), true);
  std::ofstream out{file->path()};
  for (const auto& [prefix, next_hop] : table.routes) {
    out << fmt::format("{} gateway-{}\n", to_string(prefix), next_hop);
  }
  if (!out.flush()) {
    cannot_write(file->path());
  }
  return file;
}

auto write_mrt(const Table& table) -> std::unique_ptr<RouteFile> {
  std::string bytes;
  append_record(bytes, 1, peer_index_table());
  std::uint32_t number = 0;
  for (const auto& route : table.routes) {
    append_record(bytes, 2, rib(route, number++));
  }
  auto file = std::make_unique<RouteFile>(temporary_path("mrt.gz"), true);
  gzFile out = gzopen(file->path().c_str(), "wb6");
  if (out == nullptr) {
    cannot_write(file->path());
  }
  const auto written = gzwrite(out, bytes.data(), static_cast<unsigned>(bytes.size()));
  if (gzclose(out) != Z_OK || written != static_cast<int>(bytes.size())) {
    cannot_write(file->path());
  }
  return file;
}

auto find_service_tags() -> std::unique_ptr<RouteFile> {
  if (const auto real = fib::testing::find_data("azure/ServiceTags_Public_20251117.json.gz")) {
    return std::make_unique<RouteFile>(*real, false);
  }
  std::map<fib::Value, nlohmann::json> prefixes;
  const auto table = make_table("tags").value();
  for (const auto& route : table.routes) {
    prefixes[route.value].push_back(to_string(route.prefix));
  }
  auto values = nlohmann::json::array();
  for (auto& [next_hop, list] : prefixes) {
    values.push_back({{"name", fmt::format("Tag{}", next_hop)},
                      {"properties", {{"addressPrefixes", std::move(list)}, {"networkFeatures", {"UDR"}}}}});
  }
  auto file = std::make_unique<RouteFile>(temporary_path("json"), true);
  std::ofstream out{file->path()};
  out << nlohmann::json{{"changeNumber", 1}, {"cloud", "Public"}, {"values", std::move(values)}};
  if (!out.flush()) {
    cannot_write(file->path());
  }
  return file;
}

}  // namespace sekisho::bench
