#include "train/prepare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "train/baseline.hpp"

namespace biject {

namespace {

/// Which rows are held out: those that a Fisher–Yates shuffle of all rows, from the last to the first, brings to the first
/// places. Followed back from there, step by step, one bit a row is enough.
std::vector<bool> held_out_rows(Index rows, Index held, std::uint64_t seed) {
  std::vector<bool> is_held_out(static_cast<std::size_t>(rows), false);
  if (held == 0) return is_held_out;
  std::fill_n(is_held_out.begin(), held, true);
  const Rng rng(seed, Stream::split);
  for (auto i = static_cast<std::size_t>(held) + 1; i <= is_held_out.size(); ++i) {
    std::vector<bool>::swap(is_held_out[i - 1], is_held_out[rng.below(i, 0, static_cast<std::uint32_t>(i))]);
  }
  return is_held_out;
}

/// Some rows of a table, in order: for_each visits the cells of each.
struct Selection {
  const RowBlocks& values;
  const std::vector<bool>& is_held_out;
  bool takes_held_out;
  Index rows;

  bool takes(Index row) const { return is_held_out[static_cast<std::size_t>(row)] == takes_held_out; }
  template <class F> void for_each(F&& visit) const {
    values.for_each_block([&](Index first, const RowBlocks::Block& block) {
      for (Index i = 0; i < block.rows(); ++i) {
        if (takes(first + i)) visit(block.data() + i * block.cols());
      }
    });
  }
};

/// Mean and standard deviation of the columns over some rows, safe for offsets and magnitudes at the ends of the range.
/// `for_each` calls a function with the cells of one row after the other.
template <class F> std::vector<Column> describe(const std::vector<std::string>& names, Index rows, F&& for_each) {
  std::vector<Column> columns(names.size());
  const double share = 1 / static_cast<double>(rows);
  bool is_first = true;
  for_each([&](const double* cells) {
    for (std::size_t j = 0; j < columns.size(); ++j) {
      Column& column = columns[j];
      const double value = cells[j];
      if (is_first) column.minimum = column.maximum = value;
      column.mean += value * share;
      column.minimum = std::min(column.minimum, value);
      column.maximum = std::max(column.maximum, value);
    }
    is_first = false;
  });
  std::vector<double> reach, term(columns.size()), square(columns.size(), 0.);
  for (const Column& column : columns) {
    reach.push_back(std::max(column.maximum - column.mean, column.mean - column.minimum));
  }
  for_each([&](const double* cells) {
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const double deviation = (cells[j] - columns[j].mean) / reach[j];
      term[j] = deviation * deviation * share;
    }
    // Apart from the products, so that no compiler makes one operation of the two and of another last bit.
    for (std::size_t j = 0; j < columns.size(); ++j) square[j] += term[j];
  });
  for (std::size_t j = 0; j < columns.size(); ++j) {
    columns[j].name = names[j];
    // Of one value: its rounded mean may lie beside it.
    columns[j].scale = columns[j].minimum == columns[j].maximum ? 0 : reach[j] * std::sqrt(square[j]);
  }
  return columns;
}

Vector<double> weights_of(const Vector<double>& weights, const Selection& selection) {
  if (weights.size() == 0) return {};
  Vector<double> result(selection.rows);
  Index count = 0;
  for (Index row = 0; row < weights.size(); ++row) {
    if (selection.takes(row)) result(count++) = weights(row);
  }
  const double mean = result.mean();
  if (!(mean > 0)) throw Error(ErrorKind::data, "", "all rows held out or all rows left for training have weight zero", "another --seed");
  result /= mean;
  return result;
}

/// Standardises a row: the columns that are given to `context`, the others to `x`, each column `stride` numbers after the one before.
template <class S> void standardise(const std::vector<Column>& columns, const double* cells, S* context, S* x, Index stride) {
  for (const Column& column : columns) {
    S*& next = column.is_given ? context : x;
    *next = static_cast<S>((*cells++ - column.mean) / column.scale);
    next += stride;
  }
}

/// Puts rows, standardised, one after the other.
template <class S> class Filler {
 public:
  Filler(Rows<S>& target, const std::vector<Column>& columns, Index rows) : target_(target), columns_(columns) {
    const Index given = std::ranges::count_if(columns, &Column::is_given);
    target.x.resize(rows, std::ssize(columns) - given);
    target.context.resize(rows, given);
  }
  void put(const double* cells) {
    standardise(columns_, cells, target_.context.row(filled_).data(), target_.x.row(filled_).data(), 1);
    ++filled_;
  }

 private:
  Rows<S>& target_;
  const std::vector<Column>& columns_;
  Index filled_ = 0;
};

RowStream stream(const Selection& selection, const std::vector<Column>& columns, const Vector<double>& weights) {
  const Index given = std::ranges::count_if(columns, &Column::is_given);
  const auto for_each_block = [&selection, &columns, given](const std::function<void(Matrix<double>&)>& visit) {
    constexpr Index kNumbersPerBlock = 400'000;  // a few MB with what becomes of them
    const Index most = std::max<Index>(1, kNumbersPerBlock / std::ssize(columns));
    Matrix<double> block;
    Index left = selection.rows, count = 0;
    selection.for_each([&](const double* cells) {
      if (count == 0) block.resize(std::min(most, left), std::ssize(columns));
      double* to = block.data() + count++;
      standardise(columns, cells, to, to + given * block.rows(), block.rows());
      if (count < block.rows()) return;
      visit(block);
      left -= std::exchange(count, 0);
    });
  };
  return {selection.rows, std::ssize(columns) - given, given, weights, for_each_block};
}

/// A uniform base has no density outside its box, so every row to train on must lie inside.
void check_box(const std::vector<Column>& columns, double tail) {
  const auto reach = [](const Column& column) {
    return std::max((column.maximum - column.mean) / column.scale, (column.mean - column.minimum) / column.scale);
  };
  const Column* farthest = nullptr;
  for (const Column& column : columns) {
    if (!column.is_given && (farthest == nullptr || reach(column) > reach(*farthest))) farthest = &column;
  }
  if (reach(*farthest) < tail) return;
  throw Error(ErrorKind::data, "",
              fmt::format("--base uniform: a value of column '{}' lies {:.4g} standard deviations from its mean, outside the box of ±{:.4g}",
                          farthest->name, reach(*farthest), tail),
              fmt::format("--tail {:.2g}", 1.1 * reach(*farthest) + 0.05));
}

std::vector<Column> describe(const FitData& data, const Selection& training, const Selection& held_out) {
  const auto cells_of = [](const Selection& selection) {
    return [&selection](auto&& visit) { selection.for_each(visit); };
  };
  std::vector<Column> columns = describe(data.names, training.rows, cells_of(training));
  const auto has_no_scale = [](const Column& column) { return !(column.scale > 0); };
  if (std::ranges::any_of(columns, has_no_scale)) {  // those may vary in held-out rows only
    std::vector<Column> of_all = describe(data.names, data.values.rows(), [&](auto&& visit) {
      cells_of(held_out)(visit);
      cells_of(training)(visit);
    });
    for (std::size_t j = 0; j < columns.size(); ++j) {
      if (has_no_scale(columns[j])) columns[j] = std::move(of_all[j]);
    }
  }
  for (std::size_t j = 0; j < columns.size(); ++j) {
    Column& column = columns[j];
    column.is_given = data.is_given[j];
    if (column.scale > 0 && std::isfinite(column.scale) && std::isfinite(column.mean)) continue;
    const bool is_constant = column.minimum == column.maximum;
    throw Error(ErrorKind::data, "",
                fmt::format("column '{}' {}", column.name,
                            is_constant ? "is constant: it has no density" : "spans more than a double can hold"),
                fmt::format("-C '{}'", column.name));
  }
  return columns;
}

}  // namespace

template <class S> Prepared<S> prepare(FitData data, const FitPlan& plan, std::uint64_t seed) {
  const Index rows = data.values.rows(), held = data.validation ? 0 : plan.validation_rows;
  const std::vector<bool> is_held_out = held_out_rows(rows, held, seed);
  const std::vector<bool> is_apart(data.validation ? static_cast<std::size_t>(data.validation->rows()) : 0, true);
  const Selection training{data.values, is_held_out, false, rows - held};
  const Selection held_out{data.values, is_held_out, true, held};
  const Selection validation =
      data.validation ? Selection{*data.validation, is_apart, true, data.validation->rows()} : held_out;

  Prepared<S> result;
  result.columns = describe(data, training, held_out);
  for (const Column& column : result.columns) {
    if (!column.is_given) result.log_scales += std::log(column.scale);
  }
  result.training_weights = weights_of(data.weights, training);
  result.validation_weights = weights_of(data.validation ? data.validation_weights : data.weights, validation);
  if (plan.spec.base == "uniform") check_box(result.columns, plan.spec.tail);
  result.gaussian = gaussian_baseline(stream(training, result.columns, result.training_weights),
                                      stream(validation, result.columns, result.validation_weights));

  Filler<S> to_training(result.training, result.columns, training.rows), to_validation(result.validation, result.columns, validation.rows);
  data.values.take_blocks([&](Index first, const RowBlocks::Block& block) {
    for (Index i = 0; i < block.rows(); ++i) (training.takes(first + i) ? to_training : to_validation).put(block.data() + i * block.cols());
  });
  if (data.validation) {
    data.validation->take_blocks([&](Index, const RowBlocks::Block& block) {
      for (Index i = 0; i < block.rows(); ++i) to_validation.put(block.data() + i * block.cols());
    });
  }
  result.training.weights = result.training_weights.template cast<S>();
  result.validation.weights = result.validation_weights.template cast<S>();
  return result;
}

template Prepared<float> prepare<float>(FitData, const FitPlan&, std::uint64_t);
template Prepared<double> prepare<double>(FitData, const FitPlan&, std::uint64_t);

}  // namespace biject
