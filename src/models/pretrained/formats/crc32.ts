/** The checksum of ZIP members (ISO 3309, reflected polynomial 0xedb88320); Node's own exists from 20.15 on only. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let word = byte;
  for (let bit = 0; bit < 8; bit++) word = word & 1 ? (word >>> 1) ^ 0xedb88320 : word >>> 1;
  return word;
});

export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let index = 0; index < bytes.length; index++) crc = (crc >>> 8) ^ table[(crc ^ bytes[index]!) & 0xff]!;
  return ~crc >>> 0;
}
