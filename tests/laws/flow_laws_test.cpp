#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <numeric>

#include "bases/student_t.hpp"
#include "flows/flow.hpp"
#include "laws/bijector_laws.hpp"
#include "laws/cases.hpp"
#include "train/sharded.hpp"
#include "train/trainer.hpp"

// The laws that need a density: of every row of the catalogue with every base.

using namespace biject;
using namespace laws;

namespace {

struct Member {
  std::string name;
  FlowSpec spec;
};

/// Every row with its first base, every base with two of the rows, and mixtures of three kinds.
std::vector<Member> members(Index features, Index context) {
  std::vector<Member> result;
  const auto add = [&](FlowSpec spec, const std::string& base) {
    spec.base = base;
    if (base == "uniform") spec.mix = "permute";
    const std::string component = spec.flow == "mixture" ? " of " + spec.component_flow : "";
    result.push_back({fmt::format("{}{} {} D={} C={}", spec.flow, component, base, features, context), spec});
  };
  for (const FlowRow& row : catalogue()) {
    const FlowSpec spec = small_spec(row, features, context);
    const bool has_all = row.name == "gaussian" || row.name == "nsf";
    for (const std::string& base : has_all ? words_of(row.bases) : std::vector<std::string>{spec.base}) add(spec, base);
  }
  for (const std::string_view component : {"made-mog", "planar"}) {
    const FlowSpec spec = small_spec(*find_flow("mixture"), features, context, component);
    add(spec, spec.base);
  }
  return result;
}

/// A flow with parameters that are not those of the start.
template <class S> struct Wild {
  explicit Wild(const FlowSpec& spec, double size = 0.15) : flow(spec), theta(flow.params()) {
    const Matrix<S> x = Subject<S>::random(500, spec.features, 1, 1), context = Subject<S>::random(500, spec.context, 2, 1);
    flow.init(theta, Rng(1, Stream::init), x, context);
    const Rng rng(4, Stream::init);
    for (const Tensor& tensor : flow.params().tensors()) {
      for (const Panel& panel : tensor.panels) {
        auto block = theta[panel.slot];
        for (Index c = 0; c < block.cols(); ++c) {
          const Index rows = tensor.prefix.empty() ? block.rows() : tensor.prefix[static_cast<std::size_t>(panel.column + c)];
          for (Index r = 0; r < rows; ++r) {
            block(r, c) += static_cast<S>(size * rng.normal(static_cast<std::uint64_t>(panel.slot.offset + c * block.rows() + r), 1));
          }
        }
      }
    }
  }
  Flow<S> flow;
  Arena<S> theta;
};

Vector<double> log_prob(const Flow<double>& flow, const Arena<double>& theta, const Matrix<double>& x, const Matrix<double>& context) {
  ThreadPool pool(1);
  Vector<double> result(x.rows());
  ShardedFlow<double>(flow, pool).log_prob(theta, x, context, result);
  return result;
}

}  // namespace

TEST_CASE("a density integrates to one") {
  for (const Member& member : members(1, 0)) {
    CAPTURE(member.name);
    const Wild<double> wild(member.spec);
    const double reach = member.spec.base == "student" ? 4000 : 60, step = 0.002;
    const auto n = static_cast<Index>(2 * reach / step);
    const Vector<double> x = Vector<double>::LinSpaced(n, -reach, reach);
    const double integral = log_prob(wild.flow, wild.theta, x, Matrix<double>(n, 0)).array().exp().sum() * (x(1) - x(0));
    CHECK(std::abs(integral - 1) < tolerances.integral);
  }
  for (const Member& member : members(2, 0)) {
    if (member.spec.base == "student") continue;  // its tails do not fit on a grid of two dimensions
    CAPTURE(member.name);
    const Wild<double> wild(member.spec);
    const Index side = 1001;
    const double reach = member.spec.flow == "sinh-arcsinh" ? 28 : 14;  // skewed: 0.2 % lie beyond 14, 0.006 % beyond 28
    const Vector<double> at = Vector<double>::LinSpaced(side, -reach, reach);
    Matrix<double> x(side * side, 2);
    for (Index i = 0; i < side; ++i) {
      x.col(0).segment(i * side, side).setConstant(at(i));
      x.col(1).segment(i * side, side) = at;
    }
    const double cell = (at(1) - at(0)) * (at(1) - at(0));
    const double integral = log_prob(wild.flow, wild.theta, x, Matrix<double>(x.rows(), 0)).array().exp().sum() * cell;
    CHECK(std::abs(integral - 1) < tolerances.integral);
  }
}

TEST_CASE("samples follow the density: their latents pass a Kolmogorov–Smirnov test") {
  const Index n = 20'000;
  // All tests together give a false alarm with probability below 1e-6 (Dvoretzky, Kiefer, Wolfowitz, Massart).
  const double bound = std::sqrt(std::log(2 / 1e-9) / (2. * static_cast<double>(n)));
  ThreadPool pool(1);
  for (const Member& member : members(3, 1)) {
    if (member.spec.base != "normal" || find_flow(member.spec.flow)->build_float == nullptr) continue;  // other bases have tests of their own
    CAPTURE(member.name);
    const Wild<double> wild(member.spec);
    const Matrix<double> context = Subject<double>::random(n, 1, 6, 1);
    Matrix<double> x(n, 3), z(n, 3);
    ShardedFlow<double>(wild.flow, pool).sample(wild.theta, Rng(8, Stream::sample), 0, 1, context, x);
    Workspace<double> scratch(wild.flow.scratch(), n);
    Vector<double> logdet = Vector<double>::Zero(n);
    wild.flow.forward({wild.theta, context, scratch}, x, z, logdet);
    for (Index j = 0; j < 3; ++j) {
      std::vector<double> u;
      for (Index i = 0; i < n; ++i) u.push_back(0.5 * std::erfc(-z(i, j) / std::sqrt(2.)));
      std::ranges::sort(u);
      double distance = 0;
      for (Index i = 0; i < n; ++i) {
        const double here = u[static_cast<std::size_t>(i)];
        distance = std::max({distance, std::abs(here - static_cast<double>(i) / static_cast<double>(n)),
                             std::abs(here - static_cast<double>(i + 1) / static_cast<double>(n))});
      }
      CHECK(distance < bound);
    }
  }
}

TEST_CASE("samples of one column follow the integral of the density") {
  const Index n = 20'000;
  const double bound = std::sqrt(std::log(2 / 1e-9) / (2. * static_cast<double>(n)));
  ThreadPool pool(1);
  for (const Member& member : members(1, 0)) {
    if (member.spec.base == "student") continue;  // its tails do not fit on a grid; the base has a test of its own
    CAPTURE(member.name);
    const Wild<double> wild(member.spec);
    Matrix<double> x(n, 1);
    ShardedFlow<double>(wild.flow, pool).sample(wild.theta, Rng(8, Stream::sample), 0, 1, Matrix<double>(n, 0), x);
    std::sort(x.data(), x.data() + n);
    const auto points = Index{20'001};
    const Vector<double> grid = Vector<double>::LinSpaced(points, -60, 60);
    const Vector<double> density = log_prob(wild.flow, wild.theta, grid, Matrix<double>(points, 0)).array().exp();
    double below = 0, distance = 0;
    Index i = 0;
    for (Index k = 1; k < points; ++k) {
      below += 0.5 * (density(k) + density(k - 1)) * (grid(1) - grid(0));
      while (i < n && x(i, 0) <= grid(k)) ++i;
      distance = std::max(distance, std::abs(below - static_cast<double>(i) / static_cast<double>(n)));
    }
    CHECK(distance < bound);
  }
}

TEST_CASE("a row alone gives the same bytes as in a batch, whatever its place and the threads") {
  for (const Member& member : members(4, 1)) {
    CAPTURE(member.name);
    const Wild<float> wild(member.spec);
    const Index n = 1000;
    const Matrix<float> x = Subject<float>::random(n, 4, 1, 1.5), context = Subject<float>::random(n, 1, 2, 1);
    Vector<float> together(n), alone(1);
    ThreadPool one(1), three(3);
    ShardedFlow<float>(wild.flow, three).log_prob(wild.theta, x, context, together);
    ShardedFlow<float> single(wild.flow, one);
    for (const Index i : {Index{0}, Index{1}, Index{191}, Index{192}, Index{777}, n - 1}) {
      single.log_prob(wild.theta, x.row(i), context.row(i), alone);
      CHECK(std::memcmp(&alone(0), &together(i), sizeof(float)) == 0);
    }
  }
}

TEST_CASE("values are the same where layers share their scratch") {
  using Use = Workspace<float>::Use;
  static constexpr Index kFeatures = 9;  // more columns than a tile: a product whose result lies on its factor is wrong
  for (const Member& member : members(kFeatures, 1)) {
    CAPTURE(member.name);
    const Wild<float> wild(member.spec);
    const Index n = kShardRows;
    const Matrix<float> x = Subject<float>::random(n, kFeatures, 1, 1.5), context = Subject<float>::random(n, 1, 2, 1);
    struct Values {
      Vector<float> logp{kShardRows};
      Matrix<float> drawn{kShardRows, kFeatures};
    } values[2];
    for (const Use use : {Use::gradients, Use::values}) {
      Workspace<float> scratch(wild.flow.scratch(), n, use);
      const Frame<float> f{wild.theta, context, scratch};
      Values& here = values[use == Use::values ? 1 : 0];
      wild.flow.log_prob(f, x, here.logp);
      wild.flow.sample(f, Rng(5, Stream::sample), 0, 1, here.drawn);
    }
    CHECK(same_bytes<float>(values[0].logp, values[1].logp));
    CHECK(same_bytes<float>(values[0].drawn, values[1].drawn));
  }
}

TEST_CASE("a sample is a function of its number: prefixes and skips are exact") {
  ThreadPool one(1), two(2);
  for (const Member& member : members(3, 0)) {
    CAPTURE(member.name);
    const Wild<float> wild(member.spec);
    const Rng rng(5, Stream::sample);
    Matrix<float> all(1000, 3), head(100, 3), tail(10, 3);
    ShardedFlow<float>(wild.flow, two).sample(wild.theta, rng, 0, 1, Matrix<float>(1000, 0), all);
    ShardedFlow<float>(wild.flow, one).sample(wild.theta, rng, 0, 1, Matrix<float>(100, 0), head);
    ShardedFlow<float>(wild.flow, one).sample(wild.theta, rng, 990, 1, Matrix<float>(10, 0), tail);
    CHECK(same_bytes<float>(head, all.topRows(100)));
    CHECK(same_bytes<float>(tail, all.bottomRows(10)));
  }
}

/// What six steps of training make of theta.
template <class S> Arena<S> trained(const FlowSpec& spec, Index batch_size, int threads) {
  const Index rows = 3 * batch_size - 1;
  Rows<S> training{Subject<S>::random(rows, 3, 1, 1), Subject<S>::random(rows, 1, 2, 1), {}};
  const Rows<S> validation{Subject<S>::random(20, 3, 3, 1), Subject<S>::random(20, 1, 4, 1), {}};
  const Flow<S> flow(spec);
  ThreadPool pool(threads);
  Arena<S> theta(flow.params());
  flow.init(theta, Rng(1, Stream::init), training.x, training.context);
  TrainOptions options;
  options.epochs = 2;
  options.average = false;
  options.batch_size = batch_size;
  train(flow, theta, training, validation, options, pool, {});
  return theta;
}

TEST_CASE("training gives the same bytes with any number of threads") {
  for (const Member& member : members(3, 1)) {
    CAPTURE(member.name);
    FlowSpec spec = member.spec;
    if (lists(find_flow(spec.flow)->options, "dropout")) spec.dropout = 0.1;
    const auto check = [&]<class S>(S, Index batch_size) {
      CAPTURE(batch_size);
      const Arena<S> first = trained<S>(spec, batch_size, 1);
      for (const int threads : {2, 3, 8}) CHECK(std::ranges::equal(first.flat(), trained<S>(spec, batch_size, threads).flat()));
    };
    check(float{}, 500);  // shards of their own, of different size
    check(float{}, 150);  // two in one pass of one thread
    check(double{}, 100);
  }
}

TEST_CASE("the gradient of a flow is that of its log density, base included") {
  for (const Member& member : members(3, 2)) {
    CAPTURE(member.name);
    const Wild<double> wild(member.spec);
    const Index n = 32;
    const Matrix<double> x = Subject<double>::random(n, 3, 1, 1.2);
    const Matrix<double> context = Subject<double>::random(n, 2, 2, 1);
    const Vector<double> weight = Subject<double>::random(n, 1, 3, 1);
    Workspace<double> scratch(wild.flow.scratch(), n);
    const Noise noise{3, 5};
    const auto loss = [&](const Arena<double>& theta, const Matrix<double>& at, const Matrix<double>& given) {
      Vector<double> logp(n);
      wild.flow.log_prob({theta, given, scratch, &noise}, at, logp);
      return weight.dot(logp);
    };
    Arena<double> grad(wild.flow.params());
    Matrix<double> dx(n, 3), dcontext = Matrix<double>::Zero(n, 2);
    Vector<double> logp(n);
    wild.flow.backward({wild.theta, context, scratch, &noise}, x, weight, logp, dx, {grad, dcontext});
    // A direction in everything at once; a wrong part shows in the sum.
    const Matrix<double> direction = Subject<double>::random(n, 3, 11, 1), other = Subject<double>::random(n, 2, 12, 1);
    std::vector<double> orders;
    for (std::uint64_t seed = 1; seed <= 7; ++seed) {
      Arena<double> dtheta(wild.flow.params());
      const Rng rng(seed, Stream::sample);
      for (std::size_t i = 0; i < dtheta.flat().size(); ++i) {
        if (grad.flat()[i] != 0) dtheta.flat()[i] = rng.normal(i, 0);
      }
      double slope = dx.cwiseProduct(direction).sum() + dcontext.cwiseProduct(other).sum();
      for (std::size_t i = 0; i < dtheta.flat().size(); ++i) slope += grad.flat()[i] * dtheta.flat()[i];
      const double at = loss(wild.theta, x, context);
      const auto remainder = [&](double h) {
        Arena<double> theta = wild.theta;
        for (std::size_t i = 0; i < theta.flat().size(); ++i) theta.flat()[i] += h * dtheta.flat()[i];
        return std::abs(loss(theta, x + h * direction, context + h * other) - at - h * slope);
      };
      orders.push_back(std::log2(remainder(2e-5) / remainder(1e-5)));
    }
    std::ranges::sort(orders);
    CHECK(std::abs(orders[3] - 2) < tolerances.slope);
  }
}
