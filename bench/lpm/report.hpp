// Measured cells as a table for people and as JSON for tools.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "bench/lpm/cell.hpp"

namespace sekisho::bench {

void print(const std::vector<Cell>& cells);

// In the shape of Google Benchmark's --benchmark_format=json, so that its tools read it.
void write_json(const std::filesystem::path& file, const nlohmann::json& context,
                const std::vector<Cell>& cells);

}  // namespace sekisho::bench
