#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Looks for keys, verbs and flags that pages and recipes name and the program lacks:
# page_names.sh ROOT. C++ has names of the same form, so docs/cpp.md is left out.
pages="$1/README.md $1/README.zh-CN.md $1/CHANGELOG.md $1/ARCHITECTURE.md $1/CONTRIBUTING.md
  $(ls "$1"/docs/*.md "$1"/docs/formats/*.md "$1"/docs/decisions/*.md "$1"/recipes/*.yaml |
    grep -v '/cpp\.md$')"

for verb in $(ingot complete verbs); do ingot complete $verb; done | tr ' ' '\n' |
  sed -n 's/=$//p' | sort -u >keys
# "train", "train.optimizer" and "train.optimizer.name" are all names.
awk -F. '{ name = $1; print name; for (i = 2; i <= NF; ++i) print name = name "." $i }' keys |
  sort -u >known
sections=$(sed -n 's/\..*//p' keys | sort -u | paste -sd'|')
grep -ohE "(^|[^A-Za-z0-9_/.-])($sections)(\.[A-Za-z0-9_]+)+\(?" $pages | grep -v '($' |
  sed -e 's/^[^a-z]*//' -e 's/\.[0-9][0-9]*/.N/g' |
  grep -vE '\.(h|cpp|csv|tsv|json|jsonl|yaml|safetensors|md|test|py|png|npy|shard|html)$' |
  sort -u >named
# train.micro_bach is the mistake that docs/errors.md shows.
grep -vxF -f known -e train.micro_bach named | sed 's/^/no key: /'

# A command ends at a mark that stands in no command of ours.
grep -ohE '\bingot [a-z]+[^`|#;&]*' $pages | awk '{
  print $2
  for (i = 3; i <= NF; ++i) if ($i ~ /^\[?--[a-z]/) { sub(/^\[/, "", $i); sub(/[]=,.)].*/, "", $i); print $2, $i }
}' | sort -u >commands
while read -r verb flag; do
  ingot complete verbs | grep -qw -e "$verb" || echo "no verb: $verb"
  [ -z "$flag" ] || ingot $verb --help | grep -qw -e "$flag" || echo "no flag: $verb $flag"
done <commands
echo "$(grep -c . <named) keys and $(grep -c . <commands) commands are looked at"
