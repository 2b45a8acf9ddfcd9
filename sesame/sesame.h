#pragma once

/// The public surface of Sesame: include this, or the headers that it names one by one. Link Sesame::sesame.

// Errors, threads, what the machine can do.
#include "sesame/base/error.h"
#include "sesame/base/machine.h"
#include "sesame/base/thread_pool.h"

// Graphs: what a model function builds, its gradients, and how it runs.
#include "sesame/graph/builder.h"
#include "sesame/graph/graph.h"
#include "sesame/graph/ops/ops.h"
#include "sesame/passes/vjp.h"
#include "sesame/runtime/program.h"
#include "sesame/runtime/variables.h"

// Models and what trains them.
#include "sesame/models/gpt.h"
#include "sesame/nn/layers.h"
#include "sesame/nn/parameters.h"
#include "sesame/optim/adamw.h"
#include "sesame/optim/schedule.h"

// Text and batches.
#include "sesame/data/batch.h"
#include "sesame/data/token_shard.h"
#include "sesame/text/tokenizer.h"

// Word vectors.
#include "sesame/word_vectors/explore/analogy.h"
#include "sesame/word_vectors/explore/search.h"
#include "sesame/word_vectors/files/vector_file.h"
#include "sesame/word_vectors/train_to_file.h"

// Training and use of whole models.
#include "sesame/infer/generator.h"
#include "sesame/train/model_directory.h"
#include "sesame/train/recipe.h"
#include "sesame/train/trainer.h"
