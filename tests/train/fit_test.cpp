#include "train/fit.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "core/error.hpp"
#include "flows/catalogue.hpp"
#include "laws/subject.hpp"
#include "model/model_file.hpp"
#include "train/engine.hpp"

using namespace biject;

namespace {

/// A banana: b bends with a.
FitData banana(Index rows, std::uint64_t seed = 1) {
  FitData data;
  data.names = {"a", "b"};
  data.is_given = {false, false};
  Matrix<double> values = Subject<double>::random(rows, 2, seed, 1);
  values.col(1).array() = 0.3 * values.col(1).array() + values.col(0).array().square();
  data.values = values;
  return data;
}

template <class F> void change_values(FitData& data, F&& change) {
  Matrix<double> values = data.values.matrix();
  change(values);
  data.values = values;
}

Model fit_small(const FitData& data, FitRequest request, int threads = 1) {
  const auto context = static_cast<Index>(std::ranges::count(data.is_given, true));
  const FlowRow* row = find_flow(request.flow);
  const std::string options = row != nullptr ? options_of(default_spec(*row, 100, 2, context)) : "";
  if (lists(options, "layers")) request.layers = 2;
  if (lists(options, "hidden")) request.hidden = std::vector<Index>{16};
  request.epochs = request.epochs.value_or(8);
  const FitPlan plan = plan_fit(request, data.values.rows(), data.validation ? data.validation->rows() : 0,
                                std::ssize(data.names) - context, context);
  ThreadPool pool(threads);
  return fit(data, plan, request, pool, {});
}

template <class F> FitRequest request_with(F&& change) {
  FitRequest request;
  change(request);
  return request;
}

std::vector<double> score(const Model& model, const Matrix<double>& rows, int lanes = 1) {
  std::vector<double> result(static_cast<std::size_t>(rows.rows()));
  Engine(model, false, lanes).log_prob(lanes - 1, rows, result);
  return result;
}

}  // namespace

TEST_CASE("save, load, score: the same bytes") {
  const FitData data = banana(400);
  for (const FlowRow& row : catalogue()) {
    for (const bool in_double : {false, true}) {
      CAPTURE(row.name);
      FitRequest request;
      request.flow = row.name;
      request.in_double = in_double;
      request.epochs = 2;
      const Model model = fit_small(data, request);
      const std::string bytes = serialize(model);
      const Model again = parse_model(bytes, "test");
      CHECK(serialize(again) == bytes);
      CHECK(score(model, data.values.matrix()) == score(again, data.values.matrix(), 2));
    }
  }
}

TEST_CASE("the same seed gives the same file, whatever the threads; another seed another") {
  const FitData data = banana(500);
  FitRequest request;
  const std::string first = serialize(fit_small(data, request, 1));
  for (const int threads : {1, 2, 5}) CHECK(serialize(fit_small(data, request, threads)) == first);
  request.seed = 1;
  CHECK(serialize(fit_small(data, request, 1)) != first);
}

TEST_CASE("the density is in the units of the file") {
  // Powers of two scale without rounding, so the standardised rows, and with them the fit, are the same.
  const FitData data = banana(500);
  FitData scaled = data;
  change_values(scaled, [](auto& values) { values *= 1024; });
  const Model model = fit_small(data, {}), other = fit_small(scaled, {});
  const std::vector<double> a = score(model, data.values.matrix()), b = score(other, scaled.values.matrix());
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(b[i] == doctest::Approx(a[i] - 2 * std::log(1024.)).epsilon(1e-9));
  CHECK(other.training.gaussian.mean == doctest::Approx(model.training.gaussian.mean - 2 * std::log(1024.)).epsilon(1e-9));
}

TEST_CASE("the density of a fitted model integrates to one in the units of the file") {
  FitData data = banana(1000);
  change_values(data, [](auto& values) {
    values.col(0) *= 50;
    values.col(1).array() += 1e4;
  });
  const Model model = fit_small(data, {});
  const Index side = 1200;
  Matrix<double> grid(side * side, 2);
  const Vector<double> a = Vector<double>::LinSpaced(side, -500, 500), b = Vector<double>::LinSpaced(side, 1e4 - 12, 1e4 + 24);
  for (Index i = 0; i < side; ++i) {
    grid.col(0).segment(i * side, side).setConstant(a(i));
    grid.col(1).segment(i * side, side) = b;
  }
  double sum = 0;
  for (const double value : score(model, grid)) sum += std::exp(value);
  CHECK(std::abs(sum * (a(1) - a(0)) * (b(1) - b(0)) - 1) < 1e-3);
}

TEST_CASE("a fit is never worse than the Gaussian it starts from, and better where the data bend") {
  const Model model = fit_small(banana(2000), request_with([](FitRequest& r) { r.epochs = 30; }));
  CHECK(model.training.validation.mean > model.training.gaussian.mean + 0.3);
  const Model one_epoch = fit_small(banana(2000), request_with([](FitRequest& r) {
                                    r.epochs = 1;
                                    r.learning_rate = 10;  // hopeless
                                  }));
  CHECK(one_epoch.training.validation.mean >= one_epoch.training.gaussian.mean - 1e-3);
}

TEST_CASE("what is reported is what the model scores") {
  FitData data = banana(800);
  data.validation = banana(300, 2).values;
  const Model model = fit_small(data, {});
  const std::vector<double> scores = score(model, data.validation->matrix());
  double mean = 0;
  for (const double value : scores) mean += value / 300;
  CHECK(model.training.validation.mean == doctest::Approx(mean).epsilon(1e-9));
  CHECK(model.training.validation.rows == 300);
  CHECK(model.training.rows == 800);
}

TEST_CASE("a given column is conditioned on, not modelled") {
  FitData data = banana(2000);
  data.is_given = {true, false};
  for (const FlowRow& row : catalogue()) {
    CAPTURE(row.name);
    FitRequest request;
    request.flow = row.name;
    const Model model = fit_small(data, request);
    CHECK(model.spec.features == 1);
    CHECK(model.spec.context == 1);
    // For any a the density of b integrates to one.
    for (const double a : {-1., 0., 2.}) {
      Matrix<double> rows(20'000, 2);
      rows.col(0).setConstant(a);
      rows.col(1) = Vector<double>::LinSpaced(20'000, -25, 35);
      double sum = 0;
      for (const double value : score(model, rows)) sum += std::exp(value);
      CHECK(sum * (rows(1, 1) - rows(0, 1)) == doctest::Approx(1).epsilon(1e-3));
    }
  }
}

TEST_CASE("columns far from zero, tiny and huge columns are fitted alike") {
  FitData data = banana(500);
  const Model plain = fit_small(data, {});
  FitData odd = data;
  change_values(odd, [](auto& values) {
    values.col(0) *= 0x1p-400;
    values.col(1) *= 0x1p+400;
  });
  const Model model = fit_small(odd, {});
  CHECK(model.training.validation.mean == doctest::Approx(plain.training.validation.mean).epsilon(1e-6));
  FitData offset = data;
  change_values(offset, [](auto& values) { values.array() += 1e9; });
  CHECK(std::isfinite(fit_small(offset, {}).training.validation.mean));
}

TEST_CASE("too few rows, constant columns and contradictions are refused by name") {
  const auto kind_of = [](const FitData& data, const FitRequest& request) {
    try {
      fit_small(data, request);
    } catch (const Error& error) {
      return static_cast<int>(error.kind());
    }
    return 0;
  };
  CHECK(kind_of(banana(9), {}) == 3);
  FitData constant = banana(100);
  change_values(constant, [](auto& values) { values.col(1).setConstant(4); });
  CHECK(kind_of(constant, {}) == 3);
  CHECK(kind_of(banana(100), request_with([](FitRequest& r) { r.flow = "nonsense"; })) == 2);
  CHECK(kind_of(banana(100), request_with([](FitRequest& r) { r.flow = "maf", r.bins = 4; })) == 2);
  CHECK(kind_of(banana(100), request_with([](FitRequest& r) { r.tail = -1; })) == 2);
  CHECK(kind_of(banana(100), request_with([](FitRequest& r) { r.validation_fraction = 1; })) == 2);
  CHECK(kind_of(banana(100), {}) == 0);
}

TEST_CASE("a plan says how many rows a fit can take") {
  const FitRequest request;
  CHECK_THROWS_WITH_AS(plan_fit(request, 9, 0, 2, 0), doctest::Contains("at least 10 complete rows"), Error);
  CHECK_THROWS_WITH_AS(plan_fit(request, 5'000'000'000, 0, 2, 0), doctest::Contains("at most 4294967295 rows"), Error);
  CHECK(plan_fit(request, 4'000'000'000, 0, 2, 0).train_rows == 3'600'000'000);
}
