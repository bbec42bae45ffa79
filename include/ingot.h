// SPDX-License-Identifier: Apache-2.0
// Everything a program that trains and uses models needs:
//   Model, Sequential        draw layers, compile, fit, evaluate, predict, save   (fit/model.h)
//   nn::Module, Learner, ops a training loop of one's own                         (optim/learner.h)
//   Table                    a CSV through the transforms of a recipe             (fit/table.h)
// The examples in examples/ are the tour.
#pragma once

#include "autograd/ops.h"
#include "fit/model.h"
#include "fit/table.h"
#include "nn/attention.h"
#include "nn/batch_norm.h"
#include "nn/conv.h"
#include "nn/dropout.h"
#include "nn/embedding.h"
#include "nn/linear.h"
#include "nn/mlp.h"
#include "nn/norm.h"
#include "nn/pool.h"
#include "nn/recurrent.h"
#include "optim/learner.h"
#include "tensor/runtime.h"
