import { damaged } from './der.ts';

/** The permutation of RFC 2268, section 2: digits of pi. */
const piTable = Buffer.from(
  'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32' +
    'bd8f40eb86b77b0bf09521225c6b4e82' +
    '54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626' +
    '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7' +
    '08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec' +
    'c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731' +
    '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9' +
    '0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad',
  'hex',
);
const blockBytes = 8;
const rotations = [1, 2, 3, 5] as const;

/**
 * RC2 (RFC 2268) in CBC mode with PKCS#7 padding, decryption only: what old PKCS#12 files hide their certificates with,
 * and what OpenSSL 3 no longer knows. It protects nothing; it has to be read.
 */
export function decryptRc2(key: Buffer, iv: Buffer, encrypted: Buffer): Buffer {
  if (encrypted.length === 0 || encrypted.length % blockBytes !== 0) throw damaged();
  const words = expandKey(key);
  const plain = Buffer.alloc(encrypted.length);
  let before = iv;
  for (let at = 0; at < encrypted.length; at += blockBytes) {
    const block = encrypted.subarray(at, at + blockBytes);
    const opened = decryptBlock(words, block);
    for (let index = 0; index < blockBytes; index += 1) plain[at + index] = (opened[index] ?? 0) ^ (before[index] ?? 0);
    before = block;
  }
  const padding = plain.at(-1) ?? 0;
  if (padding < 1 || padding > blockBytes) throw damaged();
  return plain.subarray(0, plain.length - padding);
}

function table(index: number): number {
  return piTable[index & 0xff] ?? 0;
}

function expandKey(key: Buffer): Uint16Array {
  const bytes = Buffer.alloc(128);
  key.copy(bytes);
  const byte = (index: number): number => bytes[index] ?? 0;
  for (let at = key.length; at < 128; at += 1) bytes[at] = table(byte(at - 1) + byte(at - key.length));
  // The effective length is that of the key itself, in whole bytes.
  bytes[128 - key.length] = table(byte(128 - key.length));
  for (let at = 127 - key.length; at >= 0; at -= 1) bytes[at] = table(byte(at + 1) ^ byte(at + key.length));
  return Uint16Array.from({ length: 64 }, (_, index) => bytes.readUInt16LE(index * 2));
}

function decryptBlock(key: Uint16Array, block: Buffer): Buffer {
  const words = Uint16Array.from({ length: 4 }, (_, index) => block.readUInt16LE(index * 2));
  const word = (index: number): number => words[index & 3] ?? 0;
  let next = 63;
  const mix = (): void => {
    for (let index = 3; index >= 0; index -= 1) {
      const turn = rotations[index] ?? 0;
      const turned = ((word(index) >>> turn) | (word(index) << (16 - turn))) & 0xffff;
      const choice = (word(index + 3) & word(index + 2)) + (~word(index + 3) & word(index + 1));
      words[index] = turned - (key[next] ?? 0) - choice;
      next -= 1;
    }
  };
  const mash = (): void => {
    for (let index = 3; index >= 0; index -= 1) words[index] = word(index) - (key[word(index + 3) & 63] ?? 0);
  };
  const rounds = [5, 6, 5] as const;
  rounds.forEach((count, index) => {
    for (let round = 0; round < count; round += 1) mix();
    if (index < rounds.length - 1) mash();
  });
  const plain = Buffer.alloc(blockBytes);
  words.forEach((value, index) => plain.writeUInt16LE(value, index * 2));
  return plain;
}
