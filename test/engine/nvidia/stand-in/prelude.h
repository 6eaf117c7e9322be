/*
 * CUDA C++ for a host compiler. The threads of a kernel run one after the other; those that wait for each other (lanes of a warp that
 * shuffle, a block at __syncthreads) have stacks of their own and take turns.
 */
#pragma once
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARP 32
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
static const int warpSize = WARP;

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

/* ---- Turns ---- */
struct Thread {
  void *stack; /* where it stopped */
  unsigned number, shuffles;
  bool is_done;
  uint64_t slots[2]; /* what it shows to other lanes: in turns, since some read the last value when others write the next */
};
static Thread threads_of_block[1024];
static char *stacks;
static Thread *running;
static unsigned first_thread, thread_count, done_count, waiting_count, barriers;
static void *turns_stack;
static void (*body)(void *);
static void *body_values;
enum { STACK_BYTES = 64 << 10 };

/* Puts the registers that a function keeps on the stack, writes its place to `from`, and goes on at `to`. */
extern "C" __attribute__((visibility("hidden"))) void switch_stack(void **from, void *to);
asm(R"(
.text
.hidden switch_stack
.globl switch_stack
switch_stack:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
)");

static void begin_thread() {
  body(body_values);
  running->is_done = true;
  done_count++;
  switch_stack(&running->stack, turns_stack);
}

static void next_turn() { switch_stack(&running->stack, turns_stack); }

/* Runs threads [first, first + count) of the block until all are done. */
static void take_turns(unsigned first, unsigned count) {
  if (!stacks) stacks = (char *)malloc((size_t)STACK_BYTES * 1024);
  first_thread = first, thread_count = count, done_count = waiting_count = 0;
  for (unsigned number = first; number < first + count; number++) {
    void **top = (void **)(((uintptr_t)stacks + (size_t)STACK_BYTES * (number + 1)) & ~(uintptr_t)15) - 2;
    *top = (void *)begin_thread; /* where the first turn begins, as if called */
    threads_of_block[number] = {top - 6, number, 0, false, {0, 0}};
  }
  while (done_count < count)
    for (unsigned number = first; number < first + count; number++) {
      running = &threads_of_block[number];
      if (running->is_done) continue;
      threadIdx.x = number;
      switch_stack(&turns_stack, running->stack);
    }
}

static void refuse(const char *what) {
  fprintf(stderr, "the stand-in: block %u, thread %u: %s\n", blockIdx.x, threadIdx.x, what);
  abort();
}

/* What lane `source` of the warp shows in the shuffle that this lane is at. */
static inline uint64_t exchange(uint64_t bits, unsigned source) {
  Thread *self = running;
  unsigned turn = self->shuffles++;
  self->slots[turn & 1] = bits;
  next_turn();
  unsigned number = self->number / WARP * WARP + source;
  if (number < first_thread || number >= first_thread + thread_count) refuse("a shuffle with a lane that the block does not have");
  Thread &other = threads_of_block[number];
  if (other.shuffles <= turn) refuse("a shuffle with a lane that is done, or took another way");
  return other.slots[turn & 1];
}
template <class T> static inline T shuffled(unsigned mask, T value, unsigned source, int width) {
  static_assert(sizeof(T) <= 8, "up to 64 bits");
  if (mask != 0xffffffffu || width != WARP) refuse("a shuffle of a part of the warp");
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  bits = exchange(bits, source);
  memcpy(&value, &bits, sizeof value);
  return value;
}
static inline unsigned lane_of_thread() { return running->number % WARP; }
template <class T> static inline T __shfl_sync(unsigned mask, T value, int source, int width = WARP) {
  return shuffled(mask, value, (unsigned)source % WARP, width);
}
template <class T> static inline T __shfl_xor_sync(unsigned mask, T value, int other, int width = WARP) {
  return shuffled(mask, value, lane_of_thread() ^ other, width);
}
template <class T> static inline T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = WARP) {
  unsigned lane = lane_of_thread();
  return shuffled(mask, value, lane + distance < WARP ? lane + distance : lane, width);
}
template <class T> static inline T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = WARP) {
  unsigned lane = lane_of_thread();
  return shuffled(mask, value, lane >= distance ? lane - distance : lane, width);
}
static inline void __syncwarp(unsigned mask = 0xffffffffu) { shuffled(mask, 0, lane_of_thread(), WARP); }
static inline void __syncthreads() {
  unsigned barrier = barriers;
  if (++waiting_count == thread_count) waiting_count = 0, barriers++;
  while (barrier == barriers) {
    if (done_count > 0) refuse("__syncthreads() that a thread of the block never comes to");
    next_turn();
  }
}
