#include "fit_flags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/error.hpp"
#include "core/number.hpp"
#include "data/column_selection.hpp"
#include "describe.hpp"
#include "flows/catalogue.hpp"
#include "values.hpp"

namespace biject {

void FitFlags::declare(Flags& flags) {
  flags.group("Input and output")
      .value("-o,--output", "MODEL", output, "write the model there; required")
      .value("-c,--columns", "SEL", columns,
             "fit these columns: names, numbers, ranges a-d 2-4 3-, !a for all others "
             "[every column of numbers]")
      .value("-C,--not-columns", "SEL", not_columns, "leave these columns out")
      .value("--given", "SEL", given, "condition on these columns: the model is p(the others | these)")
      .value("--weights", "COL", weights, "weight the rows by this column")
      .value("--log", "FILE", log, "CSV with a line per epoch: epoch, train, validation, rate, seconds")
      .toggle("--dry-run", dry_run,
              "report columns, parameters, memory and seconds per epoch; train nothing");
  flags.group("Flow").value("-f,--flow", "NAME", flow, "which flow; biject flows lists them [nsf]");
  flags.group("Parts of the flow", false)
      .value("--scheme", "HOW", scheme, "a map of single columns as autoregressive, coupling or elementwise flow")
      .value("--layers", "N", layers, "transformations")
      .value("--hidden", "LIST", hidden, "widths of the networks, as 128,128; one width with --blocks")
      .value("--blocks", "N", blocks, "residual blocks of the networks; 0 for plain ones")
      .value("--mix", "HOW", mix, "between transformations: lu, qr, householder, permute, reverse or none")
      .value("--bins", "K", bins, "bins of a spline, degree of a polynomial, units or kernels of other maps")
      .value("--tail", "X", tail, "half width of the interval on which a map bends, in standard deviations")
      .value("--base", "NAME", base,
             "density of the noise: normal, student or laplace or logistic for heavier tails, mixture of Gaussians, "
             "uniform on a box")
      .value("--components", "N", components, "of a mixture: flows, or Gaussians of the base")
      .value("--component-flow", "NAME", component_flow, "the flow of which -f mixture takes several [maf]")
      .value("--dropout", "P", dropout, "silence hidden units with this probability while training");
  flags.group("Training")
      .value("--validation", "SHARE", validation,
             "hold out this share of the rows, or judge by the rows of this file [0.1]")
      .value("--epochs", "N", epochs, "passes over the rows, at most")
      .value("--time", "DURATION", time, "stop and save after 90s, 10m, 1.5h")
      .value("-s,--seed", "N", seed, "of the split, the start and the order of the rows [0]");
  flags.group("Optimizer", false)
      .value("--patience", "N", patience, "stop after N epochs without a better one; 0 for never")
      .value("--batch-size", "N", batch_size, "rows per step")
      .value("--learning-rate,--lr", "X", learning_rate, "rate of Adam at its highest")
      .value("--schedule", "HOW", schedule,
             "cosine: the rate falls to zero over the epochs; constant: it stays")
      .value("--weight-decay", "X", weight_decay, "decoupled decay of the weights")
      .value("--clip", "X", clip, "bound on the norm of the gradient; 0 for none")
      .value("--average", "on|off", average, "judge a running average of the weights beside the weights")
      .toggle("--double", in_double, "train and store in float64");
  csv.declare(flags);
}

namespace {

/// --bins for a flow without a spline is a misunderstanding, not something to pass over, even if it is the default.
void refuse_unread_options(const FlowSpec& spec, const FitFlags& flags) {
  const auto names = words_of(options_of(spec));
  for (const Value* value : {&flags.scheme, &flags.layers, &flags.hidden, &flags.blocks, &flags.mix, &flags.bins, &flags.tail,
                             &flags.base, &flags.components, &flags.component_flow, &flags.dropout}) {
    if (!*value || std::ranges::find(names, value->flag.substr(2)) != names.end()) continue;
    FlowSpec conditional = spec;
    conditional.context = 1;
    if (lists(options_of(conditional), value->flag.substr(2))) {
      throw Error(ErrorKind::usage, "", fmt::format("{}: without given columns the flow {} has no networks", value->flag, spec.flow),
                  "--given SEL makes it conditional on columns");
    }
    throw Error(ErrorKind::usage, "", fmt::format("{}: the flow {} does not read it", value->flag, spec.flow),
                fmt::format("{} reads --{}", spec.flow, fmt::join(names, " --")));
  }
}

}  // namespace

FitOptions meant(const FitFlags& flags) {
  FitOptions options;
  auto& request = options.request;
  request.flow = as_text(flags.flow).value_or(request.flow);
  request.component_flow = as_text(flags.component_flow);
  if (request.component_flow) flow_named(*request.component_flow);
  request.base = as_word(flags.base, kBases);
  FlowSpec asked = default_spec(flow_named(request.flow), 1, 1, flags.given ? 1 : 0, request.component_flow.value_or(""));
  asked.base = request.base.value_or(asked.base);
  request.scheme = as_word(flags.scheme, kSchemes);
  if (request.scheme) asked.scheme = *request.scheme;
  refuse_unread_options(asked, flags);
  // The bounds of a flow are those of check(spec); here they give a message that quotes what was typed.
  request.components = as_count(flags.components, 1, kMostComponents);
  request.layers = as_count(flags.layers, 1, 1024);
  request.hidden = as_counts(flags.hidden, 1, 65536);
  request.blocks = as_count(flags.blocks, 0, 256);
  request.mix = as_word(flags.mix, kMixings);
  request.bins = as_count(flags.bins, 1, 64);
  request.tail = as_real(flags.tail, closed(0.1, 1000));
  request.dropout = as_real(flags.dropout, closed(0, 0.9));
  request.epochs = as_count(flags.epochs, 1, 10'000'000);
  request.batch_size = as_count(flags.batch_size, 1, 10'000'000);
  request.patience = as_count(flags.patience, 0, 10'000'000);
  request.learning_rate = as_real(flags.learning_rate, above(0, 10));
  request.schedule = as_word(flags.schedule, "cosine constant");
  request.weight_decay = as_real(flags.weight_decay, closed(0, 100));
  request.clip = as_real(flags.clip, closed(0, 1e9));
  if (const auto word = as_word(flags.average, "on off")) request.average = *word == "on";
  request.seed = as_seed(flags.seed).value_or(request.seed);
  request.seconds = as_seconds(flags.time).value_or(request.seconds);
  request.in_double = flags.in_double;
  if (const auto text = as_text(flags.validation)) {
    // Whatever reads as a number is a share; a file of that name can be written ./0.2.
    if (parse_real(*text).error == NumberError::not_a_number)
      options.validation_file = *text;
    else
      request.validation_fraction = *as_real(flags.validation, open(0, 1));
  }
  options.csv = flags.csv.options();
  const auto selection = as_text(flags.columns);
  options.selects_by_name = selection && !is_inverted_selection(*selection);
  as_text(flags.not_columns);
  as_text(flags.weights);
  const auto given = as_text(flags.given);
  options.gives_by_name = given && !is_inverted_selection(*given);
  // What contradicts itself does so for any table: better now than after reading a large one.
  plan_fit(request, 1000, 0, 2, given ? 1 : 0);
  return options;
}

}  // namespace biject
