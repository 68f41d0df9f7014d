#include "flows/catalogue.hpp"

#include <algorithm>
#include <array>

#include "flows/map_flow.hpp"
#include "flows/recipes.hpp"
#include "maps/affine.hpp"
#include "maps/bernstein.hpp"
#include "maps/circular_rq_spline.hpp"
#include "maps/cubic_spline.hpp"
#include "maps/deep_sigmoid.hpp"
#include "maps/lambert_w.hpp"
#include "maps/linear_rational_spline.hpp"
#include "maps/linear_spline.hpp"
#include "maps/mixture_cdf.hpp"
#include "maps/quadratic_spline.hpp"
#include "maps/rq_spline.hpp"
#include "maps/shift.hpp"
#include "maps/sinh_arcsinh.hpp"
#include "maps/sum_of_squares.hpp"
#include "maps/unconstrained_monotone.hpp"

namespace biject {

namespace {

constexpr std::string_view kNetOptions = "layers hidden blocks mix base dropout";
constexpr std::string_view kSplineOptions = "layers hidden blocks mix base dropout bins tail";
constexpr std::string_view kMapOptions = "scheme layers hidden blocks mix base dropout";
constexpr std::string_view kMapBinsOptions = "scheme layers hidden blocks mix base dropout bins";
constexpr std::string_view kMapBinsTailOptions = "scheme layers hidden blocks mix base dropout bins tail";

// The base of MADE-MoG has networks of its own and belongs to the flows that are named after it. A box holds only what the layers
// never carry out of it.
constexpr std::string_view kMostBases = "normal student laplace logistic mixture";
constexpr std::string_view kBoxBases = "normal student laplace logistic mixture uniform";
// The layers of some flows leave far rows where they are and have no scales of their own: tails have to come from the base.
constexpr std::string_view kTailBases = "student normal laplace logistic mixture";
constexpr std::string_view kTailBoxBases = "student normal laplace logistic mixture uniform";

// What won on held-out nats over eight tables of 250 to 20,000 rows and 2 to 30 columns. Silencing units is worth more than any
// width: 0.1 gained 0.06 to 2 nats on each of them, up to 2,000 rows a column; 0.2 gained more still where there are fewer than 100.
// The bound of 5,000 lies between these tables and the densities with 10,000 rows a column, which are fitted well without.
void net_defaults(FlowSpec& spec, Index rows) {
  const Index width = rows < 3000 ? 64 : rows < 100'000 ? 128 : 256;
  spec.hidden = {width, width};
  const Index rows_per_column = rows / (spec.features + spec.context);
  spec.dropout = rows_per_column < 100 ? 0.2 : rows_per_column < 5000 ? 0.1 : 0;
}

void coupling_defaults(FlowSpec& spec, Index rows) {
  net_defaults(spec, rows);
  spec.layers = 8;
}

// Without networks nothing overfits soon, and every layer can do little.
void gaussianization_defaults(FlowSpec& spec, Index rows) {
  net_defaults(spec, rows);
  spec.layers = 12;
  spec.mix = "householder";
}

// A polynomial of that degree bends about as narrowly as a spline of some four bins.
void bernstein_defaults(FlowSpec& spec, Index rows) {
  net_defaults(spec, rows);
  spec.bins = 16;
}

// Its bends have a least width in units of the interval: a narrow one makes them sharp where the rows are.
void unaf_defaults(FlowSpec& spec, Index rows) {
  net_defaults(spec, rows);
  spec.tail = 3;
}

void row_defaults(FlowSpec& spec, Index rows) {
  net_defaults(spec, rows);
  spec.layers = 32;
}

void bnaf_defaults(FlowSpec& spec, Index rows) {
  net_defaults(spec, rows);
  spec.dropout = 0;
  spec.layers = 3;
}

void residual_defaults(FlowSpec& spec, Index) {
  spec.hidden = {64, 64};
  spec.layers = 8;
}

void continuous_defaults(FlowSpec& spec, Index) {
  spec.hidden = {64, 64};
  spec.layers = 1;
}

void matching_defaults(FlowSpec& spec, Index) { spec.hidden = {128, 128}; }

void mixture_defaults(FlowSpec& spec, Index rows) {
  const FlowRow* component = find_flow(spec.component_flow);
  if (component->defaults != mixture_defaults) component->defaults(spec, rows);
  spec.components = 4;
}

void no_defaults(FlowSpec&, Index) {}

constexpr auto kCatalogue = std::to_array<FlowRow>({
    row_of_map<RqSpline>({
        .name = "nsf",
        .summary = "the default: sharp and multimodal densities, up to about a hundred columns",
        .paper = "Durkan, Bekasov, Murray, Papamakarios 2019, Neural spline flows",
        .formula = "z_d = spline(x_d; net(x_0 … x_{d−1})), a rational-quadratic spline in each column",
        .score_cost = "1 pass",
        .sample_cost = "1 masked pass",
        .options = kSplineOptions,
        .bases = kBoxBases,
        .defaults = net_defaults,
        .scheme = "autoregressive",
        .map_name = "rational-quadratic spline",
    }),
    row_of_map<RqSpline>({
        .name = "nsf-coupling",
        .summary = "as nsf with coupling layers: sampling costs what scoring does, plain networks",
        .paper = "Durkan, Bekasov, Murray, Papamakarios 2019, Neural spline flows",
        .formula = "z_A = x_A, z_B = spline(x_B; net(x_A)), a rational-quadratic spline in each column of B",
        .score_cost = "1 pass",
        .sample_cost = "1 pass",
        .options = kSplineOptions,
        .bases = kBoxBases,
        .defaults = coupling_defaults,
        .scheme = "coupling",
        .map_name = "rational-quadratic spline",
    }),
    row_of_map<Affine>({
        .name = "maf",
        .summary = "smooth, unimodal or bent densities; the fastest to train",
        .paper = "Papamakarios, Pavlakou, Murray 2017, Masked autoregressive flow for density estimation",
        .formula = "z_d = x_d·exp(s_d) + t_d with (s_d, t_d) = net(x_0 … x_{d−1})",
        .score_cost = "1 pass",
        .sample_cost = "1 masked pass",
        .options = kNetOptions,
        .bases = kMostBases,
        .defaults = net_defaults,
        .scheme = "autoregressive",
        .map_name = "affine",
    }),
    row_of_map<Affine>({
        .name = "realnvp",
        .summary = "the classic: fast both ways, for smooth densities",
        .paper = "Dinh, Sohl-Dickstein, Bengio 2017, Density estimation using Real NVP",
        .formula = "z_A = x_A, z_B = x_B·exp(s) + t with (s, t) = net(x_A)",
        .score_cost = "1 pass",
        .sample_cost = "1 pass",
        .options = kNetOptions,
        .bases = kMostBases,
        .defaults = coupling_defaults,
        .scheme = "coupling",
        .map_name = "affine",
    }),
    row_of_map<Shift>({
        .name = "nice",
        .summary = "volume-preserving couplings: bends space without stretching it",
        .paper = "Dinh, Krueger, Bengio 2014, NICE: non-linear independent components estimation",
        .formula = "z_A = x_A, z_B = x_B + t with t = net(x_A); scales in the linear layers",
        .score_cost = "1 pass",
        .sample_cost = "1 pass",
        .options = kNetOptions,
        .bases = kTailBases,
        .defaults = coupling_defaults,
        .scheme = "coupling",
        .map_name = "shift",
    }),
    row_of_map<CircularRqSpline>({
        .name = "nsf-circular",
        .summary = "as nsf for columns that go round in a circle: both ends of the interval meet",
        .paper = "Rezende et al. 2020, Normalizing flows on tori and spheres",
        .formula = "z_d = wrap(spline(x_d; net(x_0 … x_{d−1})) + shift) on [−tail, tail)",
        .score_cost = "1 pass",
        .sample_cost = "1 masked pass",
        .options = kMapBinsTailOptions,
        .bases = kTailBoxBases,
        .defaults = net_defaults,
        .scheme = "autoregressive",
        .map_name = "circular rational-quadratic spline",
    }),
    row_of_map<LinearSpline>({
        .name = "linear-spline",
        .summary = "histograms that bend: densities with steps; rough elsewhere",
        .paper = "Müller, McWilliams, Rousselle, Gross, Novák 2019, Neural importance sampling",
        .formula = "z_d = spline(x_d; net(x_0 … x_{d−1})), piecewise linear with equal bins",
        .score_cost = "1 pass",
        .sample_cost = "1 masked pass",
        .options = kMapBinsTailOptions,
        .bases = kBoxBases,
        .defaults = net_defaults,
        .scheme = "autoregressive",
        .map_name = "linear spline",
    }),
    row_of_map<QuadraticSpline>({
        .name = "quadratic-spline",
        .summary = "piecewise linear densities: continuous, with kinks",
        .paper = "Müller, McWilliams, Rousselle, Gross, Novák 2019, Neural importance sampling",
        .formula = "z_d = spline(x_d; net(x_0 … x_{d−1})), piecewise quadratic",
        .score_cost = "1 pass",
        .sample_cost = "1 masked pass",
        .options = kMapBinsTailOptions,
        .bases = kBoxBases,
        .defaults = net_defaults,
        .scheme = "autoregressive",
        .map_name = "quadratic spline",
    }),
    row_of_map<CubicSpline>({
        .name = "cubic-spline",
        .summary = "smooth densities on an interval by monotone cubic pieces",
        .paper = "Durkan, Bekasov, Murray, Papamakarios 2019, Cubic-spline flows",
        .formula = "z_d = spline(x_d; net(x_0 … x_{d−1})), piecewise cubic",
        .score_cost = "1 pass",
        .sample_cost = "1 masked pass",
        .options = kMapBinsTailOptions,
        .bases = kBoxBases,
        .defaults = net_defaults,
        .scheme = "autoregressive",
        .map_name = "cubic spline",
    }),
    row_of_map<LinearRationalSpline>({
        .name = "lrs",
        .summary = "as nsf with pieces that are inverted without a root",
        .paper = "Dolatabadi, Erfani, Leckie 2020, Invertible generative modeling using linear rational splines",
        .formula = "z_d = spline(x_d; net(x_0 … x_{d−1})), two linear-rational pieces in each bin",
        .score_cost = "1 pass",
        .sample_cost = "1 masked pass",
        .options = kMapBinsTailOptions,
        .bases = kBoxBases,
        .defaults = net_defaults,
        .scheme = "autoregressive",
        .map_name = "linear-rational spline",
    }),
    FlowRow{
        .name = "glow",
        .summary = "as realnvp with a scale for every column before each coupling",
        .paper = "Kingma, Dhariwal 2018, Glow: generative flow with invertible 1×1 convolutions",
        .formula = "actnorm, then z_B = x_B·exp(s) + t with (s, t) = net(x_A), then z = x·U·L + b",
        .score_cost = "1 pass",
        .sample_cost = "1 pass",
        .options = kNetOptions,
        .bases = kMostBases,
        .defaults = coupling_defaults,
        .build_float = glow<float>,
        .build_double = glow<double>,
    },
    FlowRow{
        .name = "iaf",
        .summary = "as maf the other way round: sampling is one plain pass",
        .paper = "Kingma, Salimans, Jozefowicz, Chen, Sutskever, Welling 2016, Improving variational inference with inverse autoregressive flow",
        .formula = "z_d = x_d·exp(s_d) + t_d with (s_d, t_d) = net(z_0 … z_{d−1})",
        .score_cost = "1 masked pass",
        .sample_cost = "1 pass",
        .options = kNetOptions,
        .bases = kMostBases,
        .defaults = net_defaults,
        .build_float = iaf<float>,
        .build_double = iaf<double>,
    },
    FlowRow{
        .name = "bnaf",
        .summary = "smooth densities of any shape with few parameters; slow to sample",
        .paper = "De Cao, Titov, Aziz 2019, Block neural autoregressive flow",
        .formula = "z_d = net_d(x_0 … x_d), one network, increasing in x_d",
        .score_cost = "1 pass",
        .sample_cost = "a root for each column",
        .options = "layers hidden mix base",
        .bases = kMostBases,
        .defaults = bnaf_defaults,
        .build_float = bnaf<float>,
        .build_double = bnaf<double>,
    },
    FlowRow{
        .name = "planar",
        .summary = "the first of all; simple densities of few columns",
        .paper = "Rezende, Mohamed 2015, Variational inference with normalizing flows",
        .formula = "z = x + u·tanh(w·x + b)",
        .score_cost = "1 pass",
        .sample_cost = "a root for each layer",
        .options = "layers hidden blocks base dropout",
        .bases = kMostBases,
        .defaults = row_defaults,
        .build_float = planar<float>,
        .build_double = planar<double>,
        .has_networks_only_of_context = true,
        .learning_rate = 5e-3,
    },
    FlowRow{
        .name = "radial",
        .summary = "the first of all, round: simple densities of few columns",
        .paper = "Rezende, Mohamed 2015, Variational inference with normalizing flows",
        .formula = "z = x + β·(x − x₀)/(α + |x − x₀|)",
        .score_cost = "1 pass",
        .sample_cost = "1 pass",
        .options = "layers hidden blocks base dropout",
        .bases = kMostBases,
        .defaults = row_defaults,
        .build_float = radial<float>,
        .build_double = radial<double>,
        .has_networks_only_of_context = true,
        .learning_rate = 5e-3,
    },
    FlowRow{
        .name = "sylvester",
        .summary = "as planar with as many planes at once as there are columns",
        .paper = "van den Berg, Hasenclever, Tomczak, Welling 2018, Sylvester normalizing flows for variational inference",
        .formula = "z = x + Q·R·tanh(R̃·Qᵀ·x + b)",
        .score_cost = "1 pass",
        .sample_cost = "a root for each column and layer",
        .options = "layers hidden blocks base dropout",
        .bases = kMostBases,
        .defaults = row_defaults,
        .build_float = sylvester<float>,
        .build_double = sylvester<double>,
        .has_networks_only_of_context = true,
        .learning_rate = 5e-3,
    },
    FlowRow{
        .name = "residual",
        .summary = "free-form smooth densities of few columns; slow",
        .paper = "Behrmann, Grathwohl, Chen, Duvenaud, Jacobsen 2019, Invertible residual networks; Chen et al. 2019, Residual flows",
        .formula = "z = x + g(x), g a network with Lipschitz constant below 1",
        .score_cost = "D passes",
        .sample_cost = "some dozens of passes",
        .options = "layers hidden mix base",
        .bases = kMostBases,
        .defaults = residual_defaults,
        .build_float = residual<float>,
        .build_double = residual<double>,
        .cost = 10,
    },
    FlowRow{
        .name = "cnf",
        .summary = "free-form smooth densities of few columns by a differential equation; slowest",
        .paper = "Chen, Rubanova, Bettencourt, Duvenaud 2018, Neural ordinary differential equations; Grathwohl et al. 2019, FFJORD",
        .formula = "dx/dt = net(x, t), t from 0 to 1",
        .score_cost = "about 50 passes with D derivatives",
        .sample_cost = "about 50 passes with D derivatives",
        .options = "layers hidden mix base",
        .bases = kMostBases,
        .defaults = continuous_defaults,
        .build_float = cnf<float>,
        .build_double = cnf<double>,
        .cost = 40,
    },
    FlowRow{
        .name = "flow-matching",
        .summary = "free-form smooth densities by a differential equation, trained without solving it",
        .paper = "Lipman, Chen, Ben-Hamu, Nickel, Le 2023, Flow matching for generative modeling",
        .formula = "dx/dt = net(x, t), net fitted to the mean velocity of straight paths from data to noise",
        .score_cost = "about 50 passes with D derivatives",
        .sample_cost = "about 50 passes with D derivatives",
        .options = "hidden",
        .bases = "normal",
        .defaults = matching_defaults,
        .build_float = flow_matching<float>,
        .build_double = flow_matching<double>,
        .objective = Objective::matching,
    },
    FlowRow{
        .name = "made-mog",
        .summary = "mixtures column by column: multimodal densities from a single network",
        .paper = "Germain, Gregor, Murray, Larochelle 2015, MADE; Papamakarios, Pavlakou, Murray 2017",
        .formula = "p(z_d | z_0 … z_{d−1}) = Σ_k w_k·N(z_d; m_k, s_k) with (w, m, s) = net(z_0 … z_{d−1})",
        .score_cost = "1 pass",
        .sample_cost = "1 masked pass",
        .options = "hidden blocks components dropout",
        .bases = "made-mog",
        .defaults = net_defaults,
        .build_float = gaussian<float>,
        .build_double = gaussian<double>,
    },
    row_of_map<Affine>({
        .name = "maf-mog",
        .summary = "maf with made-mog for a base: bent and multimodal densities",
        .paper = "Papamakarios, Pavlakou, Murray 2017, Masked autoregressive flow for density estimation",
        .formula = "as maf, then as made-mog",
        .score_cost = "1 pass",
        .sample_cost = "1 masked pass",
        .options = "layers hidden blocks mix components dropout",
        .bases = "made-mog",
        .defaults = net_defaults,
        .scheme = "autoregressive",
        .map_name = "affine",
    }),
    FlowRow{
        .name = "mixture",
        .summary = "populations that want flows of their own: several flows with learned weights",
        .paper = "Cornish, Caterini, Deligiannidis, Doucet 2020, Relaxing bijectivity constraints; mixtures of any flow of this list",
        .formula = "p(x) = Σ_k w_k·p_k(x)",
        .score_cost = "1 score of each component",
        .sample_cost = "1 sample of each component",
        .options = "component-flow components",
        .bases = "",
        .defaults = mixture_defaults,
        .cost = 4,
    },
    row_of_map<Bernstein>({
        .name = "bernstein",
        .summary = "smooth densities; one polynomial over the whole interval, far rows left alone",
        .paper = "Ramasinghe, Fernando, Khan, Barnes 2021, Robust normalizing flows using Bernstein-type polynomials",
        .formula = "z_d = Σ_k a_k·B_k(x_d) with rising a = net(x_0 … x_{d−1}), z_d = x_d beyond the interval",
        .score_cost = "1 pass",
        .sample_cost = "1 masked pass",
        .options = kMapBinsTailOptions,
        .bases = kBoxBases,
        .defaults = bernstein_defaults,
        .scheme = "autoregressive",
        .map_name = "Bernstein polynomial",
    }),
    row_of_map<SumOfSquares>({
        .name = "sos",
        .summary = "smooth densities by the integral of a sum of squared polynomials",
        .paper = "Jaini, Selby, Yu 2019, Sum-of-squares polynomial flow",
        .formula = "z_d = c + ∫_0^x_d Σ_k (Σ_l a_kl·u^l)² du with (a, c) = net(x_0 … x_{d−1})",
        .score_cost = "1 pass",
        .sample_cost = "1 masked pass",
        .options = kMapBinsTailOptions,
        .bases = kMostBases,
        .defaults = net_defaults,
        .scheme = "autoregressive",
        .map_name = "sum-of-squares polynomial",
    }),
    row_of_map<DeepSigmoid>({
        .name = "naf",
        .summary = "multimodal densities; smooth everywhere, a numerical inverse",
        .paper = "Huang, Krueger, Lacoste, Courville 2018, Neural autoregressive flows",
        .formula = "z_d = logit(Σ_k w_k·σ(a_k·x_d + b_k)) with (w, a, b) = net(x_0 … x_{d−1})",
        .score_cost = "1 pass",
        .sample_cost = "1 masked pass + a root for each column",
        .options = kMapBinsOptions,
        .bases = kMostBases,
        .defaults = net_defaults,
        .scheme = "autoregressive",
        .map_name = "deep sigmoidal map",
    }),
    row_of_map<UnconstrainedMonotone>({
        .name = "unaf",
        .summary = "smooth multimodal densities: the slope in a column is itself a small network; slow",
        .paper = "Wehenkel, Louppe 2019, Unconstrained monotonic neural networks",
        .formula = "z_d = t + ∫_0^x_d exp(c + Σ_k v_k·tanh(a_k·u + b_k)) du with all of them net(x_0 … x_{d−1})",
        .score_cost = "1 pass",
        .sample_cost = "1 masked pass + a root for each column",
        .options = kMapBinsTailOptions,
        .bases = kMostBases,
        .defaults = unaf_defaults,
        .scheme = "autoregressive",
        .map_name = "unconstrained monotone network",
        .cost = 3,
    }),
    row_of_map<LogisticMixture>({
        .name = "flow++",
        .summary = "couplings that split modes: multimodal densities with plain networks",
        .paper = "Ho, Chen, Srinivas, Duan, Abbeel 2019, Flow++",
        .formula = "z_B = exp(s)·logit(Σ_k w_k·σ((x_B − m_k)/s_k)) + t with all of them net(x_A)",
        .score_cost = "1 pass",
        .sample_cost = "1 pass + a root for each column",
        .options = kMapBinsOptions,
        .bases = kMostBases,
        .defaults = coupling_defaults,
        .scheme = "coupling",
        .map_name = "mixture of logistics",
    }),
    row_of_map<GaussianMixture>({
        .name = "gaussianization",
        .summary = "no networks: columns made normal one by one between rotations; small and fast to fit",
        .paper = "Meng, Song, Song, Ermon 2020, Gaussianization flows",
        .formula = "z_d = Φ⁻¹(Σ_k w_k·Φ((x_d − m_k)/s_k)), then a rotation",
        .score_cost = "1 pass",
        .sample_cost = "1 pass + a root for each column",
        .options = kMapBinsOptions,
        .bases = kMostBases,
        .defaults = gaussianization_defaults,
        .scheme = "elementwise",
        .map_name = "mixture of Gaussians",
    }),
    row_of_map<LambertW>({
        .name = "lambert-w",
        .summary = "heavy tails that a normal base cannot have",
        .paper = "Goerg 2015, The Lambert way to Gaussianize heavy-tailed data",
        .formula = "z_d = sign(u)·√(W(δu²)/δ) with u = affine(x_d), (δ, affine) = net(x_0 … x_{d−1})",
        .score_cost = "1 pass",
        .sample_cost = "1 masked pass",
        .options = kMapOptions,
        .bases = kMostBases,
        .defaults = net_defaults,
        .scheme = "autoregressive",
        .map_name = "Lambert W",
    }),
    row_of_map<SinhArcsinh>({
        .name = "sinh-arcsinh",
        .summary = "skewed columns with tails heavier or lighter than normal",
        .paper = "Jones, Pewsey 2009, Sinh-arcsinh distributions",
        .formula = "z_d = sinh(δ·asinh(u) − ε) with u = affine(x_d), (δ, ε, affine) = net(x_0 … x_{d−1})",
        .score_cost = "1 pass",
        .sample_cost = "1 masked pass",
        .options = kMapOptions,
        .bases = kMostBases,
        .defaults = net_defaults,
        .scheme = "autoregressive",
        .map_name = "sinh-arcsinh",
    }),
    FlowRow{
        .name = "gaussian",
        .summary = "the baseline: a normal distribution with full covariance",
        .paper = "the multivariate normal distribution",
        .formula = "z = x·U·L + b",
        .score_cost = "1 matrix product",
        .sample_cost = "1 triangular solve",
        .options = "base",
        .bases = kMostBases,
        .defaults = no_defaults,
        .build_float = gaussian<float>,
        .build_double = gaussian<double>,
    },
});

}  // namespace

std::span<const FlowRow> catalogue() { return kCatalogue; }

const FlowRow* find_flow(std::string_view name) {
  const auto row = std::ranges::find(kCatalogue, name, &FlowRow::name);
  return row == kCatalogue.end() ? nullptr : &*row;
}

const FlowRow* row_of_parts(const FlowSpec& spec) {
  const FlowRow* row = find_flow(spec.flow);
  return row != nullptr && lists(row->options, "component-flow") ? find_flow(spec.component_flow) : row;
}

std::vector<std::string> words_of(std::string_view words) {
  std::vector<std::string> result;
  while (!words.empty()) {
    const auto length = std::min(words.find(' '), words.size());
    if (length > 0) result.emplace_back(words.substr(0, length));
    words.remove_prefix(std::min(length + 1, words.size()));
  }
  return result;
}

bool lists(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const auto length = std::min(words.find(' '), words.size());
    if (words.substr(0, length) == word) return true;
    words.remove_prefix(std::min(length + 1, words.size()));
  }
  return false;
}

std::string options_of(const FlowSpec& spec) {
  const FlowRow *row = find_flow(spec.flow), *parts = row_of_parts(spec);
  std::string options(row->options);
  const auto add = [&](std::string_view words) {
    for (const std::string& word : words_of(words)) {
      if (!lists(options, word)) options += ' ' + word;
    }
  };
  add(parts->options);
  if (lists("mixture made-mog", spec.base)) add("components");
  if (spec.context > 0 || !(parts->has_networks_only_of_context || scheme_of(spec) == "elementwise")) return options;
  std::string others;
  for (const std::string& word : words_of(options)) {
    if (!lists("hidden blocks dropout", word)) others += (others.empty() ? "" : " ") + word;
  }
  return others;
}

void forget_unread(FlowSpec& spec) {
  const FlowSpec start;
  const std::string options = options_of(spec);
  const auto forget = [&](std::string_view option, auto& value, const auto& unread) {
    if (!lists(options, option)) value = unread;
  };
  forget("scheme", spec.scheme, start.scheme);
  forget("layers", spec.layers, start.layers);
  forget("hidden", spec.hidden, start.hidden);
  forget("blocks", spec.blocks, start.blocks);
  forget("bins", spec.bins, start.bins);
  forget("tail", spec.tail, start.tail);
  forget("mix", spec.mix, start.mix);
  forget("components", spec.components, start.components);
  forget("component-flow", spec.component_flow, start.component_flow);
  forget("dropout", spec.dropout, start.dropout);
}

std::string scheme_of(const FlowSpec& spec) {
  return spec.scheme.empty() ? std::string(row_of_parts(spec)->scheme) : spec.scheme;
}

FlowSpec default_spec(const FlowRow& row, Index rows, Index features, Index context, std::string_view component_flow) {
  FlowSpec spec;
  spec.flow = row.name;
  spec.features = features;
  spec.context = context;
  if (!component_flow.empty()) spec.component_flow = component_flow;
  const FlowRow* parts = row_of_parts(spec);
  if (parts == nullptr) return spec;  // which check(spec) refuses
  spec.base = parts->bases.substr(0, parts->bases.find(' '));
  row.defaults(spec, rows);
  forget_unread(spec);
  return spec;
}

}  // namespace biject
