#include "flows/mixing.hpp"

#include "bijectors/actnorm.hpp"
#include "bijectors/householder.hpp"
#include "bijectors/lu_linear.hpp"
#include "bijectors/permutation.hpp"
#include "bijectors/qr_linear.hpp"

namespace biject {

NetStyle style_of(const FlowSpec& spec) {
  return {spec.hidden, spec.blocks, {activation_of(spec.activation), spec.dropout}};
}

NetStyle context_style_of(const FlowSpec& spec) { return spec.context > 0 ? style_of(spec) : NetStyle{}; }

template <class S> void mix(const FlowSpec& spec, Chain<S>& chain, bool is_last) {
  using Lu = LuLinear<S>;
  using Qr = QrLinear<S>;
  const Index features = spec.features;
  if (spec.mix == "lu") {
    chain.append(std::make_unique<Permutation<S>>(reversed_order(features)));
    chain.template add<Lu>("lu", features, is_last ? Lu::Start::whiten : Lu::Start::identity);
  } else if (spec.mix == "qr") {
    chain.template add<Qr>("qr", features, is_last ? Qr::Start::whiten : Qr::Start::identity);
  } else if (spec.mix == "householder") {  // whitening is no rotation
    if (is_last) chain.template add<Lu>("lu", features, Lu::Start::whiten);
    if (!is_last) chain.template add<Householder<S>>("householder", features, features + features % 2);
  } else if (is_last && spec.base != "uniform") {  // which needs what the layers keep inside the box left there
    chain.template add<ActNorm<S>>("actnorm", features);
  } else if (spec.mix == "reverse") {
    chain.append(std::make_unique<Permutation<S>>(reversed_order(features)));
  } else if (spec.mix == "permute") {
    chain.append(std::make_unique<Permutation<S>>(random_order(features, static_cast<std::uint64_t>(chain.size()))));
  }
}

template void mix<float>(const FlowSpec&, Chain<float>&, bool);
template void mix<double>(const FlowSpec&, Chain<double>&, bool);

}  // namespace biject
