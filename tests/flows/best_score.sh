# SPDX-License-Identifier: Apache-2.0
# Whether the score of the best trial of a search is what `ingot eval` gives of its model.
set -e
words="train.epochs=4 tune.search.by=log_loss"
ingot tune search "$FLOWS/animals.yaml" $words 'train.lr=[0.02, 1e-9]' 'layers.2.units=[2, 4]' --json \
  2>/dev/null > search.json
best=$(grep -o '"out":"[^"]*"' search.json | head -1 | cut -d'"' -f4)
ingot eval "$best" eval.split=validation --json 2>/dev/null > eval.json
score=$(grep -o '"score":[^,}]*' search.json | head -1 | cut -d: -f2)
grep -q "\"log_loss\":{[^}]*\"value\":$score[,}]" eval.json && echo the same score
