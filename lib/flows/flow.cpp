#include "flows/flow.hpp"

#include <algorithm>
#include <limits>

#include "bases/laplace.hpp"
#include "bases/logistic.hpp"
#include "bases/made_mog.hpp"
#include "bases/normal_mixture.hpp"
#include "bases/standard_normal.hpp"
#include "bases/student_t.hpp"
#include "bases/uniform.hpp"
#include "bijectors/chain.hpp"
#include "core/numerics.hpp"
#include "flows/catalogue.hpp"
#include "flows/mixing.hpp"
#include "nets/make_net.hpp"

namespace biject {

namespace {

template <class S> BijectorPtr<S> make_chain(const FlowSpec& spec, Plan& plan) {
  const FlowRow* row = find_flow(spec.flow);
  auto chain = std::make_unique<Chain<S>>(plan, spec.features, spec.context);
  if constexpr (std::is_same_v<S, float>) {
    row->build_float(spec, *chain);
  } else {
    row->build_double(spec, *chain);
  }
  return chain;
}

template <class S> BasePtr<S> make_base(const FlowSpec& spec, Plan& plan) {
  const Plan::Scope scope(plan, "base");
  if (spec.base == "student") return std::make_unique<StudentT<S>>(plan, spec.features);
  if (spec.base == "laplace") return std::make_unique<Laplace<S>>();
  if (spec.base == "logistic") return std::make_unique<Logistic<S>>();
  if (spec.base == "uniform") return std::make_unique<Uniform<S>>(spec.tail);
  if (spec.base == "mixture") return std::make_unique<NormalMixture<S>>(plan, spec.features, spec.components);
  if (spec.base == "made-mog") {
    return std::make_unique<MadeMog<S>>(plan, spec.features, spec.context, spec.components, style_of(spec));
  }
  return std::make_unique<StandardNormal<S>>();
}

constexpr std::uint32_t kComponentIndex = std::numeric_limits<std::uint32_t>::max();  // beyond what any base draws

}  // namespace

template <class S> typename Flow<S>::Component Flow<S>::make_component(const FlowSpec& spec) {
  return {make_chain<S>(spec, plan_), make_base<S>(spec, plan_), plan_.scratch().keep_between(spec.features)};
}

template <class S>
Flow<S>::Flow(const FlowSpec& spec)
    : spec_((check(spec), spec)), dz_(plan_.scratch().temporary(spec.features)), logdet_(plan_.scratch().temporary(1)) {
  if (!lists(find_flow(spec.flow)->options, "component-flow")) {
    components_.push_back(make_component(spec));
    return;
  }
  const Index number = spec.components;
  FlowSpec component = spec;
  component.flow = spec.component_flow;
  gate_ = [&] {
    const Plan::Scope scope(plan_, "gate");
    return make_net<S>(plan_, {0, spec.context, std::vector<Index>(static_cast<std::size_t>(number), 0)}, {});
  }();
  gates_ = plan_.scratch().keep(number);
  logps_ = plan_.scratch().keep(number);
  dx_ = plan_.scratch().temporary(spec.features);
  dlogp_ = plan_.scratch().temporary(number);
  for (Index k = 0; k < number; ++k) {
    const Plan::Scope scope(plan_, "component" + std::to_string(k));
    const LayerScope layer(plan_.scratch());
    components_.push_back(make_component(component));
  }
}

template <class S> Flow<S>::~Flow() = default;

template <class S> void Flow<S>::init(Arena<S>& theta, const Rng& rng, In<S> x, In<S> context) const {
  Workspace<S> scratch(plan_.scratch(), kShardRows);
  for (const Component& component : components_) {
    component.chain->init(theta, scratch, rng, x, context);
    component.base->init(theta, rng);
  }
  if (gate_) gate_->init(theta, rng, Vector<S>::Zero(std::ssize(components_)));
}

template <class S>
void Flow<S>::log_prob(const Component& component, const Frame<S>& f, In<S> x, VectorOut<S> logp) const {
  auto z = f.scratch[component.z];
  logp.setZero();
  component.chain->forward(f, x, z, logp);
  component.base->log_prob(f, z, logp);
}

/// log Σ_k π_k·p_k, and the two sets of probabilities that its gradient needs.
template <class S> void Flow<S>::posterior(const Frame<S>& f, In<S> x, VectorOut<S> logp) const {
  auto gates = f.scratch[gates_];
  auto logps = f.scratch[logps_];
  gate_->forward(f, x.leftCols(0), gates);
  for (std::size_t k = 0; k < components_.size(); ++k) log_prob(components_[k], f, x, logps.col(static_cast<Index>(k)));
  const auto normalise = [](auto row) {  // softmax in place; returns the logarithm of the sum
    const S most = row.maxCoeff();
    S sum = 0;
    for (Index k = 0; k < row.size(); ++k) sum += row(k) = exp_fast(row(k) - most);
    row /= sum;
    return most + log_fast(sum);
  };
  for (Index i = 0; i < x.rows(); ++i) {
    logps.row(i) += gates.row(i);
    logp(i) = normalise(logps.row(i)) - normalise(gates.row(i));
  }
}

template <class S> void Flow<S>::log_prob(const Frame<S>& f, In<S> x, VectorOut<S> logp) const {
  if (gate_) {
    posterior(f, x, logp);
  } else {
    log_prob(components_.front(), f, x, logp);
  }
}

template <class S>
void Flow<S>::sample(const Frame<S>& f, const Rng& rng, std::uint64_t first_row, double temperature, Out<S> x) const {
  auto unused = f.scratch[logdet_].col(0);
  unused.setZero();
  const auto draw = [&](const Component& component, Out<S> to) {
    auto z = f.scratch[component.z];
    component.base->sample(f, rng, first_row, temperature, z);
    component.chain->inverse(f, z, to, unused);
  };
  if (!gate_) return draw(components_.front(), x);
  auto gates = f.scratch[gates_];
  auto from = f.scratch[dx_];
  gate_->forward(f, x.leftCols(0), gates);
  auto chosen = f.scratch[dlogp_].col(0);  // as a number
  for (Index i = 0; i < x.rows(); ++i) {
    const auto weights = gates.row(i).array();
    const S most = weights.maxCoeff();
    S rest = static_cast<S>(rng.uniform(first_row + static_cast<std::uint64_t>(i), kComponentIndex)) * (weights - most).exp().sum();
    Index k = 0;
    for (; k + 1 < weights.size(); ++k) {
      rest -= std::exp(weights(k) - most);
      if (rest < 0) break;
    }
    chosen(i) = static_cast<S>(k);
  }
  for (std::size_t k = 0; k < components_.size(); ++k) {
    if ((chosen.array() == static_cast<S>(k)).any()) draw(components_[k], from);
    for (Index i = 0; i < x.rows(); ++i) {
      if (chosen(i) == static_cast<S>(k)) x.row(i) = from.row(i);
    }
  }
}

template <class S> void Flow<S>::forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const {
  BIJECT_EXPECT(has_latents());
  components_.front().chain->forward(f, x, z, logdet);
}

template <class S> void Flow<S>::inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const {
  BIJECT_EXPECT(has_latents());
  components_.front().chain->inverse(f, z, x, logdet);
}

template <class S>
void Flow<S>::backward(const Frame<S>& f, In<S> x, VectorIn<S> weight, VectorOut<S> logp, Out<S> dx,
                       const Gradient<S>& grad) const {
  log_prob(f, x, logp);
  auto dz = f.scratch[dz_];
  const auto pull = [&](const Component& component, VectorIn<S> dlogp, Out<S> to) {
    component.base->backward(f, f.scratch[component.z], dlogp, dz, grad);
    component.chain->backward(f, x, dz, dlogp, to, grad);
  };
  if (!gate_) return pull(components_.front(), weight, dx);
  // ∂ log Σ π_k·p_k: the probability r_k of component k given x for log p_k, r_k − π_k for the gate.
  auto gates = f.scratch[gates_];
  auto dlogps = f.scratch[dlogp_];
  auto from = f.scratch[dx_];
  dlogps = f.scratch[logps_].array().colwise() * weight.array();
  gates = dlogps.array() - gates.array().colwise() * weight.array();
  gate_->backward(f, x.leftCols(0), gates, dx.leftCols(0), grad);
  dx.setZero();
  for (std::size_t k = 0; k < components_.size(); ++k) {
    pull(components_[k], dlogps.col(static_cast<Index>(k)), from);
    dx += from;
  }
}

template <class S>
void Flow<S>::ascend(const Frame<S>& f, In<S> x, VectorIn<S> weight, VectorOut<S> value, Out<S> dx, const Gradient<S>& grad) const {
  if (find_flow(spec_.flow)->objective == Objective::matching) {
    components_.front().chain->match(f, x, weight, value, grad);
  } else {
    backward(f, x, weight, value, dx, grad);
  }
}

template <class S> bool Flow<S>::sums_by_block() const {
  return find_flow(spec_.flow)->objective != Objective::matching && (!gate_ || gate_->sums_by_block()) &&
         std::ranges::all_of(components_, [](const Component& c) { return c.chain->sums_by_block() && c.base->sums_by_block(); });
}

template class Flow<float>;
template class Flow<double>;

}  // namespace biject
