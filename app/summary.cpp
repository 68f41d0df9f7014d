#include "summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

namespace biject {
namespace {

/// A number, or null for what JSON has no word for.
nlohmann::ordered_json finite(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

}  // namespace

ScoreSummary::Numbers ScoreSummary::numbers(const std::string& units, double features) {
  std::ranges::sort(scores_, {}, &Score::value);
  const auto n = static_cast<double>(scores_.size());
  double total = 0, mean = 0;
  for (const auto& [value, weight] : scores_) {  // running mean: a sum of far points would overflow
    if (weight <= 0) continue;
    total += weight;
    mean += (value - mean) * (weight / total);
  }
  double squares = 0;
  for (const auto& [value, weight] : scores_) squares += std::pow(weight / total * (value - mean), 2);
  // The smallest score that at least this share of the weight does not exceed.
  const auto quantile = [&](double share) {
    double below = 0;
    for (const auto& [value, weight] : scores_)
      if (weight > 0 && (below += weight) >= share * total) return value;
    return scores_.back().value;
  };
  const double bits = units == "bits" ? mean : mean / std::numbers::ln2;
  return {mean,
          std::sqrt(squares * n / (n - 1)),
          scores_.front().value,
          quantile(0.01),
          quantile(0.05),
          quantile(0.5),
          -bits / features};
}

std::string ScoreSummary::text(const std::string& units, double features) {
  const auto s = numbers(units, features);
  auto text = fmt::format("rows                {}\n", scores_.size());
  const auto line = [&](std::string_view name, double value) {
    text += fmt::format("{:<20}{:.4f}\n", name, value);
  };
  const auto error = std::isfinite(s.standard_error) ? fmt::format(" ± {:.4f}", s.standard_error) : "";
  text += fmt::format("{:<20}{:.4f}{} {}\n", "mean log_prob", s.mean, error, units);
  line("minimum", s.minimum);
  line("1st percentile", s.p1);
  line("5th percentile", s.p5);
  line("median", s.median);
  line("bits per dimension", s.bits_per_dimension);
  return text;
}

std::string ScoreSummary::json(const std::string& units, double features) {
  const auto s = numbers(units, features);
  const nlohmann::ordered_json object{{"rows", scores_.size()},
                                      {"units", units},
                                      {"mean", finite(s.mean)},
                                      {"standard_error", finite(s.standard_error)},
                                      {"minimum", finite(s.minimum)},
                                      {"p1", finite(s.p1)},
                                      {"p5", finite(s.p5)},
                                      {"median", finite(s.median)},
                                      {"bits_per_dimension", finite(s.bits_per_dimension)}};
  return object.dump(2) + '\n';
}

}  // namespace biject
