/** Takes a card: the first that CUDA_VISIBLE_DEVICES leaves visible. */
import { messageOf, RequestError, TrialError } from '../../../shared/errors.js';
import type { Address, Card, Kernel, Product, ProductPrecision, RecordedGraph } from './card.js';
import { Clock } from './clock.js';
import { bindDriver, CardError, computeCapabilityOf, type Driver, made } from './driver.js';
import { Kernels } from './kernels.js';
import { type CardLibraries, loadCardLibraries } from './libraries.js';
import { Products } from './products.js';
import { Downloads, Uploads } from './staging.js';
import { whenDone } from './waiting.js';

/** CU_STREAM_NON_BLOCKING: independent of streams of others in the process. */
const independent = 1;
/** CU_STREAM_CAPTURE_MODE_RELAXED: cuBLAS may load kernels of its own meanwhile. */
const relaxed = 2;

/** @throws RequestError naming the library that is missing, or why no card can be used */
export async function openCard(
  libraries: CardLibraries = loadCardLibraries(),
): Promise<Card & { readonly clock: Clock }> {
  const driver = bindDriver(libraries.driver);
  try {
    driver.init(0);
    const device = made(driver.deviceGet, 0);
    const context = made(driver.primaryContextRetain, device);
    try {
      driver.contextSetCurrent(context);
      return new OpenCard(driver, libraries, device);
    } catch (error) {
      driver.primaryContextRelease(device); // with what has been made in it
      throw error;
    }
  } catch (error) {
    if (!(error instanceof CardError || error instanceof TrialError)) throw error;
    // Another process may have it alone (compute mode), or all of its memory.
    throw new RequestError(
      `no NVIDIA card can be used: ${messageOf(error)}`,
      'Run `esta doctor`; `nvidia-smi` shows what else uses the card, and `nvidia-smi -q -d COMPUTE` whether one process has it alone.',
    );
  }
}

function nameOf(driver: Driver, device: number): string {
  const text = Buffer.alloc(256);
  driver.deviceGetName(text, text.length, device);
  return text.toString('utf8').replace(/\0.*$/s, '');
}

class OpenCard implements Card {
  readonly name: string;
  readonly computeCapability: readonly [number, number];
  readonly clock: Clock;
  readonly #driver: Driver;
  readonly #device: number;
  readonly #stream: number;
  readonly #products: Products;
  readonly #kernels: Kernels;
  readonly #uploads: Uploads;
  readonly #downloads: Downloads;
  readonly #allocated = new Set<Address>();
  readonly #graphs = new Set<number>();
  #isRecording = false;

  constructor(driver: Driver, libraries: CardLibraries, device: number) {
    this.#driver = driver;
    this.#device = device;
    this.name = nameOf(driver, device);
    this.computeCapability = computeCapabilityOf(driver, device);
    this.#stream = made(driver.streamCreate, independent);
    this.#kernels = new Kernels(driver, libraries.nvrtc, this.computeCapability, this.#stream);
    this.#products = new Products(libraries.cublas, driver, this.#stream);
    this.#uploads = new Uploads(driver, this.#stream);
    this.#downloads = new Downloads(driver, this.#stream);
    this.clock = new Clock(driver, this.#stream);
  }

  memory(): { readonly free: number; readonly total: number } {
    const [free, total]: [[number | bigint], [number | bigint]] = [[0], [0]];
    this.#driver.memoryInfo(free, total);
    return { free: Number(free[0]), total: Number(total[0]) };
  }

  allocate(bytes: number): Address {
    try {
      const address = made(this.#driver.memoryAllocate, Math.max(bytes, 1));
      this.#allocated.add(address);
      return address;
    } catch (error) {
      if (!(error instanceof TrialError)) throw error;
      const { free, total } = this.memory();
      const [asked, left, all] = [bytes, free, total].map((each) => `${Math.round(each / 2 ** 20)} MiB`);
      throw new TrialError(
        `the card is out of memory: ${asked} were asked for; ${left} of ${all} are free (${this.name})`,
        'A smaller batch needs less; `nvidia-smi` shows what else uses the card.',
      );
    }
  }

  release(address: Address): void {
    this.#allocated.delete(address);
    this.#driver.memoryFree(address);
  }

  upload(to: Address, from: ArrayBufferView): void {
    this.#refuseWhileRecording('an upload');
    this.#uploads.upload(to, from);
  }

  async download(from: Address, to: ArrayBufferView): Promise<void> {
    this.#refuseWhileRecording('a download');
    await this.#downloads.download(from, to);
  }

  copy(to: Address, from: Address, bytes: number): void {
    if (bytes > 0) this.#driver.copyOnDevice(to, from, bytes, this.#stream);
  }

  compile(source: string, names: readonly string[]): Kernel[] {
    return this.#kernels.compile(source, names);
  }

  launch(kernel: Kernel, blocks: number, threads: number, addresses: readonly Address[]): void {
    this.#kernels.launch(kernel, blocks, threads, addresses);
  }

  multiply(product: Product, precision: ProductPrecision): void {
    this.#products.multiply(product, precision);
  }

  record(work: () => void): RecordedGraph {
    this.#refuseWhileRecording('another recording');
    const executable = this.#instantiate(this.#capture(work));
    this.#graphs.add(executable);
    return {
      launch: () => this.#driver.graphLaunch(executable, this.#stream),
      release: () => {
        if (this.#graphs.delete(executable)) this.#driver.graphExecutableDestroy(executable);
      },
    };
  }

  #capture(work: () => void): number {
    this.#driver.beginCapture(this.#stream, relaxed);
    this.#isRecording = true;
    try {
      work();
    } catch (error) {
      this.#isRecording = false;
      this.#endFailedCapture();
      throw error;
    }
    this.#isRecording = false;
    return made((out) => this.#driver.endCapture(this.#stream, out));
  }

  /** What the work threw tells more than that its recording is void. */
  #endFailedCapture(): void {
    try {
      this.#driver.graphDestroy(made((out) => this.#driver.endCapture(this.#stream, out)));
    } catch {
      // void already
    }
  }

  #instantiate(graph: number): number {
    try {
      return made(this.#driver.graphInstantiate, graph, 0);
    } finally {
      this.#driver.graphDestroy(graph);
    }
  }

  #refuseWhileRecording(what: string): void {
    if (this.#isRecording) throw new Error(`${what} cannot be part of a recording`);
  }

  async synchronise(): Promise<void> {
    this.#refuseWhileRecording('waiting');
    await whenDone(() => this.#driver.streamIsDone(this.#stream));
  }

  dispose(): void {
    this.#driver.streamSynchronize(this.#stream);
    for (const graph of this.#graphs) this.#driver.graphExecutableDestroy(graph);
    for (const address of this.#allocated) this.#driver.memoryFree(address);
    for (const part of [this.clock, this.#uploads, this.#downloads, this.#products, this.#kernels]) part.dispose();
    this.#driver.streamDestroy(this.#stream);
    this.#driver.primaryContextRelease(this.#device);
  }
}
