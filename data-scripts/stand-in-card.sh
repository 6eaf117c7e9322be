#!/bin/sh
# Makes stand-ins for CUDA's libraries that compute nothing, so that a machine without a card shows which operators ONNX Runtime's
# CUDA provider takes, how much memory programs ask for, and what crosses the bus. Numbers are worthless.
#
#   esta engine install --cuda --cuda-version 13
#   data-scripts/stand-in-card.sh                                             into .cache/stand-in-card (or a folder given)
#   LD_LIBRARY_PATH=.cache/stand-in-card esta run quickstart --device cuda --set training.epochs=1 --out /tmp/placed
#
# A node without a kernel for CUDA is named, as on a card. STAND_IN_LOG=1 writes each allocation, copy
# and wait to standard error. Convolutions are placed but cannot run, nor can attention in bfloat16: both ask cuDNN. Needs gcc and binutils.
set -eu
cd "$(dirname "$0")/.."
out=${1:-.cache/stand-in-card}
engines=${ESTA_ENGINES:-${XDG_DATA_HOME:-$HOME/.local/share}/esta/engines}
provider=$engines/onnxruntime-cuda/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so
[ -e "$provider" ] || { echo "$provider is not there: esta engine install --cuda --cuda-version 13" >&2; exit 2; }
mkdir -p "$out"
readelf --dyn-syms --wide "$provider" | awk '$7 == "UND" { print $8 }' >"$out/wanted"

# make FILE VERSION NAMES LIBRARY: each name is a function that succeeds, unless card.c has a better one.
make() {
  awk '{ printf "#ifndef HAS_%s\nint %s(void) { return 0; }\n#endif\n", $1, $1 }' "$3" >"$out/stubs.c"
  echo "${2:-} { global: *; };" >"$out/version.map"
  gcc -shared -fPIC -w -O1 -DLIBRARY_"$4" -Wl,-soname,"$1" -Wl,--version-script="$out/version.map" -o "$out/$1" \
    -include data-scripts/stand-in-card/card.c "$out/stubs.c"
}
versioned() { sed -n "s/@$1\$//p" "$out/wanted" >"$out/names"; }
for library in cudart cublas cublasLt; do
  versioned "lib$library.so.13"
  make "lib$library.so.13" "lib$library.so.13" "$out/names" "$library"
done
# What is loaded by name alone, if at all, needs some function.
plain() { grep "^$1[A-Z]" "$out/wanted" >"$out/names" || echo "$1Unused" >"$out/names"; }
plain curand && make libcurand.so.10 '' "$out/names" curand
plain cufft && make libcufft.so.12 '' "$out/names" cufft
plain cu && make libcuda.so.1 '' "$out/names" cuda
strings -n 6 "$provider" | grep -xE 'cudnn[A-Z][A-Za-z0-9_]*' | sort -u >"$out/names"
make libcudnn.so.9 '' "$out/names" cudnn
rm "$out/wanted" "$out/names" "$out/stubs.c" "$out/version.map"
echo "LD_LIBRARY_PATH=$out"
