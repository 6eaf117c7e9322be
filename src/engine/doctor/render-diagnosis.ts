/** A diagnosis as an aligned list for the terminal. */
import { counted } from '../../shared/costs/numbers.js';
import type { CudaReadiness } from '../cuda/readiness.js';
import type { Diagnosis, EngineState } from './diagnosis.js';
import type { Machine } from './machine.js';

export function renderDiagnosis({ versions, machine, engines, cuda, automatic }: Diagnosis): string {
  const choice = automatic ? `${automatic.engine} on ${automatic.device}` : 'nothing works here: see above';
  const works = engines.some(({ device, result }) => device === 'webgpu' && result.works);
  const ownWorks = engines.some(({ engine, result }) => engine === 'nvidia' && result.works);
  const gpuRow: Row[] = works ? [['--device webgpu', 'onnxruntime on the GPU, if asked for']] : [];
  return [
    section('Machine', describe(machine)),
    section('Versions', Object.entries(versions)),
    section('Engines', engines.flatMap(describeEngine)),
    section(ownWorks ? 'CUDA for --engine onnxruntime' : 'CUDA', describeCuda(cuda)),
    section('Choice', [['--engine auto', choice], ...gpuRow]),
  ].join('\n\n');
}

type Row = readonly [label: string, text: string];

const labelWidth = 21;

function section(title: string, rows: readonly Row[]): string {
  return [title, ...rows.map(([label, text]) => `  ${label.padEnd(labelWidth)} ${text}`)].join('\n');
}

function describe({ platform, processor, cores, instructionSets, memory }: Machine): Row[] {
  const limit = memory.limit === undefined ? '' : `, limited to ${gibibytes(memory.limit)}`;
  return [
    ['platform', platform],
    ['processor', `${processor}, ${counted(cores, 'thread')}`],
    ['instruction sets', instructionSets?.join(' ') ?? 'not told by this system'],
    ['memory', `${gibibytes(memory.total)}, ${gibibytes(memory.available)} available${limit}`],
  ];
}

function describeEngine({ engine, device, result, remedy }: EngineState): Row[] {
  const label = device === 'any' ? engine : `${engine} ${device}`;
  const state = result.works ? `works on ${result.uses}, version ${result.version}` : `no: ${result.reason.trim()}`;
  const crossing = result.works && result.crossing;
  return [
    [label, state],
    ...(crossing ? [['', `values cross the bus in every step: ${crossing}`] as const] : []),
    ...(remedy ? [['', `-> ${remedy}`] as const] : []),
  ];
}

function describeCuda({ driver, installed, missing }: CudaReadiness): Row[] {
  const cards = driver?.cards.map(({ name, memory, freeMemory, computeCapability }): Row => {
    const facts = [
      ...(memory === undefined ? [] : [gibibytes(memory * 2 ** 20)]),
      ...(freeMemory === undefined ? [] : [`${gibibytes(freeMemory * 2 ** 20)} free`]),
      ...(computeCapability === undefined ? [] : [`compute capability ${computeCapability.toFixed(1)}`]),
    ];
    return ['card', [name, ...facts].join(', ')];
  });
  const newest = driver?.cuda === undefined ? '' : `, for CUDA up to ${driver.cuda}`;
  const provider =
    installed && `ONNX Runtime ${installed.runtime} for CUDA ${installed.cuda}, from ${installed.source}`;
  return [
    ...(cards ?? []),
    ['driver', driver ? `NVIDIA ${driver.version}${newest}` : 'none is loaded'],
    ['provider', provider ?? 'not installed'],
    ...missing.flatMap(({ what, remedy }): Row[] => [
      ['missing', what],
      ['', `-> ${remedy}`],
    ]),
  ];
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
