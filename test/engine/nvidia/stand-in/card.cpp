/*
 * What the libraries of CUDA 13 answer where there is no card: this one file stands in for libcuda.so.1, libcublas.so.13 and libnvrtc.so.13, and
 * computes. Device memory is the host's, kernels are compiled by g++ (prelude.h) and run on one processor, products are plain loops.
 * Device memory holds NaN before it is written. Names, types and numbers are those of cuda.h, cublas_api.h and nvrtc.h.
 */
#include <dlfcn.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <string>
#include <vector>

typedef unsigned long long Address;
enum {
  SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_IMAGE = 200, INVALID_CONTEXT = 201,
  UNAVAILABLE = 46, INVALID_HANDLE = 400, NOT_FOUND = 500, ILLEGAL_ADDRESS = 700, CAPTURE_UNSUPPORTED = 900, CAPTURE_INVALIDATED = 901
};

/* One call that a stream records: what cuGraphLaunch repeats. */
struct Call {
  virtual int run() = 0;
  virtual ~Call() {}
};
struct Graph { std::vector<Call *> calls; };
static Graph *recording;
static int contexts;

static int queue(Call *call) {
  if (recording) {
    recording->calls.push_back(call);
    return SUCCESS;
  }
  int status = call->run();
  delete call;
  return status;
}

extern "C" {

/* ---- Device, memory ---- */
static const unsigned long long total_memory = 16ull << 30;
static unsigned long long used_memory;
static std::map<Address, size_t> *allocations = new std::map<Address, size_t>;

int cuInit(unsigned) { return getenv("STAND_IN_NO_DEVICE") ? NO_DEVICE : SUCCESS; }
int cuDriverGetVersion(int *version) { return *version = 13000, SUCCESS; }
int cuDeviceGet(int *device, int ordinal) { return *device = ordinal, SUCCESS; }
int cuDeviceGetName(char *name, int length, int) { return snprintf(name, length, "stand-in"), SUCCESS; }
int cuDeviceGetAttribute(int *value, int attribute, int) {
  switch (attribute) {
    case 16: return *value = 4, SUCCESS; /* multiprocessors */
    case 75: return *value = getenv("STAND_IN_OLD") ? 7 : 9, SUCCESS; /* compute capability */
    case 76: return *value = 0, SUCCESS;
    default: return INVALID_VALUE;
  }
}
int cuDevicePrimaryCtxRetain(void **context, int) {
  if (getenv("STAND_IN_TAKEN")) return UNAVAILABLE;
  return *context = &contexts, contexts++, SUCCESS;
}
int cuDevicePrimaryCtxRelease_v2(int) { return contexts--, SUCCESS; }
int cuCtxSetCurrent(void *context) { return context == &contexts ? SUCCESS : INVALID_CONTEXT; }
int cuGetErrorName(int status, const char **text) {
  *text = status == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : status == NO_DEVICE ? "CUDA_ERROR_NO_DEVICE"
    : status == UNAVAILABLE ? "CUDA_ERROR_DEVICE_UNAVAILABLE" : status == INVALID_VALUE ? "CUDA_ERROR_INVALID_VALUE" : status == NOT_FOUND ? "CUDA_ERROR_NOT_FOUND"
    : status == ILLEGAL_ADDRESS ? "CUDA_ERROR_ILLEGAL_ADDRESS"
    : status == CAPTURE_UNSUPPORTED ? "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED" : "CUDA_ERROR_UNKNOWN";
  return SUCCESS;
}
int cuGetErrorString(int, const char **text) { return *text = "told by the stand-in", SUCCESS; }

int cuMemAlloc_v2(Address *address, size_t bytes) {
  if (contexts == 0) return INVALID_CONTEXT;
  if (bytes == 0) return INVALID_VALUE;
  size_t size = (bytes + 511) / 512 * 512;
  if (used_memory + size > total_memory) return OUT_OF_MEMORY;
  void *memory = aligned_alloc(512, size);
  if (!memory) return OUT_OF_MEMORY;
  memset(memory, 0xff, size < (64u << 20) ? size : 64u << 20);
  used_memory += size;
  (*allocations)[*address = (Address)memory] = size;
  return SUCCESS;
}
int cuMemFree_v2(Address address) {
  auto found = allocations->find(address);
  if (found == allocations->end()) return INVALID_VALUE;
  used_memory -= found->second;
  allocations->erase(found);
  free((void *)address);
  return SUCCESS;
}
int cuMemGetInfo_v2(size_t *unused, size_t *total) {
  *unused = total_memory - used_memory;
  *total = total_memory;
  return SUCCESS;
}
int cuMemHostAlloc(void **address, size_t bytes, unsigned) { return *address = malloc(bytes), *address ? SUCCESS : OUT_OF_MEMORY; }
int cuMemFreeHost(void *address) { return free(address), SUCCESS; }

/* Whether all of [address, address + bytes) was allocated on the device. */
static bool is_device(Address address, size_t bytes) {
  auto next = allocations->upper_bound(address);
  if (next == allocations->begin()) return false;
  --next;
  return address + bytes <= next->first + next->second;
}
int cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes, void *) {
  if (recording) return CAPTURE_UNSUPPORTED;
  if (!is_device(to, bytes)) return INVALID_VALUE;
  return memcpy((void *)to, from, bytes), SUCCESS;
}
int cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes, void *) {
  if (recording) return CAPTURE_UNSUPPORTED;
  if (!is_device(from, bytes)) return INVALID_VALUE;
  return memcpy(to, (void *)from, bytes), SUCCESS;
}
struct Copy : Call {
  Address to, from;
  size_t bytes;
  int run() override {
    if (!is_device(to, bytes) || !is_device(from, bytes)) return INVALID_VALUE;
    return memmove((void *)to, (void *)from, bytes), SUCCESS;
  }
};
int cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, void *) {
  Copy *copy = new Copy;
  copy->to = to, copy->from = from, copy->bytes = bytes;
  return queue(copy);
}

/* ---- Streams, events: all is done when a call returns ---- */
int cuStreamCreate(void **stream, unsigned) { return *stream = malloc(1), SUCCESS; }
int cuStreamDestroy_v2(void *stream) { return free(stream), SUCCESS; }
int cuStreamQuery(void *) { return recording ? CAPTURE_UNSUPPORTED : SUCCESS; }
int cuStreamSynchronize(void *) { return recording ? CAPTURE_UNSUPPORTED : SUCCESS; }
int cuEventCreate(void **event, unsigned) { return *event = malloc(1), SUCCESS; }
int cuEventDestroy_v2(void *event) { return free(event), SUCCESS; }
int cuEventRecord(void *, void *) { return SUCCESS; }
int cuEventQuery(void *) { return SUCCESS; }
int cuEventSynchronize(void *) { return SUCCESS; }
int cuEventElapsedTime(float *milliseconds, void *, void *) { return *milliseconds = 0.5f, SUCCESS; }

/* ---- Modules, kernels ---- */
typedef void (*HostKernel)(unsigned blocks, unsigned threads, void **values);
struct Function {
  HostKernel run;
  int parameters;
};
/* The image is the path of a shared library. */
int cuModuleLoadData(void **module, const void *image) {
  *module = dlopen((const char *)image, RTLD_NOW | RTLD_LOCAL);
  if (!*module) fprintf(stderr, "%s\n", dlerror());
  return *module ? SUCCESS : INVALID_IMAGE;
}
int cuModuleUnload(void *module) { return dlclose(module) == 0 ? SUCCESS : INVALID_HANDLE; }
int cuModuleGetFunction(void **function, void *module, const char *name) {
  HostKernel run = (HostKernel)dlsym(module, (std::string(name) + "_host").c_str());
  int *parameters = (int *)dlsym(module, (std::string(name) + "_parameters").c_str());
  if (!run || !parameters) return NOT_FOUND;
  *function = new Function{run, *parameters};
  return SUCCESS;
}
struct Launch : Call {
  Function *function;
  unsigned blocks, threads;
  std::vector<Address> values;
  int run() override {
    std::vector<void *> pointers;
    for (Address &value : values) {
      if (!is_device(value, 1)) return ILLEGAL_ADDRESS;
      pointers.push_back(&value);
    }
    function->run(blocks, threads, pointers.data());
    return SUCCESS;
  }
};
int cuLaunchKernel(Function *function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned threadsY, unsigned threadsZ,
                   unsigned shared, void *, void **parameters, void **extra) {
  if (x == 0 || threads == 0 || threads > 1024 || y != 1 || z != 1 || threadsY != 1 || threadsZ != 1 || shared != 0 || extra)
    return INVALID_VALUE;
  Launch *launch = new Launch;
  launch->function = function, launch->blocks = x, launch->threads = threads;
  for (int index = 0; index < function->parameters; index++) launch->values.push_back(*(Address *)parameters[index]);
  return queue(launch);
}

/* ---- Recorded graphs ---- */
int cuStreamBeginCapture_v2(void *, int mode) {
  if (recording || mode < 0 || mode > 2) return INVALID_VALUE;
  return recording = new Graph, SUCCESS;
}
int cuStreamEndCapture(void *, Graph **graph) {
  if (!recording) return INVALID_VALUE;
  *graph = recording;
  return recording = NULL, SUCCESS;
}
/* The executable takes the calls. */
int cuGraphInstantiateWithFlags(Graph **executable, Graph *graph, unsigned long long flags) {
  if (flags != 0) return INVALID_VALUE;
  *executable = new Graph;
  (*executable)->calls.swap(graph->calls);
  return SUCCESS;
}
int cuGraphLaunch(Graph *executable, void *) {
  if (recording) return CAPTURE_UNSUPPORTED;
  for (Call *call : executable->calls)
    if (int status = call->run()) return status;
  return SUCCESS;
}
int cuGraphDestroy(Graph *graph) {
  for (Call *call : graph->calls) delete call;
  return delete graph, SUCCESS;
}
int cuGraphExecDestroy(Graph *executable) { return cuGraphDestroy(executable); }

/* ---- NVRTC ---- */
struct Program { std::string source, log, path; };

static std::string folder_of_this() {
  Dl_info info;
  dladdr((void *)&cuInit, &info);
  std::string path = info.dli_fname;
  return path.substr(0, path.rfind('/'));
}

/* The text between the bracket at `from` and the one that closes it; `from` goes behind that. */
static std::string bracketed(const std::string &text, size_t &from) {
  size_t start = from + 1;
  for (int depth = 0; from < text.size(); from++) {
    if (text[from] == '(') depth++;
    if (text[from] == ')' && --depth == 0) break;
  }
  return text.substr(start, from++ - start);
}

static std::string trimmed(const std::string &text) {
  size_t first = text.find_first_not_of(" \t\n"), last = text.find_last_not_of(" \t\n");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

/* For each kernel NAME: NAME_host, which runs all its threads, and NAME_parameters, their number. */
static std::string wrappers(const std::string &source) {
  const bool waits = source.find("__syncthreads") != std::string::npos;
  const bool shuffles = source.find("__shfl") != std::string::npos || source.find("__syncwarp") != std::string::npos;
  const std::string turns = waits ? "    take_turns(0, threads);\n"
    : shuffles ? "    for (unsigned first = 0; first < threads; first += WARP) take_turns(first, threads - first < WARP ? threads - first : WARP);\n"
    : "    for (unsigned thread = 0; thread < threads; thread++) threadIdx.x = thread, body(values);\n";
  std::string made = "\n#line 1 \"wrappers\"\n";
  const std::string mark = "__global__ void";
  for (size_t at = source.find(mark); at != std::string::npos; at = source.find(mark, at)) {
    at += mark.size();
    size_t open = source.find('(', at);
    std::string name = trimmed(source.substr(at, open - at));
    if (name == "__launch_bounds__") {
      bracketed(source, open);
      at = open;
      open = source.find('(', at);
      name = trimmed(source.substr(at, open - at));
    }
    std::string parameters = bracketed(source, open), arguments;
    at = open;
    int count = 0;
    for (size_t start = 0; trimmed(parameters) != "" && start <= parameters.size(); count++) {
      size_t end = parameters.find(',', start);
      if (end == std::string::npos) end = parameters.size();
      std::string one = trimmed(parameters.substr(start, end - start));
      size_t identifier = one.find_last_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
      if (count) arguments += ", ";
      arguments += "*(" + one.substr(0, identifier + 1) + "*)values[" + std::to_string(count) + "]";
      start = end + 1;
    }
    made += "extern \"C\" int " + name + "_parameters = " + std::to_string(count) + ";\n";
    made += "static void " + name + "_body(void *given) { void **values = (void **)given; " + name + "(" + arguments + "); }\n";
    made += "extern \"C\" void " + name + "_host(unsigned blocks, unsigned threads, void **values) {\n"
      "  gridDim = {blocks, 1, 1}, blockDim = {threads, 1, 1}, body = " + name + "_body, body_values = values;\n"
      "  for (unsigned block = 0; block < blocks; block++) {\n"
      "    blockIdx = {block, 0, 0};\n" + turns + "  }\n}\n";
  }
  return made;
}

static std::string contents(const std::string &path) {
  std::string text;
  if (FILE *file = fopen(path.c_str(), "r")) {
    char part[65536];
    while (size_t count = fread(part, 1, sizeof part, file)) text.append(part, count);
    fclose(file);
  }
  return text;
}

/* Compiles the source with the real NVRTC as well, which needs no card: what g++ takes need not be CUDA C++. */
static int compile_really(const char *library, Program *program, int count, const char *const *options) {
  const std::string path = library;
  glob_t builtins;
  if (glob((path.substr(0, path.rfind('/')) + "/libnvrtc-builtins.so.*").c_str(), 0, NULL, &builtins) == 0)
    for (size_t index = 0; index < builtins.gl_pathc; index++) dlopen(builtins.gl_pathv[index], RTLD_NOW);
  globfree(&builtins);
  void *nvrtc = dlopen(library, RTLD_NOW);
  if (!nvrtc) return program->log = dlerror(), 11;
  auto create = (int (*)(void **, const char *, const char *, int, void *, void *))dlsym(nvrtc, "nvrtcCreateProgram");
  auto compile = (int (*)(void *, int, const char *const *))dlsym(nvrtc, "nvrtcCompileProgram");
  auto log_size = (int (*)(void *, size_t *))dlsym(nvrtc, "nvrtcGetProgramLogSize");
  auto log = (int (*)(void *, char *))dlsym(nvrtc, "nvrtcGetProgramLog");
  auto destroy = (int (*)(void **))dlsym(nvrtc, "nvrtcDestroyProgram");
  void *real;
  create(&real, program->source.c_str(), "kernels.cu", 0, NULL, NULL);
  int status = compile(real, count, options);
  size_t size = 0;
  log_size(real, &size);
  program->log.resize(size);
  if (size) log(real, &program->log[0]);
  destroy(&real);
  return status;
}

int nvrtcVersion(int *major, int *minor) { return *major = *minor = 0, 0; }
int nvrtcGetNumSupportedArchs(int *count) { return *count = 2, 0; }
int nvrtcGetSupportedArchs(int *values) { return values[0] = 80, values[1] = 90, 0; }
const char *nvrtcGetErrorString(int) { return "told by the stand-in"; }
int nvrtcCreateProgram(Program **program, const char *source, const char *, int, const char *const *, const char *const *) {
  *program = new Program;
  return (*program)->source = source, 0;
}
int nvrtcDestroyProgram(Program **program) { return delete *program, 0; }
int nvrtcCompileProgram(Program *program, int count, const char *const *options) {
  bool knows = false;
  for (int index = 0; index < count; index++) knows |= !strcmp(options[index], "--gpu-architecture=sm_90");
  if (!knows) return 5; /* NVRTC_ERROR_INVALID_OPTION */
  if (const char *library = getenv("STAND_IN_NVRTC"))
    if (int status = compile_really(library, program, count, options)) return status;
  const std::string text = program->source + wrappers(program->source);
  unsigned long long hash = 14695981039346656037ull; /* FNV-1a */
  for (unsigned char byte : text) hash = (hash ^ byte) * 1099511628211ull;
  char name[32];
  snprintf(name, sizeof name, "kernels-%016llx", hash);
  const std::string folder = folder_of_this();
  program->path = folder + "/" + name + ".so";
  if (access(program->path.c_str(), R_OK) == 0) return 0;
  const std::string own = folder + "/" + name + "-" + std::to_string(getpid());
  mkdir(own.c_str(), 0777);
  FILE *file = fopen((own + "/kernels.cu").c_str(), "w");
  if (!file) return 11; /* NVRTC_ERROR_INTERNAL_ERROR */
  fwrite(text.data(), 1, text.size(), file);
  fclose(file);
  const std::string command = "cd '" + own + "' && g++ -O2 -std=c++17 -shared -fPIC -w -fno-math-errno -x c++ -include '" + folder +
    "/prelude.h' kernels.cu -o kernels.so >log 2>&1 && mv kernels.so '" + program->path + "'";
  int status = system(command.c_str());
  program->log = contents(own + "/log");
  for (const char *left : {"/kernels.cu", "/log"}) remove((own + left).c_str());
  rmdir(own.c_str());
  return status == 0 ? 0 : 6; /* NVRTC_ERROR_COMPILATION */
}
int nvrtcGetProgramLogSize(Program *program, size_t *size) { return *size = program->log.size() + 1, 0; }
int nvrtcGetProgramLog(Program *program, char *log) { return strcpy(log, program->log.c_str()), 0; }
int nvrtcGetCUBINSize(Program *program, size_t *size) { return *size = program->path.size() + 1, 0; }
int nvrtcGetCUBIN(Program *program, char *code) { return strcpy(code, program->path.c_str()), 0; }
int nvrtcGetPTXSize(Program *program, size_t *size) { return nvrtcGetCUBINSize(program, size); }
int nvrtcGetPTX(Program *program, char *code) { return nvrtcGetCUBIN(program, code); }

/* ---- cuBLAS: matrices in column-major order ---- */
enum { BLAS_INVALID_VALUE = 7, BLAS_EXECUTION_FAILED = 13, BLAS_NOT_SUPPORTED = 15, R_32F = 0, R_16BF = 14 };

static float of_bfloat16(uint16_t bits) {
  uint32_t wide = (uint32_t)bits << 16;
  float value;
  memcpy(&value, &wide, 4);
  return value;
}
/* To the nearest value with `kept` bits of mantissa, ties to even; not a number stays one. */
static float rounded(float value, int kept) {
  uint32_t bits, drop = 23 - kept;
  memcpy(&bits, &value, 4);
  if ((bits & 0x7f800000) == 0x7f800000) return value;
  bits += (1u << (drop - 1)) - 1 + ((bits >> drop) & 1);
  bits &= ~((1u << drop) - 1);
  memcpy(&value, &bits, 4);
  return value;
}
static uint16_t to_bfloat16(float value) {
  uint32_t bits;
  value = rounded(value, 7);
  memcpy(&bits, &value, 4);
  return bits >> 16;
}

struct Matrix {
  Address address; /* of the matrix, or of the table of matrices */
  int type, pitch;
  long long stride;
  const char *at(bool is_table, long long index) const {
    if (is_table) return (const char *)((Address *)address)[index];
    return (const char *)address + index * stride * size();
  }
  size_t size() const { return type == R_16BF ? 2 : 4; }
  /* Whether memory of the card holds all of it. */
  bool is_whole(bool is_table, int count, bool transpose, int rows, int columns) const {
    if (is_table && !is_device(address, count * sizeof(Address))) return false;
    size_t elements = transpose ? (size_t)(rows - 1) * pitch + columns : (size_t)(columns - 1) * pitch + rows;
    for (int index = 0; index < count; index++) {
      Address first = (Address)at(is_table, index);
      if (first % size() != 0 || !is_device(first, elements * size())) return false;
    }
    return true;
  }
};

struct Product : Call {
  bool transposes[2], is_table;
  int m, n, k, count, compute;
  float alpha;
  Matrix a, b, c;

  /* op(matrix) [rows, columns], stored column after column. */
  std::vector<float> packed(const Matrix &matrix, bool transpose, int rows, int columns, int index) const {
    const char *from = matrix.at(is_table, index);
    std::vector<float> to((size_t)rows * columns);
    for (int column = 0; column < columns; column++)
      for (int row = 0; row < rows; row++) {
        size_t place = transpose ? (size_t)row * matrix.pitch + column : (size_t)column * matrix.pitch + row;
        float value = matrix.type == R_16BF ? of_bfloat16(((const uint16_t *)from)[place]) : ((const float *)from)[place];
        to[(size_t)column * rows + row] = compute == 77 ? rounded(value, 10) : value;
      }
    return to;
  }

  int run() override {
    if (!a.is_whole(is_table, count, transposes[0], m, k) || !b.is_whole(is_table, count, transposes[1], k, n) ||
        !c.is_whole(is_table, count, false, m, n)) return BLAS_EXECUTION_FAILED;
    std::vector<float> sums(m);
    for (int index = 0; index < count; index++) {
      std::vector<float> left = packed(a, transposes[0], m, k, index), right = packed(b, transposes[1], k, n, index);
      char *to = (char *)c.at(is_table, index);
      for (int column = 0; column < n; column++) {
        for (float &sum : sums) sum = 0;
        for (int inner = 0; inner < k; inner++) {
          const float factor = right[(size_t)column * k + inner], *values = &left[(size_t)inner * m];
          for (int row = 0; row < m; row++) sums[row] += factor * values[row];
        }
        for (int row = 0; row < m; row++) {
          size_t place = (size_t)column * c.pitch + row;
          if (c.type == R_16BF) ((uint16_t *)to)[place] = to_bfloat16(alpha * sums[row]);
          else ((float *)to)[place] = alpha * sums[row];
        }
      }
    }
    return 0;
  }
};

static int multiply(int transA, int transB, int m, int n, int k, const float *alpha, Matrix a, Matrix b, const float *beta, Matrix c,
                    int count, bool is_table, int compute, int algorithm) {
  bool fits = a.pitch >= (transA ? k : m) && b.pitch >= (transB ? n : k) && c.pitch >= m;
  if (!fits || m < 1 || n < 1 || k < 1 || count < 1 || *beta != 0 || algorithm != -1) return BLAS_INVALID_VALUE;
  bool types = a.type == b.type && (a.type == R_32F || a.type == R_16BF) && (c.type == R_32F || c.type == a.type);
  if (!types || (compute != 68 && !(compute == 77 && a.type == R_32F))) return BLAS_NOT_SUPPORTED;
  Product *product = new Product;
  product->transposes[0] = transA, product->transposes[1] = transB, product->is_table = is_table;
  product->m = m, product->n = n, product->k = k, product->count = count, product->compute = compute;
  product->alpha = *alpha, product->a = a, product->b = b, product->c = c;
  return queue(product);
}

int cublasCreate_v2(void **handle) { return getenv("STAND_IN_FULL") ? 3 /* not allocated */ : (*handle = malloc(1), 0); }
int cublasDestroy_v2(void *handle) { return free(handle), 0; }
int cublasSetStream_v2(void *, void *) { return 0; }
int cublasSetWorkspace_v2(void *, void *workspace, size_t bytes) { return is_device((Address)workspace, bytes) ? 0 : BLAS_INVALID_VALUE; }
const char *cublasGetStatusString(int status) {
  return status == BLAS_EXECUTION_FAILED ? "CUBLAS_STATUS_EXECUTION_FAILED" : status == BLAS_NOT_SUPPORTED ? "CUBLAS_STATUS_NOT_SUPPORTED" : "CUBLAS_STATUS_INVALID_VALUE";
}
int cublasGemmEx(void *, int transA, int transB, int m, int n, int k, const void *alpha, const void *a, int typeA, int lda,
                 const void *b, int typeB, int ldb, const void *beta, void *c, int typeC, int ldc, int compute, int algorithm) {
  return multiply(transA, transB, m, n, k, (const float *)alpha, {(Address)a, typeA, lda, 0}, {(Address)b, typeB, ldb, 0},
                  (const float *)beta, {(Address)c, typeC, ldc, 0}, 1, false, compute, algorithm);
}
int cublasGemmStridedBatchedEx(void *, int transA, int transB, int m, int n, int k, const void *alpha, const void *a, int typeA,
                               int lda, long long strideA, const void *b, int typeB, int ldb, long long strideB, const void *beta,
                               void *c, int typeC, int ldc, long long strideC, int count, int compute, int algorithm) {
  return multiply(transA, transB, m, n, k, (const float *)alpha, {(Address)a, typeA, lda, strideA}, {(Address)b, typeB, ldb, strideB},
                  (const float *)beta, {(Address)c, typeC, ldc, strideC}, count, false, compute, algorithm);
}
int cublasGemmBatchedEx(void *, int transA, int transB, int m, int n, int k, const void *alpha, const void *const a[], int typeA,
                        int lda, const void *const b[], int typeB, int ldb, const void *beta, void *const c[], int typeC, int ldc,
                        int count, int compute, int algorithm) {
  return multiply(transA, transB, m, n, k, (const float *)alpha, {(Address)a, typeA, lda, 0}, {(Address)b, typeB, ldb, 0},
                  (const float *)beta, {(Address)c, typeC, ldc, 0}, count, true, compute, algorithm);
}
}
