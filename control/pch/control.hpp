// Precompiled: what most of control includes and what takes a compiler longest. Headers still include what they use
// (`ninja headers`).
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio.hpp>
#include <nlohmann/json.hpp>

#include "dataplane.pb.h"
