#pragma once

#include <Eigen/LU>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "laws/allocations.hpp"
#include "laws/subject.hpp"
#include "laws/tolerances.hpp"
#include "laws/verdict.hpp"

/// The laws of a bijector of whole rows (numbers as in the design).
namespace laws {

using namespace biject;

template <class S> bool same_bytes(const Matrix<S>& a, const Matrix<S>& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(S)) == 0;
}

/// 1. inverse undoes forward, forward undoes inverse, and the log-determinants cancel.
inline Verdict inverts(const Subject<double>& s) {
  const Index n = s.x.rows();
  for (const bool data_first : {true, false}) {
    Matrix<double> there(n, s.x.cols()), back(n, s.x.cols());
    Vector<double> logdet = Vector<double>::Zero(n);
    if (data_first) {
      s.bijector->forward(s.frame(), s.x, there, logdet);
      s.bijector->inverse(s.frame(), there, back, logdet);
    } else {
      s.bijector->inverse(s.frame(), s.x, there, logdet);
      s.bijector->forward(s.frame(), there, back, logdet);
    }
    const double error = ((back - s.x).array().abs() / (1 + s.x.array().abs())).maxCoeff();
    if (!(error <= s.tolerances.round_trip)) return broken("round trip off by {}", error);
    const double sum = logdet.cwiseAbs().maxCoeff();
    if (!(sum <= s.tolerances.logdet_cancels)) return broken("log-determinants leave {}", sum);
  }
  return holds();
}

/// 2. logdet is the logarithm of the determinant of a numerical Jacobian. With is_triangular, output j does not depend on
/// inputs after j: those entries are exactly zero.
inline Verdict has_that_jacobian(const Subject<double>& s, bool is_triangular = false) {
  const Index n = s.x.rows(), features = s.x.cols();
  Matrix<double> z(n, features), high(n, features), low(n, features), slope(n, features);
  Vector<double> logdet = Vector<double>::Zero(n), unused = Vector<double>::Zero(n);
  s.bijector->forward(s.frame(), s.x, z, logdet);
  std::vector<Matrix<double>> jacobian(static_cast<std::size_t>(n), Matrix<double>(features, features));
  // Two differences, whose errors of second order cancel: one alone loses what the law asks for where a map is nearly flat.
  const double h = 5e-6;
  for (Index j = 0; j < features; ++j) {
    slope.setZero();
    for (const auto& [step, weight] : {std::pair{h, 4. / 3}, {2 * h, -1. / 3}}) {
      Matrix<double> up = s.x, down = s.x;
      up.col(j).array() += step;
      down.col(j).array() -= step;
      s.bijector->forward(s.frame(), up, high, unused);
      s.bijector->forward(s.frame(), down, low, unused);
      slope += weight / (2 * step) * (high - low);
      if (!is_triangular) continue;
      for (Index k = 0; k < j; ++k) {
        if (high.col(k) != low.col(k)) return broken("output {} depends on input {}", k, j);
      }
    }
    for (Index i = 0; i < n; ++i) jacobian[static_cast<std::size_t>(i)].col(j) = slope.row(i).transpose();
  }
  // A knot inside the step of a difference spoils that row's number, not the law: all but one row in fifty must agree.
  Index far = 0;
  double worst = 0;
  for (Index i = 0; i < n; ++i) {
    const double expected = std::log(std::abs(jacobian[static_cast<std::size_t>(i)].determinant()));
    const double error = std::abs(expected - logdet(i)) / (1 + std::abs(expected));
    worst = std::max(worst, error);
    far += !(error <= s.tolerances.jacobian);
  }
  if (far * 50 > n) return broken("log-determinant of {} rows off, the worst by {}", far, worst);
  return holds();
}

/// The gradient that backward gives, in all its arguments.
struct Gradients {
  Arena<double> theta;
  Matrix<double> x, context;
};

inline Gradients gradients(const Subject<double>& s) {
  Gradients g{Arena<double>(s.plan.params()), Matrix<double>(s.x.rows(), s.x.cols()),
              Matrix<double>::Zero(s.context.rows(), s.context.cols())};
  s.loss(s.theta, s.x, s.context);
  s.bijector->backward(s.frame(), s.x, s.dz, s.dlogdet.col(0), g.x, {g.theta, g.context});
  return g;
}

/// log₂ of how much the remainder loss(h) − loss(0) − h·slope falls when h is halved, along one random direction; NaN if nothing but
/// rounding remains of it. `what`: 0 everything together, 1 x, 2 θ, 3 context.
inline double taylor_order(const Subject<double>& s, const Gradients& g, int what, std::uint64_t seed) {
  const double at = s.loss(s.theta, s.x, s.context);
  Arena<double> dtheta(s.plan.params());
  Matrix<double> dx = Matrix<double>::Zero(s.x.rows(), s.x.cols());
  Matrix<double> dcontext = Matrix<double>::Zero(s.context.rows(), s.context.cols());
  if (what == 0 || what == 1) dx = Subject<double>::random(dx.rows(), dx.cols(), seed, 1);
  if (what == 0 || what == 2) s.add_noise(dtheta, 1, seed + 1);
  if (what == 0 || what == 3) dcontext = Subject<double>::random(dcontext.rows(), dcontext.cols(), seed + 2, 1);
  double slope = g.x.cwiseProduct(dx).sum() + g.context.cwiseProduct(dcontext).sum();
  for (std::size_t i = 0; i < dtheta.flat().size(); ++i) slope += g.theta.flat()[i] * dtheta.flat()[i];
  // Steps so small that few rows cross a knot, where the second derivative jumps, and so large that rounding is far below.
  std::vector<double> orders;
  double before = 0, most = 0, h = 2e-4;
  for (int k = 0; k < 6; ++k, h /= 2) {
    Arena<double> theta = s.theta;
    for (std::size_t i = 0; i < theta.flat().size(); ++i) theta.flat()[i] += h * dtheta.flat()[i];
    const double remainder = std::abs(s.loss(theta, s.x + h * dx, s.context + h * dcontext) - at - h * slope);
    most = std::max(most, remainder);
    if (k > 0) orders.push_back(std::log2(before / remainder));
    before = remainder;
  }
  if (most <= 1e-11 * (1 + std::abs(at))) return std::nan("");
  std::ranges::sort(orders);
  return orders[orders.size() / 2];
}

/// 3a. Along random directions in (x, θ, context) the Taylor remainder falls like h². A single direction may have a second derivative
/// near zero, hence the median of several. A row may lie on a knot, where the slope of a spline's log-determinant jumps, hence a
/// second and a third draw of rows; a wrong gradient falls like h in all directions of all draws.
inline Verdict falls_like_a_square(Subject<double>& s) {
  Verdict verdict;
  for (std::uint64_t draw = 0; draw < 3; ++draw) {
    s.draw_rows(draw);
    verdict = holds();
    const Gradients g = gradients(s);
    for (int what = 0; what < (s.context.cols() > 0 ? 4 : 3); ++what) {
      std::vector<double> orders;
      for (std::uint64_t seed = 21; seed < 21 + 5 * 3; seed += 3) {
        const double order = taylor_order(s, g, what, seed);
        if (!std::isnan(order)) orders.push_back(order);
      }
      if (orders.empty()) continue;
      std::ranges::sort(orders);
      const double order = orders[orders.size() / 2];
      if (!(std::abs(order - 2) <= s.tolerances.slope)) verdict = broken("direction {}: Taylor slope {:.3f}", what, order);
    }
    if (verdict.holds()) break;
  }
  return verdict;
}

/// 3b. Central differences in single coordinates.
inline Verdict agrees_with_differences(const Subject<double>& s) {
  const Gradients g = gradients(s);
  const double h = 1e-5;
  int far = 0, tried = 0;
  double worst = 0;
  const auto compare = [&](double analytic, double high, double low) {
    const double numeric = (high - low) / (2 * h);
    const double error = std::abs(analytic - numeric);
    const double allowed = s.tolerances.derivative_absolute +
                           s.tolerances.derivative_relative * std::max(std::abs(analytic), std::abs(numeric));
    ++tried;
    if (!(error <= 10 * allowed)) ++far, worst = std::max(worst, error);
  };
  Arena<double> free(s.plan.params());
  s.add_noise(free, 1, 9);  // non-zero where training may change
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < free.flat().size(); ++i) {
    if (free.flat()[i] != 0) {
      places.push_back(i);
    } else if (g.theta.flat()[i] != 0) {
      return broken("a masked parameter has gradient {}", g.theta.flat()[i]);
    }
  }
  const std::size_t step = std::max<std::size_t>(1, places.size() / 150);
  for (std::size_t p = 0; p < places.size(); p += step) {
    Arena<double> theta = s.theta;
    theta.flat()[places[p]] += h;
    const double high = s.loss(theta, s.x, s.context);
    theta.flat()[places[p]] -= 2 * h;
    compare(g.theta.flat()[places[p]], high, s.loss(theta, s.x, s.context));
  }
  for (Index i = 0; i < std::min<Index>(s.x.rows(), 6); ++i) {
    for (Index j = 0; j < s.x.cols() + s.context.cols(); ++j) {
      Matrix<double> x = s.x, context = s.context;
      double& value = j < s.x.cols() ? x(i, j) : context(i, j - s.x.cols());
      value += h;
      const double high = s.loss(s.theta, x, context);
      value -= 2 * h;
      compare(j < s.x.cols() ? g.x(i, j) : g.context(i, j - s.x.cols()), high, s.loss(s.theta, x, context));
    }
  }
  // As above: a knot or the kink of a rectifier inside a step is not the gradient's fault.
  if (far * 50 > tried) return broken("{} of {} derivatives off, the worst by {}", far, tried, worst);
  return holds();
}

/// 4. Parameter and context gradients are added to, dx is overwritten.
inline Verdict accumulates(const Subject<double>& s) {
  Gradients once = gradients(s), twice = gradients(s);
  s.loss(s.theta, s.x, s.context);
  twice.x.setConstant(1e9);
  s.bijector->backward(s.frame(), s.x, s.dz, s.dlogdet.col(0), twice.x, {twice.theta, twice.context});
  if (!same_bytes(once.x, twice.x)) return broken("dx is not overwritten");
  for (std::size_t i = 0; i < once.theta.flat().size(); ++i) {
    const double expected = 2 * once.theta.flat()[i];
    if (std::abs(twice.theta.flat()[i] - expected) > 1e-9 * (1 + std::abs(expected))) return broken("dθ is not added to");
  }
  if (!twice.context.isApprox(2 * once.context, 1e-9) && once.context.size() > 0) return broken("dcontext is not added to");
  return holds();
}

/// 5. Rows do not see each other: permuted rows give permuted results, byte for byte, in shards of the standard size.
template <class S> Verdict treats_rows_alike(const Subject<S>& s) {
  const Index n = s.x.rows();
  Matrix<S> z(n, s.x.cols()), moved(n, s.x.cols());
  Vector<S> logdet = Vector<S>::Zero(n), moved_logdet = Vector<S>::Zero(n);
  for (const bool forward : {true, false}) {
    const auto run = [&](const Matrix<S>& in, const Matrix<S>& context, Matrix<S>& out, Vector<S>& ld) {
      ld.setZero();
      if (forward) {
        s.bijector->forward(s.frame(s.theta, context), in, out, ld);
      } else {
        s.bijector->inverse(s.frame(s.theta, context), in, out, ld);
      }
    };
    run(s.x, s.context, z, logdet);
    for (const Index shift : {Index{1}, Index{5}, n / 2}) {
      Matrix<S> x(n, s.x.cols()), context(n, s.context.cols());
      for (Index i = 0; i < n; ++i) {
        x.row((i + shift) % n) = s.x.row(i);
        context.row((i + shift) % n) = s.context.row(i);
      }
      run(x, context, moved, moved_logdet);
      for (Index i = 0; i < n; ++i) {
        const Matrix<S> a = z.row(i), b = moved.row((i + shift) % n);
        if (!same_bytes(a, b) || logdet(i) != moved_logdet((i + shift) % n)) {
          return broken("{}: row {} depends on its place", forward ? "forward" : "inverse", i);
        }
      }
    }
  }
  return holds();
}

/// 6. float and double tell the same story.
inline Verdict agrees_in_float(const Subject<double>& s, const Subject<float>& in_float) {
  const Index n = s.x.rows();
  Matrix<double> z(n, s.x.cols());
  Vector<double> logdet = Vector<double>::Zero(n);
  s.bijector->forward(s.frame(), s.x, z, logdet);
  Matrix<float> zf(n, s.x.cols());
  Vector<float> logdet_f = Vector<float>::Zero(n);
  const Arena<float> theta = s.theta.cast<float>();
  in_float.bijector->forward(in_float.frame(theta, s.context.cast<float>()), s.x.cast<float>(), zf, logdet_f);
  std::vector<double> errors;
  for (Index i = 0; i < n; ++i) {
    const double here = std::max((zf.row(i).cast<double>() - z.row(i)).cwiseAbs().maxCoeff(),
                                 std::abs(static_cast<double>(logdet_f(i)) - logdet(i)));
    errors.push_back(here / (1 + std::max(z.row(i).cwiseAbs().maxCoeff(), std::abs(logdet(i)))));
  }
  std::ranges::sort(errors);
  const double error = errors[errors.size() * 99 / 100];
  if (!(error <= s.tolerances.float_log_prob)) return broken("float is off by {}", error);
  return holds();
}

/// 7. Nothing is allocated after the first call.
template <class S> Verdict allocates_nothing(const Subject<S>& s) {
  const Index n = s.x.rows();
  Matrix<S> z(n, s.x.cols()), x(n, s.x.cols()), dx(n, s.x.cols()), dcontext = Matrix<S>::Zero(n, s.context.cols());
  Vector<S> logdet = Vector<S>::Zero(n);
  Arena<S> grad(s.plan.params());
  const auto run = [&] {
    const Frame<S> f = s.frame();
    s.bijector->forward(f, s.x, z, logdet);
    s.bijector->backward(f, s.x, s.dz, s.dlogdet.col(0), dx, {grad, dcontext});
    s.bijector->inverse(f, z, x, logdet);
  };
  run();
  const long before = allocations_so_far();
  run();
  const long after = allocations_so_far();
  if (after != before) return broken("{} allocations in one step", after - before);
  return holds();
}

/// 9. The result depends on the context iff there is one.
inline Verdict listens_to_context(const Subject<double>& s) {
  if (s.context.cols() == 0) return holds();
  const Matrix<double> other = s.context.array() + 0.5;
  if (s.loss(s.theta, s.x, s.context) == s.loss(s.theta, s.x, other)) return broken("context changes nothing");
  return holds();
}

/// 12. Far out everything is still a number, and comes back.
inline Verdict survives_extremes(const Subject<double>& s) {
  const Index n = s.x.rows();
  for (const double size : {0., 1e-300, 1e6, -1e6}) {
    Matrix<double> x = s.x, z(n, s.x.cols()), back(n, s.x.cols());
    x.topRows(n / 2).setConstant(size);
    Vector<double> logdet = Vector<double>::Zero(n);
    s.bijector->forward(s.frame(), x, z, logdet);
    if (!z.allFinite() || !logdet.allFinite()) return broken("x = {} gives a number that is not finite", size);
    s.bijector->inverse(s.frame(), x, back, logdet);
    if (!back.allFinite() || !logdet.allFinite()) return broken("z = {} gives a number that is not finite", size);
  }
  return holds();
}

}  // namespace laws
