#include "bijectors/contractive_residual.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/for_each_lane.hpp"
#include "core/lane_matrix.hpp"
#include "core/rademacher.hpp"
#include "nets/dense.hpp"

// Numbers in parentheses are the equations of contractive_residual.md.
namespace biject {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// Rows [first, first + count) of the columns of m (n × k), from and to the lanes of k numbers; the other lanes are zero.
template <class S> void gather(const In<S>& m, Index first, int count, S* lanes) {
  for (Index c = 0; c < m.cols(); ++c) Lanes<S>::load(m.col(c).data() + first, count).store(lanes + c * kLanes, kLanes);
}
template <class S> void scatter(const S* lanes, Index first, int count, Out<S>& m) {
  for (Index c = 0; c < m.cols(); ++c) Lanes<S>::load(lanes + c * kLanes, kLanes).store(m.col(c).data() + first, count);
}

/// a ← I + a.
template <class S> void add_identity(S* a, Index size) {
  for (Index d = 0; d < size; ++d) {
    for_each_lane([&](int i) { a[(d * size + d) * kLanes + i] += 1; });
  }
}

// How a row goes on while its inverse is sought.
template <class S> constexpr S kNewton = 0;
template <class S> constexpr S kFixedPoint = 1;
template <class S> constexpr S kDone = 2;

// The norm of the weights is the Schatten norm of order 2·2^kSquares: ‖W‖ ≤ σ ≤ 1.07·‖W‖ for matrices of rank 64.
constexpr std::size_t kSquares = 5;
constexpr double kOrder = 2 << kSquares;

// log(1 + eˣ)
double log_sum(double x) { return std::max(x, 0.) + std::log1p(std::exp(-std::abs(x))); }

/// m ← m / ‖m‖, Frobenius. Returns log ‖m‖; zero stays zero.
template <class M> double normalise_length(M&& m) {
  using S = typename std::remove_reference_t<M>::Scalar;
  const double length = std::sqrt(m.template cast<double>().squaredNorm());
  m *= static_cast<S>(1 / std::max(length, static_cast<double>(std::numeric_limits<S>::min())));
  return std::log(length);
}

constexpr Index kWarmUp = 8;         // steps of the fixed point before the first of Newton
constexpr Index kMostSteps = 1000;   // 0.97^1000 = 6e-14

}  // namespace

template <class S>
ContractiveResidual<S>::ContractiveResidual(Plan& plan, Index features, Index context, const std::vector<Index>& hidden)
    : features_(features),
      chunk_(std::min(features, kMostExact)),
      net_(plan, {features, context, hidden, features, chunk_}, TangentNet<S>::Weights::given, TangentNet<S>::Memory::kept) {
  ScratchLayout& scratch = plan.scratch();
  for (Index i = 0; i < net_.depth(); ++i) {
    const auto& [offset, rows, cols] = net_.parameter(i);
    const Index small = std::min(rows, cols);
    Norm norm{scratch.fixed(rows, cols), {}, {scratch.fixed(rows, cols), scratch.fixed(rows, cols)}, scratch.fixed(2, 1)};
    for (std::size_t k = 0; k < kSquares; ++k) norm.powers.push_back(scratch.fixed(small, small));
    norms_.push_back(std::move(norm));
  }
  matrices_ = scratch.fixed(kLanes, features * features);
  vectors_ = scratch.fixed(kLanes, features);
  g_ = scratch.temporary(features);
  tangents_ = scratch.temporary(chunk_ * features);
  pulled_ = scratch.temporary(chunk_ * features);
  const bool is_kept = features <= kMostExact;
  jacobian_ = is_kept ? scratch.keep(features * features) : scratch.temporary(features * features);
  if (!is_kept) {
    for (Index k = 0; k < kMostTerms; ++k) powers_.push_back(scratch.keep(features));
    terms_ = scratch.keep(1);
    weight_ = scratch.temporary(1);
  }
  trial_ = scratch.temporary(features);
  tried_ = {scratch.temporary(features), scratch.temporary(features), scratch.temporary(1)};
  best_ = {scratch.temporary(features), scratch.temporary(features), scratch.temporary(1)};
  size_ = scratch.temporary(1);
  state_ = scratch.temporary(1);
}

template <class S>
void ContractiveResidual<S>::init(Arena<S>& theta, Workspace<S>&, const Rng& rng, In<S>, In<S>) const {
  net_.init(theta, rng, 1, 1);  // biases that differ put the bends of g in different places
}

template <class S>
void ContractiveResidual<S>::forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const {
  normalise(f);
  net_.forward(f, x, z);
  z += x;
  if (is_estimated(f)) {
    estimate(f, logdet);
    return;
  }
  push_units(f);
  Out<S> jacobian = f.scratch[jacobian_];
  S* a = f.scratch[matrices_].data();
  for_each_lane_group(x.rows(), [&](Index first, int count) {
    Lanes<S> ld{};
    gather<S>(jacobian, first, count, a);
    add_identity(a, features_);
    if (f.noise != nullptr) {
      invert(a, features_, ld);
      for (Index o = 0; o < features_; ++o) {  // (11) wants it transposed
        for (Index m = 0; m < features_; ++m) {
          Lanes<S>::load(a + (m * features_ + o) * kLanes, kLanes).store(jacobian.col(o * features_ + m).data() + first, count);
        }
      }
    } else {
      factorise(a, features_, ld);
    }
    ld.add_to(logdet.data() + first, count);
  });
}

/// Newton's method after a few steps of the fixed point, each row on its own. A step that does not shorten the residual by the factor that
/// a step of the fixed point would is taken back for the latter; where even that fails to shorten it, rounding is all that is left.
template <class S>
void ContractiveResidual<S>::inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const {
  normalise(f);
  auto trial = f.scratch[trial_], residual_there = f.scratch[tried_.residual];
  const auto residual = f.scratch[best_.residual], step = f.scratch[best_.step];
  auto state = f.scratch[state_].col(0);
  trial = z;
  for (Index i = 0; i < kWarmUp; ++i) {
    net_.forward(f, trial, residual_there);
    trial = z - residual_there;
  }
  f.scratch[size_].setConstant(std::numeric_limits<S>::infinity());
  state.setConstant(kNewton<S>);
  Index running = z.rows();
  for (Index i = 0; i < kMostSteps && running > 0; ++i) {
    net_.forward(f, trial, residual_there);
    residual_there += trial - z;
    push_units(f);
    find_newton_steps(f);
    running = judge_trial(f, x);
    for (Index d = 0; d < features_; ++d) {
      for (Index r = 0; r < z.rows(); ++r) {
        const S correction = state(r) == kNewton<S> ? step(r, d) : residual(r, d);
        trial(r, d) = state(r) == kDone<S> ? x(r, d) : x(r, d) - correction;
      }
    }
  }
  logdet -= f.scratch[best_.logdet].col(0);
}

template <class S> void ContractiveResidual<S>::find_newton_steps(const Frame<S>& f) const {
  const Out<S> jacobian = f.scratch[jacobian_], residual = f.scratch[tried_.residual];
  Out<S> step = f.scratch[tried_.step];
  auto logdet = f.scratch[tried_.logdet].col(0);
  S* a = f.scratch[matrices_].data();
  S* b = f.scratch[vectors_].data();
  for_each_lane_group(step.rows(), [&](Index first, int count) {
    Lanes<S> ld{};
    gather<S>(jacobian, first, count, a);
    gather<S>(residual, first, count, b);
    add_identity(a, features_);
    factorise(a, features_, ld);
    solve(a, features_, b);
    scatter<S>(b, first, count, step);
    ld.store(logdet.data() + first, count);
  });
}

/// Moves x to the trial point in the rows where that is better and decides how each row goes on. Returns how many do.
template <class S> Index ContractiveResidual<S>::judge_trial(const Frame<S>& f, Out<S> x) const {
  constexpr S kArrived = 16 * std::numeric_limits<S>::epsilon();
  const auto trial = f.scratch[trial_], residual = f.scratch[tried_.residual], step = f.scratch[tried_.step];
  const auto logdet = f.scratch[tried_.logdet].col(0);
  auto best_residual = f.scratch[best_.residual], best_step = f.scratch[best_.step];
  auto best_logdet = f.scratch[best_.logdet].col(0), best_size = f.scratch[size_].col(0), state = f.scratch[state_].col(0);
  Index running = 0;
  for (Index r = 0; r < x.rows(); ++r) {
    if (state(r) == kDone<S>) continue;
    S square = 0, longest = 0, farthest = 0;
    for (Index d = 0; d < features_; ++d) {
      square += residual(r, d) * residual(r, d);
      longest = std::max(longest, std::abs(step(r, d)));
      farthest = std::max(farthest, std::abs(trial(r, d)));
    }
    const S size = std::sqrt(square);
    const bool is_number = size < std::numeric_limits<S>::infinity();
    const bool is_better = state(r) == kNewton<S> ? size <= static_cast<S>(kLipschitz) * best_size(r) : size < best_size(r);
    const bool has_arrived = is_better && longest <= kArrived * (1 + farthest);
    if (is_better || !is_number) {  // what is not a number is handed on as such
      x.row(r) = trial.row(r);
      best_residual.row(r) = residual.row(r);
      best_step.row(r) = step.row(r);
      best_logdet(r) = logdet(r);
      best_size(r) = size;
    }
    if (has_arrived) x.row(r) -= step.row(r);
    const bool is_over = has_arrived || !is_number || (!is_better && state(r) == kFixedPoint<S>);
    state(r) = is_over ? kDone<S> : (is_better ? kNewton<S> : kFixedPoint<S>);
    running += !is_over;
  }
  return running;
}

template <class S>
void ContractiveResidual<S>::backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                                      const Gradient<S>& grad) const {
  for (Index i = 0; i < net_.depth(); ++i) f.scratch[net_.dweights(i)].setZero();
  net_.begin_backward(f);
  if (is_estimated(f)) {
    estimate_backward(f, dlogdet, grad);
  } else {
    exact_backward(f, dlogdet, grad);
  }
  net_.backward(f, x, dz, dx, grad);
  dx += dz;
  normalise_backward(f, grad);
}

/// The Jacobian of g, column by column: all of it in training if D ≤ kMostExact, in use always.
template <class S> void ContractiveResidual<S>::push_units(const Frame<S>& f) const {
  const Index n = f.scratch.rows();
  auto jacobian = stacked(f.scratch, jacobian_, features_, features_);
  for (Index first = 0; first < features_; first += chunk_) {
    const Index count = std::min(chunk_, features_ - first);
    auto tangents = stacked(f.scratch, tangents_, count, features_);
    tangents.setZero();
    for (Index m = 0; m < count; ++m) tangents.col(first + m).segment(m * n, n).setOnes();
    net_.push(f, tangents, jacobian.middleRows(first * n, count * n));
  }
}

template <class S>
void ContractiveResidual<S>::exact_backward(const Frame<S>& f, VectorIn<S> dlogdet, const Gradient<S>& grad) const {
  const Index n = f.scratch.rows();
  auto tangents = stacked(f.scratch, tangents_, features_, features_);
  tangents.setZero();
  for (Index m = 0; m < features_; ++m) tangents.col(m).segment(m * n, n).setOnes();
  const auto inverse = f.scratch[jacobian_];
  auto djacobian = f.scratch[pulled_];
  for (Index c = 0; c < djacobian.cols(); ++c) djacobian.col(c) = inverse.col(c).cwiseProduct(dlogdet);  // (11)
  net_.pull(f, tangents, stacked(f.scratch, pulled_, features_, features_), f.scratch[g_].leftCols(0), grad);
}

template <class S> void ContractiveResidual<S>::estimate(const Frame<S>& f, VectorOut<S> logdet) const {
  const Index n = f.scratch.rows();
  auto terms = f.scratch[terms_].col(0);
  auto signs = f.scratch[powers_[0]];
  draw_signs<S>(*f.noise, net_.key(), signs);
  const Rng rng = f.noise->of(Stream::probe);
  const std::uint32_t index = net_.key() + static_cast<std::uint32_t>((features_ + 127) / 128);
  for (Index r = 0; r < n; ++r) {
    const std::uint32_t coins = rng.bits(f.noise->first_row + static_cast<std::uint64_t>(r), index)[0];
    terms(r) = static_cast<S>(std::min<Index>(kSureTerms + std::countr_one(coins), kMostTerms));
  }
  const Index most = static_cast<Index>(terms.maxCoeff());
  auto weight = f.scratch[weight_].col(0);
  for (Index k = 1; k <= most; ++k) {
    auto power = k < most ? f.scratch[powers_[at(k)]] : f.scratch[g_];
    net_.push(f, f.scratch[powers_[at(k - 1)]], power);
    weigh(f, k);
    for (Index d = 0; d < features_; ++d) logdet += weight.cwiseProduct(signs.col(d)).cwiseProduct(power.col(d));  // (12)
  }
}

/// weight ← (−1)ᵏ⁺¹ / (k·P(terms ≥ k)) in the rows that have term k, 0 in the others (13).
template <class S> void ContractiveResidual<S>::weigh(const Frame<S>& f, Index k) const {
  const double probability = std::ldexp(1., -static_cast<int>(std::max<Index>(0, k - kSureTerms)));
  const S weight = static_cast<S>((k % 2 == 1 ? 1 : -1) / (static_cast<double>(k) * probability));
  const auto terms = f.scratch[terms_];
  auto weights = f.scratch[weight_];
  for (Index r = 0; r < terms.rows(); ++r) weights(r, 0) = terms(r, 0) >= static_cast<S>(k) ? weight : S(0);
}

template <class S>
void ContractiveResidual<S>::estimate_backward(const Frame<S>& f, VectorIn<S> dlogdet, const Gradient<S>& grad) const {
  const auto signs = f.scratch[powers_[0]];
  auto weight = f.scratch[weight_].col(0);
  auto power = f.scratch[g_], dpower = f.scratch[tried_.residual], dbefore = f.scratch[tried_.step];
  dbefore.setZero();
  for (Index k = static_cast<Index>(f.scratch[terms_].maxCoeff()); k > 0; --k) {
    weigh(f, k);
    weight = weight.cwiseProduct(dlogdet);
    for (Index d = 0; d < features_; ++d) dpower.col(d) = dbefore.col(d) + weight.cwiseProduct(signs.col(d));  // (14)
    net_.push(f, f.scratch[powers_[at(k - 1)]], power);  // for what it leaves in scratch
    net_.pull(f, f.scratch[powers_[at(k - 1)]], dpower, dbefore, grad);
  }
}

/// Fills the weights of the network with the normalised ones.
template <class S> void ContractiveResidual<S>::normalise(const Frame<S>& f) const {
  const double most = std::pow(kLipschitz, 1 / static_cast<double>(net_.depth()));
  for (Index i = 0; i < net_.depth(); ++i) {
    const Norm& norm = norms_[at(i)];
    auto unit = f.scratch[norm.unit], gram = f.scratch[norm.powers.front()];
    unit = f.theta[net_.parameter(i)];
    const double log_length = normalise_length(unit);
    gram.setZero();
    if (unit.rows() < unit.cols()) {
      product_transposed<S>(unit, unit, gram);
    } else {
      add_outer_product<S>(unit, unit, gram);
    }
    double log_power = 0, log_product = 0;                                              // (3): log cₖ, Σ log cₖ
    for (std::size_t k = 0; k < kSquares; ++k) {
      auto power = f.scratch[norm.powers[k]];
      if (k > 0) product<S>(f.scratch[norm.powers[k - 1]], f.scratch[norm.powers[k - 1]], power);
      log_power = 2 * log_power + normalise_length(power);
      log_product += log_power;
    }
    const double log_sigma = kOrder * log_length + 2 * log_power;                       // (4)
    const double phi = std::exp(-log_sum(log_sigma) / kOrder);                          // (5)
    f.scratch[norm.scalars](0) = static_cast<S>(most * phi);
    f.scratch[norm.scalars](1) = static_cast<S>(std::exp(kOrder * log_length - log_sum(log_sigma) + log_product));  // (8)
    f.scratch[net_.weights(i)] = f.scratch[norm.scalars](0) * f.theta[net_.parameter(i)];
  }
}

/// Hands the gradient of the normalised weights on to the parameters.
template <class S> void ContractiveResidual<S>::normalise_backward(const Frame<S>& f, const Gradient<S>& grad) const {
  for (Index i = 0; i < net_.depth(); ++i) {
    const Norm& norm = norms_[at(i)];
    const auto unit = f.scratch[norm.unit], dweights = f.scratch[net_.dweights(i)], scalars = f.scratch[norm.scalars];
    for (std::size_t k = 0; k < kSquares; ++k) {
      const auto from = k == 0 ? unit : f.scratch[norm.products[(k - 1) % 2]], power = f.scratch[norm.powers[k]];
      auto to = f.scratch[norm.products[k % 2]];
      if (unit.rows() < unit.cols()) {
        product<S>(power, from, to);
      } else {
        product<S>(from, power, to);
      }
    }
    const auto through_norm = f.scratch[norm.products[(kSquares - 1) % 2]];
    const S along = static_cast<S>(dweights.template cast<double>().cwiseProduct(unit.template cast<double>()).sum());
    grad.theta[net_.parameter(i)] += scalars(0) * (dweights - (scalars(1) * along) * through_norm);  // (7)
  }
}

template class ContractiveResidual<float>;
template class ContractiveResidual<double>;

}  // namespace biject
