/** Numbers as people read them. */

/** `88.30 %` */
export function formatPercent(percent: number): string {
  return `${percent.toFixed(2)} %`;
}

/** `9.2 MiB` */
export function formatMebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** `6738 million parameters`: four digits. */
export function formatParameters(params: number): string {
  return `${(params / 1e6).toPrecision(4)} million parameters`;
}

/** `1 epoch`, `5 epochs` */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function oneDecimal(value: number): number {
  return Math.round(value * 10) / 10;
}
