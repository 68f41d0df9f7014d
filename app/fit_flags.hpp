#pragma once

#include <string>

#include "options.hpp"
#include "train/fit.hpp"

namespace biject {

/// The flags of fit, as typed.
struct FitFlags {
  Value output, log, columns, not_columns, given, weights;
  Value flow, scheme, layers, hidden, blocks, mix, bins, tail, base, components, component_flow, dropout;
  Value epochs, batch_size, learning_rate, schedule, weight_decay, clip, average, validation, patience, seed,
      time;
  bool in_double = false, dry_run = false;
  CsvFlags csv;
  void declare(Flags& flags);
};

/// What was meant: the library's request, and what the library has no part in.
struct FitOptions {
  FitRequest request;
  CsvOptions csv;
  std::string validation_file;   // empty: a share of the rows is held out
  bool selects_by_name = false;  // columns were asked for, not left over from an exclusion
  bool gives_by_name = false;    // the same for the given columns
};

/// Throws Error usage for whatever can be known to be wrong before any data are read.
FitOptions meant(const FitFlags& flags);

}  // namespace biject
