/* What CUDA's libraries answer for stand-in-card.sh: a card of 80 GB and compute capability 9.0, whose memory is the host's. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Handles only have to differ from NULL. */
static char handles[1 << 20];
static void *handle(void) {
  static size_t next;
  return handles + (next += 256) % sizeof handles;
}

#ifdef LIBRARY_cudart
static long long live;
static void note(const char *what) {
  if (getenv("STAND_IN_LOG")) fprintf(stderr, "%s, %lld MiB in use\n", what, live >> 20);
}
static void copied(size_t size, int kind) {
  static const char *const ways[] = {"host to host", "host to device", "device to host", "device to device"};
  if (getenv("STAND_IN_LOG") && kind >= 0 && kind < 4) fprintf(stderr, "copy %s, %zu bytes\n", ways[kind], size);
}
#define HAS_cudaGetDeviceCount
int cudaGetDeviceCount(int *count) {
  *count = 1;
  return 0;
}
#define HAS_cudaGetDevice
int cudaGetDevice(int *device) {
  *device = 0;
  return 0;
}
#define HAS_cudaGetDeviceProperties
int cudaGetDeviceProperties(char *properties, int device) {
  /* Places in cudaDeviceProp of CUDA 13. */
  memset(properties, 0, 1008);
  strcpy(properties, "stand-in");
  *(size_t *)(properties + 288) = 80ull << 30; /* totalGlobalMem */
  *(size_t *)(properties + 296) = 48 << 10; /* sharedMemPerBlock */
  *(int *)(properties + 304) = 65536; /* regsPerBlock */
  *(int *)(properties + 308) = 32; /* warpSize */
  *(int *)(properties + 320) = 1024; /* maxThreadsPerBlock */
  static const int limits[] = {1024, 1024, 64, 2147483647, 65535, 65535};
  memcpy(properties + 324, limits, sizeof limits);
  *(int *)(properties + 360) = 9; /* major */
  return 0;
}
#define HAS_cudaDeviceGetAttribute
int cudaDeviceGetAttribute(int *value, int attribute, int device) {
  *value = attribute == 75 ? 9 : attribute == 76 ? 0 : attribute == 16 ? 132 : 1024;
  return 0;
}
#define HAS_cudaMemGetInfo
int cudaMemGetInfo(size_t *unused, size_t *all) {
  *unused = *all = 80ull << 30;
  return 0;
}
#define HAS_cudaDriverGetVersion
int cudaDriverGetVersion(int *version) {
  *version = 13000;
  return 0;
}
#define HAS_cudaRuntimeGetVersion
int cudaRuntimeGetVersion(int *version) {
  *version = 13000;
  return 0;
}
#define HAS_cudaMalloc
int cudaMalloc(void **pointer, size_t size) {
  *pointer = calloc(1, size ? size : 1); /* zeros: a loss of 0 is no divergence */
  live += malloc_usable_size(*pointer);
  note("cudaMalloc");
  return 0;
}
#define HAS_cudaFree
int cudaFree(void *pointer) {
  if (pointer) live -= malloc_usable_size(pointer);
  free(pointer);
  note("cudaFree");
  return 0;
}
#define HAS_cudaMallocHost
int cudaMallocHost(void **pointer, size_t size) {
  *pointer = malloc(size ? size : 1);
  return 0;
}
#define HAS_cudaHostAlloc
int cudaHostAlloc(void **pointer, size_t size, unsigned flags) {
  *pointer = malloc(size ? size : 1);
  return 0;
}
#define HAS_cudaFreeHost
int cudaFreeHost(void *pointer) {
  free(pointer);
  return 0;
}
#define HAS_cudaMemcpy
int cudaMemcpy(void *to, const void *from, size_t size, int kind) {
  copied(size, kind);
  memcpy(to, from, size);
  return 0;
}
#define HAS_cudaMemcpyAsync
int cudaMemcpyAsync(void *to, const void *from, size_t size, int kind, void *stream) {
  copied(size, kind);
  memcpy(to, from, size);
  return 0;
}
#define HAS_cudaMemset
int cudaMemset(void *to, int value, size_t size) {
  memset(to, value, size);
  return 0;
}
#define HAS_cudaMemsetAsync
int cudaMemsetAsync(void *to, int value, size_t size, void *stream) {
  memset(to, value, size);
  return 0;
}
#define HAS_cudaStreamSynchronize
int cudaStreamSynchronize(void *stream) {
  if (getenv("STAND_IN_LOG")) fprintf(stderr, "wait for a stream\n");
  return 0;
}
#define HAS_cudaStreamCreate
int cudaStreamCreate(void **made) {
  *made = handle();
  return 0;
}
#define HAS_cudaStreamCreateWithFlags
int cudaStreamCreateWithFlags(void **made, unsigned flags) {
  *made = handle();
  return 0;
}
#define HAS_cudaEventCreate
int cudaEventCreate(void **made) {
  *made = handle();
  return 0;
}
#define HAS_cudaEventCreateWithFlags
int cudaEventCreateWithFlags(void **made, unsigned flags) {
  *made = handle();
  return 0;
}
#define HAS_cudaMemPoolCreate
int cudaMemPoolCreate(void **made, const void *properties) {
  *made = handle();
  return 0;
}
#define HAS_cudaLibraryLoadData
int cudaLibraryLoadData(void **made) {
  *made = handle();
  return 0;
}
#define HAS_cudaLibraryGetKernel
int cudaLibraryGetKernel(void **made) {
  *made = handle();
  return 0;
}
#define HAS_cudaStreamIsCapturing
int cudaStreamIsCapturing(void *stream, int *status) {
  *status = 0;
  return 0;
}
#define HAS_cudaFuncGetAttributes
int cudaFuncGetAttributes(void *attributes, const void *function) {
  memset(attributes, 0, 64);
  return 0;
}
#define HAS_cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags
int cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks) {
  *blocks = 1;
  return 0;
}
#define HAS_cudaGetErrorString
const char * cudaGetErrorString(int error) {
  return "error of a stand-in";
}
#define HAS_cudaGetErrorName
const char * cudaGetErrorName(int error) {
  return "error of a stand-in";
}
#define HAS_cudaGetDriverEntryPointByVersion
int cudaGetDriverEntryPointByVersion(const char *name, void **function, unsigned version, unsigned long long flags, int *result) {
  *function = NULL;
  if (result) *result = 1;
  return 0;
}
#endif

#ifdef LIBRARY_cublas
#define HAS_cublasCreate_v2
int cublasCreate_v2(void **made) {
  *made = handle();
  return 0;
}
#endif

#ifdef LIBRARY_cublasLt
#define HAS_cublasLtCreate
int cublasLtCreate(void **made) {
  *made = handle();
  return 0;
}
#define HAS_cublasLtMatmulDescCreate
int cublasLtMatmulDescCreate(void **made) {
  *made = handle();
  return 0;
}
#define HAS_cublasLtMatmulPreferenceCreate
int cublasLtMatmulPreferenceCreate(void **made) {
  *made = handle();
  return 0;
}
#define HAS_cublasLtMatrixLayoutCreate
int cublasLtMatrixLayoutCreate(void **made) {
  *made = handle();
  return 0;
}
#define HAS_cublasLtMatrixTransformDescCreate
int cublasLtMatrixTransformDescCreate(void **made) {
  *made = handle();
  return 0;
}
#endif

#ifdef LIBRARY_cudnn
#define HAS_cudnnCreate
int cudnnCreate(void **made) {
  *made = handle();
  return 0;
}
#define HAS_cudnnGetVersion
size_t cudnnGetVersion(void) {
  return 92400;
}
#define HAS_cudnnGetErrorString
const char *cudnnGetErrorString(int error) {
  return "error of a stand-in";
}
#endif
