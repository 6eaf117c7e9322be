#!/bin/sh
# Runs the studies of the supplement on a small computer and writes docs/study-mini.md with their tables and curves.
#
#   data-scripts/study-mini.sh                    all studies, three seeds, two drawn tasks (experiments/mini/study.yaml)
#   FLOWERS12=DIR data-scripts/study-mini.sh      the second task is this folder of images (train and test)
#   data-scripts/study-mini.sh eta lora           only these; the page then holds only these
#   data-scripts/study-mini.sh -- --jobs auto     options for esta run and esta ablate: a process for each core
#
# The study of lengths trains each stitch a hundred times, as the paper does, and costs some ten times what all others cost.
#
# Run it again after an interruption: finished trials are not run again, the one under way goes on from its checkpoint.
# Needs `npm run build`. RUNS (default runs/study-mini) holds the run folders, PAGE (default docs/study-mini.md) the result;
# figures lie in a folder beside it.
set -eu
cd "$(dirname "$0")/.."

runs=${RUNS:-runs/study-mini}
page=${PAGE:-docs/study-mini.md}
experiment=experiments/mini/study.yaml

studies=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  studies="$studies $1"
  shift
done
[ $# -eq 0 ] || shift
studies=${studies:-length methods distillation eta adapt-then-stitch lora sampling}
tasks='two drawn tasks'
if [ -n "${FLOWERS12:-}" ]; then
  tasks='a drawn task and on photographs of twelve flowers'
  set -- "$@" --set "data.1={kind: image-folder, name: flowers12, root: $FLOWERS12, validation_fraction: 0.2}"
fi

esta() { node dist/src/cli.js "$@"; }

figures=${page%.md}
parts=
for study in $studies; do
  # Each study takes over what another has trained; the first finds nothing.
  trained=$(ls -A "$runs" 2> /dev/null || :)
  # Status 1: a trial failed, which the report shows; the others ran.
  if [ "$study" = methods ]; then
    esta run "$experiment" --out "$runs/$study" ${trained:+--reuse "$runs"} "$@" || [ $? -eq 1 ]
  elif [ "$study" = length ]; then
    esta ablate "$study" --experiment "$experiment" --out "$runs/$study" ${trained:+--reuse "$runs"} --set training.epochs=100 "$@" ||
      [ $? -eq 1 ]
  else
    # Variants of one method: at its learning rate, without the grid that methods need to be compared.
    esta ablate "$study" --experiment "$experiment" --out "$runs/$study" ${trained:+--reuse "$runs"} \
      --set 'training.base_learning_rates=[1e-1]' "$@" || [ $? -eq 1 ]
  fi
  esta report "$runs/$study" --format md --out "$figures/$study/report.md"
  parts="$parts $figures/$study/report.md"
done

# What people wrote above the line stays; the tables below it are written anew.
line='<!-- Below this line: written by data-scripts/study-mini.sh. -->'
{
  if grep -qsxF -e "$line" "$page"; then
    awk -v line="$line" '$0 == line { exit } { print }' "$page"
  else
    echo '# Studies on a small computer'
    echo
  fi
  echo "$line"
  echo
  echo "\`$experiment\`: the embedded anchors on $tasks, three seeds."
  for part in $parts; do
    study=$(basename "$(dirname "$part")")
    echo
    # A section of this page, with links from here.
    sed -e "s/^# ESTA report: /## /" -e "s#](figure#]($(basename "$figures")/$study/figure#" "$part"
  done
} > "$page.part"
mv "$page.part" "$page"
for part in $parts; do
  # The page has the text, and shows the figures as SVG.
  rm -f "$part" "$(dirname "$part")"/*.png
done
echo "Written: $page"
