/** What every module of kernels begins with. A kernel of loops over rows takes a warp for each. */
export const prelude = `
#ifndef WARP
#define WARP 32
#endif
union EstaBits { unsigned bits; float number; };
__device__ __forceinline__ float widened(unsigned short x) { EstaBits b; b.bits = (unsigned)x << 16; return b.number; }
__device__ __forceinline__ float rounded(float x) {
  EstaBits b; b.number = x;
  if ((b.bits & 0x7f800000u) != 0x7f800000u) b.bits = (b.bits + 0x7fffu + ((b.bits >> 16) & 1u)) & 0xffff0000u;
  return b.number;
}
__device__ __forceinline__ unsigned short narrowed(float x) { EstaBits b; b.number = x; return (unsigned short)(b.bits >> 16); }
#ifndef INFINITY
#define INFINITY (widened(0x7f80))
#endif
#ifndef NAN
#define NAN (widened(0x7fc0))
#endif
// Of NaN and a number NaN, as sums and products have it.
template <class T> __device__ __forceinline__ T sumOf(T x, T y) { return x + y; }
template <class T> __device__ __forceinline__ T prodOf(T x, T y) { return x * y; }
template <class T> __device__ __forceinline__ T maxOf(T x, T y) { return x > y || x != x ? x : y; }
template <class T> __device__ __forceinline__ T minOf(T x, T y) { return x < y || x != x ? x : y; }
#if WARP == 1
#define ACROSS(by, x)
#else
#define ACROSS(by, x) for (int distance = WARP / 2; distance > 0; distance /= 2) x = by(x, __shfl_xor_sync(0xffffffffu, x, distance));
#endif
`;
