/* CUDA C++ for a host compiler: kernels compiled with this run one thread after the other, in warps of one lane. */
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

#define ESTA_HOST 1
#define WARP 1
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__
#define __constant__ static
#define __shared__ static
#define __launch_bounds__(...)

struct Dimensions { unsigned x, y, z; };
static Dimensions gridDim, blockDim, blockIdx, threadIdx;
static const int warpSize = 1;

struct alignas(8) float2 { float x, y; };
struct float3 { float x, y, z; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(8) int2 { int x, y; };
struct alignas(16) int4 { int x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(4) ushort2 { unsigned short x, y; };
struct alignas(8) ushort4 { unsigned short x, y, z, w; };
struct alignas(4) uchar4 { unsigned char x, y, z, w; };
struct alignas(4) char4 { signed char x, y, z, w; };
static inline float2 make_float2(float x, float y) { return {x, y}; }
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
static inline int2 make_int2(int x, int y) { return {x, y}; }
static inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
static inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
static inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
static inline ushort2 make_ushort2(unsigned short x, unsigned short y) { return {x, y}; }
static inline ushort4 make_ushort4(unsigned short x, unsigned short y, unsigned short z, unsigned short w) { return {x, y, z, w}; }

template <class To, class From> static inline To esta_bits(From from) {
  static_assert(sizeof(To) == sizeof(From), "as many bits");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}
static inline unsigned __float_as_uint(float x) { return esta_bits<unsigned>(x); }
static inline int __float_as_int(float x) { return esta_bits<int>(x); }
static inline float __uint_as_float(unsigned x) { return esta_bits<float>(x); }
static inline float __int_as_float(int x) { return esta_bits<float>(x); }
static inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
static inline double rsqrt(double x) { return 1.0 / sqrt(x); }
static inline float normcdff(float x) { return 0.5f * erfcf(-x * 0.70710678f); }
/* The C library has functions of these names inside. */
#define __expf expf
#define __logf logf
static inline float __fdividef(float x, float y) { return x / y; }
static inline float __frcp_rn(float x) { return 1.0f / x; }
static inline float __fsqrt_rn(float x) { return sqrtf(x); }
static inline float __frsqrt_rn(float x) { return 1.0f / sqrtf(x); }
static inline float __fadd_rn(float x, float y) { return x + y; }
static inline float __fsub_rn(float x, float y) { return x - y; }
static inline float __fmul_rn(float x, float y) { return x * y; }
static inline float __fdiv_rn(float x, float y) { return x / y; }
static inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
static inline int __float2int_rn(float x) { return (int)rintf(x); }
static inline int __float2int_rz(float x) { return (int)x; }
static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __clz(int x) { return x ? __builtin_clz(x) : 32; }
static inline unsigned __umulhi(unsigned x, unsigned y) { return (unsigned)(((unsigned long long)x * y) >> 32); }
static inline int min(int x, int y) { return x < y ? x : y; }
static inline int max(int x, int y) { return x > y ? x : y; }
static inline unsigned min(unsigned x, unsigned y) { return x < y ? x : y; }
static inline unsigned max(unsigned x, unsigned y) { return x > y ? x : y; }
static inline long long min(long long x, long long y) { return x < y ? x : y; }
static inline long long max(long long x, long long y) { return x > y ? x : y; }
static inline float min(float x, float y) { return fminf(x, y); }
static inline float max(float x, float y) { return fmaxf(x, y); }
template <class T> static inline T __ldg(const T *from) { return *from; }
template <class T> static inline T __ldcs(const T *from) { return *from; }
template <class T> static inline void __stcs(T *to, T value) { *to = value; }
template <class T> static inline T atomicAdd(T *to, T value) { T old = *to; *to += value; return old; }
template <class T> static inline T atomicMax(T *to, T value) { T old = *to; if (value > old) *to = value; return old; }

/* A lane has itself alone for company. */
template <class T> static inline T __shfl_sync(unsigned, T value, int, int = 1) { return value; }
template <class T> static inline T __shfl_xor_sync(unsigned, T value, int, int = 1) { return value; }
template <class T> static inline T __shfl_down_sync(unsigned, T value, unsigned, int = 1) { return value; }
template <class T> static inline T __shfl_up_sync(unsigned, T value, unsigned, int = 1) { return value; }
static inline void __syncwarp(unsigned = 1) {}
static inline unsigned __ballot_sync(unsigned, int predicate) { return predicate != 0; }
static inline unsigned __activemask() { return 1; }
/* Threads that run one after the other cannot wait for each other. */
#define __syncthreads() static_assert(false, "__syncthreads() cannot run on the stand-in: without it where ESTA_HOST is defined")
