#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <vector>

#include "bases/laplace.hpp"
#include "bases/logistic.hpp"
#include "bases/made_mog.hpp"
#include "bases/normal_mixture.hpp"
#include "bases/standard_normal.hpp"
#include "bases/student_t.hpp"
#include "bases/uniform.hpp"
#include "laws/allocations.hpp"
#include "laws/bijector_laws.hpp"
#include "laws/tolerances.hpp"
#include "laws/verdict.hpp"

// One list of bases for one list of laws.

using namespace biject;

namespace {

template <class S> struct BaseCase {
  std::string name;
  Index features, context;
  std::function<BasePtr<S>(Plan&)> build;
  bool is_bounded = false;
};

template <class S> std::vector<BaseCase<S>> bases() {
  std::vector<BaseCase<S>> cases;
  for (const auto& [features, context_columns] : {std::pair<Index, Index>{1, 0}, {2, 0}, {3, 2}}) {
    const Index d = features, c = context_columns;
    const auto add = [&](const std::string& name, std::function<BasePtr<S>(Plan&)> build, bool is_bounded = false) {
      cases.push_back({name + " D=" + std::to_string(d) + " C=" + std::to_string(c), d, c, std::move(build), is_bounded});
    };
    add("normal", [](Plan&) { return std::make_unique<StandardNormal<S>>(); });
    add("laplace", [](Plan&) { return std::make_unique<Laplace<S>>(); });
    add("logistic", [](Plan&) { return std::make_unique<Logistic<S>>(); });
    add("uniform", [](Plan&) { return std::make_unique<Uniform<S>>(6.); }, true);
    add("student", [d](Plan& plan) { return std::make_unique<StudentT<S>>(plan, d); });
    for (const Index k : {1, 4}) {
      add("mixture of " + std::to_string(k), [=](Plan& plan) { return std::make_unique<NormalMixture<S>>(plan, d, k); });
    }
    const NetStyle linear{{}, 0, {}}, plain{{10, 7}, 0, {Activation::tanh, 0}}, residual{{9}, 2, {Activation::tanh, 0.3}};
    for (const auto& [name, k, style] : {std::tuple{"linear", 1, linear}, {"mlp", 3, plain}, {"dropout residual", 4, residual}}) {
      const Index number = k;
      const NetStyle s = style;
      add(std::string("made ") + name, [=](Plan& plan) { return std::make_unique<MadeMog<S>>(plan, d, c, number, s); });
    }
  }
  return cases;
}

/// A base with random parameters, random rows and a random context.
template <class S> struct Holder {
  explicit Holder(const BaseCase<S>& c, Index n = 48, double size = 0.3) : is_bounded(c.is_bounded) {
    base = c.build(plan);
    theta = Arena<S>(plan.params());
    scratch = std::make_unique<Workspace<S>>(plan.scratch(), n);
    base->init(theta, Rng(1, Stream::init));
    add_noise(theta, size, 5);
    z = Subject<S>::random(n, c.features, 1, 1.3);
    context = Subject<S>::random(n, c.context, 2, 1);
    dlogp = Subject<S>::random(n, 1, 3, 1);
  }

  void add_noise(Arena<S>& arena, double size, std::uint64_t seed) const {
    const Rng rng(seed, Stream::sample);
    for (const Tensor& tensor : plan.params().tensors()) {
      for (const Panel& panel : tensor.panels) {
        auto block = arena[panel.slot];
        for (Index c = 0; c < block.cols(); ++c) {
          const Index rows = tensor.prefix.empty() ? block.rows() : tensor.prefix[static_cast<std::size_t>(panel.column + c)];
          for (Index r = 0; r < rows; ++r) {
            block(r, c) += static_cast<S>(size * rng.normal(static_cast<std::uint64_t>(panel.slot.offset + c * block.rows() + r), 0));
          }
        }
      }
    }
  }

  Frame<S> frame() const { return frame(theta, context); }
  Frame<S> frame(const Arena<S>& parameters, const Matrix<S>& given) const {
    return {parameters, given, *scratch, noise ? noise.get() : nullptr};
  }
  Vector<S> log_prob(const Arena<S>& parameters, const Matrix<S>& at, const Matrix<S>& given) const {
    Vector<S> logp = Vector<S>::Zero(at.rows());
    base->log_prob(frame(parameters, given), at, logp);
    return logp;
  }
  Vector<S> log_prob(const Matrix<S>& at) const { return log_prob(theta, at, context); }
  double loss(const Arena<S>& parameters, const Matrix<S>& at, const Matrix<S>& given) const {
    return static_cast<double>(dlogp.cwiseProduct(log_prob(parameters, at, given)).sum());
  }
  Matrix<S> draw(std::uint64_t first_row, double temperature = 1) const {
    Matrix<S> drawn(z.rows(), z.cols());
    base->sample(frame(), Rng(7, Stream::sample), first_row, temperature, drawn);
    return drawn;
  }

  Plan plan;
  BasePtr<S> base;
  Arena<S> theta;
  std::unique_ptr<Workspace<S>> scratch;
  Matrix<S> z, context, dlogp;
  std::unique_ptr<Noise> noise;  // as in training
  bool is_bounded;
};

struct BaseGradients {
  Arena<double> theta;
  Matrix<double> z, context;
};

BaseGradients zero_gradients(const Holder<double>& s) {
  return {Arena<double>(s.plan.params()), Matrix<double>::Constant(s.z.rows(), s.z.cols(), 1e9),
          Matrix<double>::Zero(s.context.rows(), s.context.cols())};
}

void add_gradients(const Holder<double>& s, BaseGradients& g) {
  s.loss(s.theta, s.z, s.context);
  s.base->backward(s.frame(), s.z, s.dlogp.col(0), g.z, {g.theta, g.context});
}

/// A grid z = sinh t, fine near zero and far-reaching, with the weight of each point in a sum.
struct Grid {
  Grid(Index points, double reach) : z(points), weight(points) {
    const double last = std::asinh(reach), step = 2 * last / static_cast<double>(points - 1);
    for (Index i = 0; i < points; ++i) {
      const double t = -last + step * static_cast<double>(i);
      z(i) = std::sinh(t);
      weight(i) = step * std::cosh(t);
    }
  }
  Index size() const { return z.size(); }
  Vector<double> z, weight;
};

/// exp(log p) at any number of points, in the first of the contexts.
Vector<double> densities(const Holder<double>& s, const Matrix<double>& points) {
  const Index n = s.z.rows();
  const Matrix<double> given = s.context.row(0).replicate(n, 1);
  Vector<double> result(points.rows());
  for (Index first = 0; first < points.rows(); first += n) {
    const Index rows = std::min(n, points.rows() - first);
    Matrix<double> at = Matrix<double>::Zero(n, points.cols());
    at.topRows(rows) = points.middleRows(first, rows);
    result.segment(first, rows) = s.log_prob(s.theta, at, given).head(rows).array().exp();
  }
  return result;
}

/// 3. Along random directions in z, θ, context and all of them the remainder falls like h².
Verdict falls_like_a_square(const Holder<double>& s) {
  BaseGradients g = zero_gradients(s);
  add_gradients(s, g);
  const double at = s.loss(s.theta, s.z, s.context);
  for (int what = 0; what < 4; ++what) {
    std::vector<double> orders;
    for (std::uint64_t seed = 21; seed < 21 + 5 * 3; seed += 3) {
      Arena<double> dtheta(s.plan.params());
      Matrix<double> dz = Subject<double>::random(s.z.rows(), s.z.cols(), seed, what % 3 == 0 ? 1 : 0);
      Matrix<double> dcontext = Subject<double>::random(s.context.rows(), s.context.cols(), seed + 2, what == 2 || what == 3 ? 1 : 0);
      if (what == 1 || what == 3) s.add_noise(dtheta, 1, seed + 1);
      double slope = g.z.cwiseProduct(dz).sum() + g.context.cwiseProduct(dcontext).sum();
      for (std::size_t i = 0; i < dtheta.flat().size(); ++i) slope += g.theta.flat()[i] * dtheta.flat()[i];
      double before = 0, most = 0, h = 2e-4;
      std::vector<double> halvings;
      for (int k = 0; k < 6; ++k, h /= 2) {
        Arena<double> theta = s.theta;
        for (std::size_t i = 0; i < theta.flat().size(); ++i) theta.flat()[i] += h * dtheta.flat()[i];
        const double remainder = std::abs(s.loss(theta, s.z + h * dz, s.context + h * dcontext) - at - h * slope);
        most = std::max(most, remainder);
        if (k > 0) halvings.push_back(std::log2(before / remainder));
        before = remainder;
      }
      if (most <= 1e-11 * (1 + std::abs(at))) continue;  // nothing but rounding
      std::ranges::sort(halvings);
      orders.push_back(halvings[halvings.size() / 2]);
    }
    if (orders.empty()) continue;
    std::ranges::sort(orders);
    const double order = orders[orders.size() / 2];
    if (!(std::abs(order - 2) <= tolerances.slope)) return broken("direction {}: Taylor slope {:.3f}", what, order);
  }
  return holds();
}

/// 4. Gradients of parameters and context are added to, dz is overwritten, log_prob is added to.
Verdict accumulates(const Holder<double>& s) {
  BaseGradients once = zero_gradients(s), twice = zero_gradients(s);
  add_gradients(s, once);
  add_gradients(s, twice);
  twice.z.setConstant(-1e9);
  add_gradients(s, twice);
  if (twice.z != once.z) return broken("dz is not overwritten");
  double worst = once.context.size() > 0 ? (twice.context - 2 * once.context).cwiseAbs().maxCoeff() : 0;
  for (std::size_t i = 0; i < once.theta.flat().size(); ++i) {
    worst = std::max(worst, std::abs(twice.theta.flat()[i] - 2 * once.theta.flat()[i]));
  }
  if (!(worst < 1e-10)) return broken("two gradients differ from twice one by {}", worst);
  Vector<double> logp = Vector<double>::Constant(s.z.rows(), 5);
  s.base->log_prob(s.frame(), s.z, logp);
  const double off = (logp - s.log_prob(s.z)).array().abs().maxCoeff();
  if (!(std::abs(off - 5) < 1e-12)) return broken("logp is not added to");
  return holds();
}

/// 5. A row's density does not depend on its place, a draw depends on its number alone.
template <class S> Verdict treats_rows_alike(const Holder<S>& s) {
  const Index n = s.z.rows();
  const Vector<S> logp = s.log_prob(s.z);
  for (const Index shift : {Index{1}, Index{5}, n / 2}) {
    Matrix<S> z(n, s.z.cols()), context(n, s.context.cols());
    for (Index i = 0; i < n; ++i) {
      z.row((i + shift) % n) = s.z.row(i);
      context.row((i + shift) % n) = s.context.row(i);
    }
    const Vector<S> moved = s.log_prob(s.theta, z, context);
    for (Index i = 0; i < n; ++i) {
      if (logp(i) != moved((i + shift) % n)) return broken("row {} depends on its place", i);
    }
    const Matrix<S> same = s.context.row(0).replicate(n, 1);
    Matrix<S> a(n, s.z.cols()), b(n, s.z.cols());
    s.base->sample(s.frame(s.theta, same), Rng(7, Stream::sample), 10, 1, a);
    s.base->sample(s.frame(s.theta, same), Rng(7, Stream::sample), 10 + static_cast<std::uint64_t>(shift), 1, b);
    const Matrix<S> tail = a.bottomRows(n - shift), head = b.topRows(n - shift);
    if (!laws::same_bytes(tail, head)) return broken("a draw depends on more than its number");
  }
  return holds();
}

/// 6. float and double tell the same story.
Verdict agrees_in_float(const Holder<double>& s, const Holder<float>& in_float) {
  const Vector<double> logp = s.log_prob(s.z);
  const Vector<float> other = in_float.log_prob(s.theta.cast<float>(), s.z.cast<float>(), s.context.cast<float>());
  const double error = ((logp - other.cast<double>()).array().abs() / (1 + logp.array().abs())).maxCoeff();
  if (!(error <= tolerances.float_log_prob)) return broken("float is off by {}", error);
  return holds();
}

/// 7. Nothing is allocated after the first call.
template <class S> Verdict allocates_nothing(const Holder<S>& s) {
  Matrix<S> z = s.z, dz = s.z, dcontext = s.context;
  Vector<S> logp = Vector<S>::Zero(s.z.rows());
  Arena<S> grad(s.plan.params());
  const auto run = [&] {
    const Frame<S> f = s.frame();
    s.base->log_prob(f, s.z, logp);
    s.base->backward(f, s.z, s.dlogp.col(0), dz, {grad, dcontext});
    s.base->sample(f, Rng(7, Stream::sample), 0, 1, z);
  };
  run();
  const long before = allocations_so_far();
  run();
  const long after = allocations_so_far();
  if (after != before) return broken("{} allocations in one step", after - before);
  return holds();
}

/// 10. The density integrates to one, in one and two features.
Verdict integrates_to_one(const Holder<double>& s) {
  const Index features = s.z.cols();
  if (features > 2 || (features == 2 && s.is_bounded)) return holds();  // an edge costs a coarse grid its accuracy
  const Grid grid(features == 1 ? 40'001 : 401, 1e6);
  double sum = 0;
  if (features == 1) {
    sum = densities(s, grid.z).dot(grid.weight);
  } else {
    Matrix<double> line(grid.size(), 2);
    line.col(1) = grid.z;
    for (Index i = 0; i < grid.size(); ++i) {
      line.col(0).setConstant(grid.z(i));
      sum += grid.weight(i) * densities(s, line).dot(grid.weight);
    }
  }
  if (!(std::abs(sum - 1) < tolerances.integral)) return broken("integrates to {}", sum);
  return holds();
}

/// 12. Far out everything is still a number.
template <class S> Verdict survives_extremes(const Holder<S>& s) {
  for (const double size : {0., 1e-30, 1e6, -1e6}) {
    const Matrix<S> z = Matrix<S>::Constant(s.z.rows(), s.z.cols(), static_cast<S>(size));
    const Vector<S> logp = s.log_prob(z);
    if (s.is_bounded && std::abs(size) > 1) continue;
    Matrix<S> dz = z, dcontext = s.context;
    Arena<S> grad(s.plan.params());
    s.base->backward(s.frame(), z, s.dlogp.col(0), dz, {grad, dcontext});
    if (!logp.allFinite() || !dz.allFinite()) return broken("z = {} gives a number that is not finite", size);
    for (const S number : grad.flat()) {
      if (!std::isfinite(number)) return broken("z = {} gives a gradient that is not finite", size);
    }
  }
  return holds();
}

/// 14. Given the other features of a draw, its last one follows the density: by the probability that is below it, which must be
/// uniform (Kolmogorov and Smirnov). As D goes up from 1, every feature is once the last.
Verdict draws_follow_density(const Holder<double>& s) {
  const Grid grid(401, 1e4);
  const Index n = s.z.rows(), last = s.z.cols() - 1;
  const Matrix<double> given = s.context.row(0).replicate(n, 1);
  std::vector<double> below;
  for (Index first = 0; first < 20 * n; first += n) {
    Matrix<double> drawn(n, s.z.cols());
    s.base->sample(s.frame(s.theta, given), Rng(7, Stream::sample), static_cast<std::uint64_t>(first), 1, drawn);
    for (Index i = 0; i < n; ++i) {
      Matrix<double> line = drawn.row(i).replicate(grid.size(), 1);
      line.col(last) = grid.z;
      const Vector<double> mass = densities(s, line).cwiseProduct(grid.weight);
      // Of the masses around the draw the part that lies below it: a point's mass is spread from half a step before it to half a step
      // after, so that sums are those of the trapezoid rule.
      const double fraction = (std::asinh(drawn(i, last)) / std::asinh(1e4) + 1) / 2;
      const double end = static_cast<double>(grid.size() - 1), place = std::clamp(fraction * end + 0.5, 0., end);
      const Index whole = static_cast<Index>(place);
      const double sum = mass.head(whole).sum() + (place - static_cast<double>(whole)) * mass(whole);
      below.push_back(sum / mass.sum());
    }
  }
  std::ranges::sort(below);
  double distance = 0;
  const double count = static_cast<double>(below.size());
  for (std::size_t i = 0; i < below.size(); ++i) {
    distance = std::max(distance, std::abs(below[i] - (static_cast<double>(i) + 0.5) / count));
  }
  // The grid's own error is below 0.005, a false alarm rarer than one in a billion.
  const double allowed = 0.005 + std::sqrt(std::log(2 / 1e-9) / (2 * count));
  if (!(distance < allowed)) return broken("draws are {} away from the density", distance);
  return holds();
}

}  // namespace

TEST_CASE("every base keeps the laws of a density") {
  const auto in_double = bases<double>();
  const auto in_float = bases<float>();
  for (std::size_t c = 0; c < in_double.size(); ++c) {
    CAPTURE(in_double[c].name);
    const Holder<double> s(in_double[c]), shard(in_double[c], kShardRows);
    const Holder<float> f(in_float[c]), shard_f(in_float[c], kShardRows);
    Holder<double> training(in_double[c]);
    training.noise = std::make_unique<Noise>(Noise{7, 11});
    CHECK_LAW(falls_like_a_square(training));
    CHECK_LAW(accumulates(training));
    CHECK_LAW(treats_rows_alike(shard));
    CHECK_LAW(treats_rows_alike(shard_f));
    CHECK_LAW(agrees_in_float(s, f));
    CHECK_LAW(allocates_nothing(s));
    CHECK_LAW(allocates_nothing(f));
    CHECK_LAW(allocates_nothing(training));
    CHECK_LAW(integrates_to_one(shard));
    CHECK_LAW(survives_extremes(s));
    CHECK_LAW(survives_extremes(f));
    CHECK_LAW(draws_follow_density(shard));
  }
}

namespace {

/// A base as it starts.
template <class S> Holder<S> at_start(Index features, std::function<BasePtr<S>(Plan&)> build) {
  return Holder<S>({"", features, 0, std::move(build)}, 192, 0);
}

}  // namespace

TEST_CASE("bases that learn start near a standard normal") {
  for (const Index k : {1, 2, 10}) {
    for (const auto& s : {at_start<double>(3, [k](Plan& plan) { return std::make_unique<NormalMixture<double>>(plan, 3, k); }),
                          at_start<double>(3, [k](Plan& plan) {
                            return std::make_unique<MadeMog<double>>(plan, 3, 0, k, NetStyle{{16}, 0, {}});
                          })}) {
      const Matrix<double> z = Subject<double>::random(192, 3, 8, 1);
      const Vector<double> normal = -0.5 * z.rowwise().squaredNorm().array() - 1.5 * std::log(2 * std::numbers::pi);
      CHECK(std::abs((s.log_prob(z) - normal).mean()) < 0.15);
    }
  }
}

TEST_CASE("bases without parameters have the values in the books") {
  const auto value = [](const Base<double>& base, double z) {
    const Arena<double> nothing;
    Workspace<double> scratch(ScratchLayout{}, 1);
    const Matrix<double> at = Matrix<double>::Constant(1, 1, z);
    Vector<double> logp = Vector<double>::Zero(1);
    base.log_prob({nothing, Matrix<double>(1, 0), scratch}, at, logp);
    return logp(0);
  };
  for (const double z : {0., 0.3, -2., 17., -800.}) {
    CHECK(value(Laplace<double>(), z) == doctest::Approx(-std::abs(z) - std::log(2.)).epsilon(1e-14));
    const double half = std::abs(z) / 2;  // e⁻ᶻ/(1 + e⁻ᶻ)² = 1/(4·cosh²(z/2))
    const double expected = half < 300 ? -2 * std::log(2 * std::cosh(half)) : -2 * half;
    CHECK(value(Logistic<double>(), z) == doctest::Approx(expected).epsilon(1e-14));
  }
  const Uniform<double> box(2);
  CHECK(value(box, 1.9) == doctest::Approx(-std::log(4.)));
  CHECK(value(box, -2) == doctest::Approx(-std::log(4.)));
  CHECK(value(box, std::nextafter(2, 3)) == -std::numeric_limits<double>::infinity());
  CHECK(value(box, std::nan("")) == -std::numeric_limits<double>::infinity());
}

TEST_CASE("one component of a mixture is a normal, and components are chosen by their weights") {
  Holder<double> s = at_start<double>(2, [](Plan& plan) { return std::make_unique<NormalMixture<double>>(plan, 2, 3); });
  const auto tensor = [&](const std::string& name) {
    for (const Tensor& t : s.plan.params().tensors()) {
      if (t.name == name) return s.theta[t.panels[0].slot];
    }
    FAIL("no tensor ", name);
    return s.theta[Slot{}];
  };
  tensor("logits") << std::log(0.2), std::log(0.7), std::log(0.1);
  tensor("means") << -10, 0, 20, 1, 2, 3;
  tensor("raw_scales").setConstant(-0.7);
  const Matrix<double> cold = s.draw(0, 0);  // temperature 0: the means
  double low = 0, high = 0;
  for (Index i = 0; i < cold.rows(); ++i) {
    low += cold(i, 0) == -10 && cold(i, 1) == 1;
    high += cold(i, 0) == 20 && cold(i, 1) == 3;
  }
  const double rows = static_cast<double>(cold.rows());
  CHECK(std::abs(low / rows - 0.2) < 5 * std::sqrt(0.2 * 0.8 / rows));
  CHECK(std::abs(high / rows - 0.1) < 5 * std::sqrt(0.1 * 0.9 / rows));
  // Far from the others, a component is alone.
  Matrix<double> at = Matrix<double>::Zero(192, 2);
  at.col(0).setConstant(20.4);
  at.col(1).setConstant(2.9);
  const double scale = std::exp(-0.7 / std::sqrt(1 + 0.7 * 0.7 / 25));
  const double square = (0.16 + 0.01) / (scale * scale);
  const double expected = std::log(0.1) - 0.5 * square - 2 * std::log(scale) - std::log(2 * std::numbers::pi);
  CHECK(s.log_prob(at)(0) == doctest::Approx(expected).epsilon(1e-12));
}

TEST_CASE("a temperature below one gathers the draws") {
  for (const BaseCase<double>& c : bases<double>()) {
    CAPTURE(c.name);
    const Holder<double> s(c, kShardRows);
    const auto mean_log_prob = [&](double temperature) { return s.log_prob(s.draw(0, temperature)).mean(); };
    if (c.is_bounded) {
      CHECK(s.draw(0, 3) == s.draw(0, 1));
      CHECK(s.draw(0, 0.25) == 0.25 * s.draw(0, 1));
    } else {
      CHECK(mean_log_prob(0.5) > mean_log_prob(1));
      CHECK(mean_log_prob(1) > mean_log_prob(1.5));
    }
  }
}
