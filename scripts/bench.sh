#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every benchmark: machine peaks and kernels, training steps beside another library, memory, start-up.
#   scripts/bench.sh                          our side alone
#   PEER=torch_peer.py PEER_PYTHON=python3 scripts/bench.sh [WORKLOAD ...]
#                                             beside PyTorch, alternating, one process per workload
# PEER is a script that prints a JSON line per workload and, with --dump DIR, writes weights, data and
# first losses (benchmarks/workloads.h). Ours starts from them and must show the same losses; the
# convolution workloads are judged by a float64 run beside them (benchmarks/agreement.h), and the
# peer runs them twice in each round: as it comes (--variant default) and tuned (--variant tuned:
# channels-last, fused optimiser).
# BENCH_THREADS=2, BENCH_SECONDS=8 per measurement, BENCH_ROUNDS=3; results stay in build/bench-results.
# Figures mean something on an otherwise idle machine only.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

build=${BENCH_BUILD:-build/release}
results=build/bench-results
threads=${BENCH_THREADS:-2}
seconds=${BENCH_SECONDS:-8}
rounds=${BENCH_ROUNDS:-3}
python=${PEER_PYTHON:-python3}
all_workloads=(linear_1x1_sgd dense10_adam_b32 news_b32_len500 mlp1000_500_250_10_b32
  cifar_cnn_b100 resnet18_b64 gpt_10m_b8_t256 gpt2_124m_b2_t512)

build_programs() {
  cmake --preset release -B "${build}" -DINGOT_BENCHMARKS=ON
  cmake --build "${build}" -j "$(jobs_here)" --target ingot bench_train_steps bench_memory bench_decode
}

# The number of a key in one line of JSON; "-" when it is not there.
number() {
  sed -nE "s/.*\"$2\": *(-?[0-9.]+([eE][-+]?[0-9]+)?).*/\1/p" <<<"$1" | grep . || echo -
}

# Median of the numbers on standard input.
median() {
  sort -g | awk '{ v[NR] = $1 } END { if (NR) print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

is_convolution() { # WORKLOAD
  [[ "$1" =~ ^(cifar_cnn|resnet18)_ ]]
}

peer_line() { # WORKLOAD VARIANT
  "${python}" "${PEER}" --threads "${threads}" --seconds "${seconds}" --variant "$2" "$1"
}

# The other side's weights, data and losses; a float64 run of workloads whose roundings grow.
write_dump() { # WORKLOAD
  local dump="${results}/dump"
  mkdir -p "${dump}"
  [[ -f "${dump}/$1.json" ]] ||
    "${python}" "${PEER}" --threads "${threads}" --seconds 1 --dump "${dump}" "$1" || return 1
  ! is_convolution "$1" || [[ -f "${dump}/$1.gradients.safetensors" ]] ||
    "${python}" benchmarks/peers/torch_reference.py "${dump}" "$1" --threads "${threads}"
}

# Rounds of peer, tuned peer where there is one, and ours in turn; every line is kept.
alternate() {
  local workload="$1" round
  write_dump "${workload}" || return 1
  : >"${results}/${workload}.peer.jsonl"
  : >"${results}/${workload}.tuned.jsonl"
  : >"${results}/${workload}.ingot.jsonl"
  for ((round = 1; round <= rounds; ++round)); do
    peer_line "${workload}" default | tee -a "${results}/${workload}.peer.jsonl" || return 1
    ! is_convolution "${workload}" ||
      peer_line "${workload}" tuned | tee -a "${results}/${workload}.tuned.jsonl" || return 1
    "${build}/benchmarks/bench_train_steps" "${workload}" "${results}/dump" --threads "${threads}" \
      --seconds "${seconds}" | tee -a "${results}/${workload}.ingot.jsonl" || return 1
  done
}

column() { # FILE KEY: median over the rounds
  local line
  while read -r line; do number "${line}" "$2"; done <"$1" | median
}

print_table() {
  local workload ours theirs tuned
  printf '| workload | peer ms | tuned ms | ours ms | times faster | than tuned | peer MiB | tuned MiB | ours MiB | memory | of tuned | loss difference | %% of GEMM peak |\n'
  printf '|---|---|---|---|---|---|---|---|---|---|---|---|---|\n'
  for workload in "$@"; do
    ours="${results}/${workload}.ingot.jsonl" theirs="${results}/${workload}.peer.jsonl"
    tuned="${results}/${workload}.tuned.jsonl"
    [[ -s "${ours}" && -s "${theirs}" ]] || { echo "| ${workload} | failed |"; continue; }
    awk -v w="${workload}" -v p="$(column "${theirs}" ms_per_step)" -v o="$(column "${ours}" ms_per_step)" \
      -v pm="$(column "${theirs}" peak_rss_mib)" -v om="$(column "${ours}" peak_rss_mib)" \
      -v t="$(column "${tuned}" ms_per_step)" -v tm="$(column "${tuned}" peak_rss_mib)" \
      -v d="$(column "${ours}" max_loss_difference)" -v g="$(column "${ours}" percent_of_gemm_peak)" \
      'function of_tuned(format, x) { return t > 0 ? sprintf(format, x) : "" }
       BEGIN { printf "| %s | %.4g | %s | %.4g | %.2f | %s | %d | %s | %d | %.2f | %s | %.1e | %s |\n",
               w, p, of_tuned("%.4g", t), o, p / o, of_tuned("%.2f", t / o), pm,
               of_tuned("%d", tm), om, om / pm, of_tuned("%.2f", tm > 0 ? om / tm : 0), d,
               (g == "-") ? "" : sprintf("%.0f", g) }'
  done | tee "${results}/table.md"
}

# Wall time of `ingot --help`, median of 20, and what the program weighs.
startup() {
  local i begin binary="${build}/ingot"
  for ((i = 0; i < 20; ++i)); do
    begin=${EPOCHREALTIME/./}
    "${binary}" --help >/dev/null
    echo $((${EPOCHREALTIME/./} - begin))
  done | median | awk '{ printf "ingot --help: %.1f ms (median of 20)\n", $1 / 1000 }'
  strip -o "${results}/ingot.stripped" "${binary}"
  stat -c '%s' "${results}/ingot.stripped" | awk '{ printf "stripped binary: %.1f MB\n", $1 / 1e6 }'
  ldd "${binary}" | awk '$3 ~ /^\// { print $3 }' |
    grep -vE '/(libc|libm|libstdc\+\+|libgcc_s|ld-linux[^/]*)\.so' | while read -r library; do
      stat -L -c '%s %n' "${library}"
    done | sort -rn | tee "${results}/libraries.txt" |
    awk '{ sum += $1; printf "  %6.2f MB  %s\n", $1 / 1e6, $2 }
         END { printf "shared libraries beside libc, libm, libstdc++, libgcc: %.1f MB\n", sum / 1e6 }'
}

mkdir -p "${results}"
phase build build_programs
phase machine "${build}/ingot" bench machine kernels "threads=${threads}"
phase memory "${build}/benchmarks/bench_memory"
phase decode "${build}/benchmarks/bench_decode" "${threads}"
phase startup startup
if [[ -n "${PEER:-}" ]]; then
  workloads=("$@")
  ((${#workloads[@]})) || workloads=("${all_workloads[@]}")
  status=0
  for workload in "${workloads[@]}"; do
    phase "${workload}" alternate "${workload}" || status=1
  done
  print_table "${workloads[@]}"
  print_phases
  exit "${status}"
fi
print_phases
