#include "flows/flow.hpp"

#include "bases/standard_normal.hpp"
#include "bases/student_t.hpp"
#include "bijectors/chain.hpp"
#include "flows/catalogue.hpp"

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
  return std::make_unique<StandardNormal<S>>();
}

}  // namespace

template <class S>
Flow<S>::Flow(const FlowSpec& spec)
    : spec_((check(spec), spec)),
      z_(plan_.scratch().keep(spec.features)),
      dz_(plan_.scratch().temporary(spec.features)),
      logdet_(plan_.scratch().temporary(1)),
      chain_(make_chain<S>(spec, plan_)),
      base_(make_base<S>(spec, plan_)) {}

template <class S> Flow<S>::~Flow() = default;

template <class S> void Flow<S>::init(Arena<S>& theta, const Rng& rng, In<S> x, In<S> context) const {
  Workspace<S> scratch(plan_.scratch(), kShardRows);
  chain_->init(theta, scratch, rng, x, context);
  base_->init(theta, rng);
}

template <class S> void Flow<S>::log_prob(const Frame<S>& f, In<S> x, VectorOut<S> logp) const {
  auto z = f.scratch[z_];
  logp.setZero();
  chain_->forward(f, x, z, logp);
  base_->log_prob(f, z, logp);
}

template <class S>
void Flow<S>::sample(const Frame<S>& f, const Rng& rng, std::uint64_t first_row, double temperature, Out<S> x) const {
  auto z = f.scratch[z_];
  base_->sample(f, rng, first_row, temperature, z);
  auto unused = f.scratch[logdet_].col(0);
  unused.setZero();
  chain_->inverse(f, z, x, unused);
}

template <class S> void Flow<S>::forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const {
  chain_->forward(f, x, z, logdet);
}

template <class S> void Flow<S>::inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const {
  chain_->inverse(f, z, x, logdet);
}

template <class S>
void Flow<S>::backward(const Frame<S>& f, In<S> x, VectorIn<S> weight, VectorOut<S> logp, Out<S> dx,
                       const Gradient<S>& grad) const {
  log_prob(f, x, logp);
  auto dz = f.scratch[dz_];
  base_->backward(f, f.scratch[z_], weight, dz, grad);
  chain_->backward(f, x, dz, weight, dx, grad);
}

template class Flow<float>;
template class Flow<double>;

}  // namespace biject
