#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace biject {

/// Collects scores for `score --summary`. Keeps them all, 16 bytes a row: the quantiles are exact.
class ScoreSummary {
 public:
  void add(double score, double weight) {
    scores_.push_back({score, weight});
    total_weight_ += weight;
  }
  std::size_t size() const { return scores_.size(); }
  double total_weight() const { return total_weight_; }

  /// Of at least one row with weight. `units`: nats or bits, those of the scores; `features`: columns that
  /// the density is over.
  std::string text(const std::string& units, double features);
  std::string json(const std::string& units, double features);

 private:
  struct Score {
    double value, weight;
  };
  struct Numbers {
    double mean, standard_error, minimum, p1, p5, median, bits_per_dimension;  // the error of one row is NaN
  };
  Numbers numbers(const std::string& units, double features);
  std::vector<Score> scores_;
  double total_weight_ = 0;
};

}  // namespace biject
