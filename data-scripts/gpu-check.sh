#!/bin/sh
# Checks and times everything on a GPU, in under 8 minutes, and writes what it finds into a folder.
#
#   data-scripts/gpu-check.sh                             the first NVIDIA card
#   data-scripts/gpu-check.sh --peer torch_gpu.py         a script of PyTorch that times the same beside it, a JSON object a line
#   data-scripts/gpu-check.sh --flowers DIR               trains on twelve classes of flowers, too, over three seeds (train and test in DIR)
#   data-scripts/gpu-check.sh --stages doctor,parity      only these of: doctor parity bench peer quickstart jobs flowers data
#   data-scripts/gpu-check.sh --stages language           language models, in about two minutes: the CPU's numbers, 7B to 13B by time
#   data-scripts/gpu-check.sh --device cpu --batch 1 --model vit_mini_tiny --model vit_mini_small    tries the script itself
#
# OUT (--out, default gpu-check) gets each stage's output (STAGE.txt, STAGE.json), memory.csv (what the card had in use, second
# by second) and summary.md. A stage that fails or takes too long is named, and the others go on; exit status 1 then. What there is no
# time for any more (--seconds, default 470) is left out.
# Needs `npm run build`.
set -u
cd "$(dirname "$0")/.."

device=cuda out=gpu-check batch=64 peer= flowers= models= language=llama_7b,llama_13b seconds=470
stages=doctor,parity,bench,peer,quickstart,jobs,data,flowers
while [ $# -gt 0 ]; do
  case "$1" in
    --device | --out | --batch | --peer | --flowers | --model | --language | --stages | --seconds) [ $# -gt 1 ] || { echo "$1 needs a value" >&2; exit 2; } ;;
    *) echo "$1 is not known; see the top of data-scripts/gpu-check.sh" >&2; exit 2 ;;
  esac
  case "$1" in
    --device) device=$2 ;;
    --out) out=$2 ;;
    --batch) batch=$2 ;;
    --peer) peer=$2 ;;
    --flowers) flowers=$2 ;;
    --language) language=$2 ;;
    --model) models="$models --model $2" ;;
    --stages) stages=$2 ;;
    --seconds) seconds=$2 ;;
  esac
  shift 2
done
mkdir -p "$out"
: >"$out/stages.txt"
# What an earlier check has left would be taken for this one's.
rm -f "$out"/doctor.txt "$out"/peer.txt "$out"/memory.csv "$out"/data.* "$out"/parity-* "$out"/bench-* "$out"/generate-* "$out"/text-step-* "$out"/summary.md
failed=0
end=$(($(date +%s) + seconds))

# stage NAME SECONDS COMMAND...: its output into NAME.txt, how it ended into stages.txt.
stage() {
  name=$1 limit=$2
  shift 2
  start=$(date +%s)
  [ "$limit" -le $((end - start)) ] || limit=$((end - start))
  if [ "$limit" -lt 5 ]; then
    failed=1
    echo "$name|0|left out: no time" >>"$out/stages.txt"
    return
  fi
  timeout --kill-after 10 "$limit" "$@" >"$out/$name.txt" 2>&1
  status=$?
  took=$(($(date +%s) - start))
  case $status in
    0) verdict=done ;;
    124 | 137) verdict="stopped after $limit s" ;;
    *) verdict="failed with status $status" ;;
  esac
  [ $status -eq 0 ] || failed=1
  echo "$name|$took|$verdict" >>"$out/stages.txt"
  echo "$name: $verdict, $took s"
}
wanted() { case ",$stages," in *",$1,"*) return 0 ;; *) return 1 ;; esac; }
# json NAME SECONDS COMMAND...: as stage, of a command whose --json goes into NAME.json.
json() {
  name=$1 limit=$2
  shift 2
  stage "$name" "$limit" sh -c 'file=$1; shift; exec node dist/src/cli.js "$@" --json >"$file"' sh "$out/$name.json" "$@"
}

if command -v nvidia-smi >/dev/null; then
  nvidia-smi --query-gpu=timestamp,memory.used --format=csv,noheader,nounits --loop=1 >"$out/memory.csv" 2>/dev/null &
  sampler=$!
  trap 'kill $sampler 2>/dev/null' EXIT
fi
precisions=float32
[ "$device" = cuda ] && precisions='float32 tf32 mixed'

wanted doctor && stage doctor 30 node dist/src/cli.js doctor
if wanted parity; then
  # A processor may be busy with other tests; a card is not.
  [ "$device" = cpu ] && patience=120 || patience=25
  for precision in $precisions; do json "parity-$precision" "$patience" bench parity --device "$device" --precision "$precision"; done
fi
if wanted bench; then
  for precision in ${precisions#float32 }; do
    # shellcheck disable=SC2086 # several words
    json "bench-$precision" 75 bench step --device "$device" --precision "$precision" --batch "$batch" --sn-net $models
  done
fi
wanted peer && [ -n "$peer" ] && stage peer 75 python3 "$peer" compile
if wanted quickstart; then
  rm -rf "$out/quickstart"
  stage quickstart 60 node dist/src/cli.js run experiments/quickstart.yaml --device "$device" --out "$out/quickstart"
fi
# Two processes on one card: beside the run before, the same numbers in how much less time.
if wanted jobs; then
  rm -rf "$out/jobs"
  stage jobs 60 node dist/src/cli.js run experiments/quickstart.yaml --device "$device" --jobs 2 --out "$out/jobs"
fi
wanted data && json data 30 bench data --bytes --threads 4 --batch "$batch" --images 128 --epochs 2
if wanted flowers && [ -n "$flowers" ]; then
  rm -rf "$out/flowers12"
  stage flowers 120 node dist/src/cli.js run experiments/flowers12.yaml --set "data.root=$flowers" --set 'seeds=[0, 1, 2]' --jobs 3 --device "$device" --out "$out/flowers12"
fi
# With names of other models (--language SMALL,LARGE), their stitches are left out.
if wanted language; then
  small=${language%,*} large=${language#*,}
  sizes='8B 11B'
  [ "$language" = llama_7b,llama_13b ] || sizes=
  tests='dist/test/engine/nvidia/language.recipe.test.js dist/test/evaluation/generation/in-place-reader.recipe.test.js'
  # shellcheck disable=SC2086 # several files
  [ "$device" = cuda ] && stage language-parity 30 env ESTA_TEST_CARD=1 node --test $tests
  generate() { name=$1 && shift && json "generate-$name" 25 bench generate --device "$device" --weights 8bit --prompt 64 --tokens 64 --repeat 2 "$@"; }
  generate "$small" --model "$small"
  for size in $sizes; do generate "$size" --model "$small" --into "$large" --budget "$size"; done
  generate "$large" --model "$large"
  for model in "$small" "$large"; do
    json "text-step-$model" 25 bench step --device "$device" --precision "${precisions##* }" --weights 8bit --batch 4 --tokens 256 --repeat 3 --model "$model"
  done
fi
node dist/data-scripts/gpu-check/summary.js "$out" >"$out/summary.md" && cat "$out/summary.md"
exit $failed
