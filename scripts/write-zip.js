// Writes a zip archive of files (APPNOTE 6.3, deflate, no extensions): what the Windows pack is, with no tool to install.
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';

/** 1 January 2026 in the format of DOS, so that the same files give the same archive. */
const dosDate = ((2026 - 1980) << 9) | (1 << 5) | 1;
const utf8Names = 0x0800;
const deflated = 8;

/** `paths` are below `folder`, and are the names in the archive, with forward slashes. */
export function writeZip(file, folder, paths) {
  const descriptor = openSync(file, 'w');
  const entries = [];
  let position = 0;
  const write = (bytes) => {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    position += bytes.length;
  };
  try {
    for (const path of paths) {
      const bytes = readFileSync(join(folder, path));
      const packed = deflateRawSync(bytes);
      const entry = {
        name: Buffer.from(path),
        crc: crc32(bytes),
        size: bytes.length,
        packedSize: packed.length,
        at: position,
      };
      entries.push(entry);
      const header = Buffer.alloc(30);
      header.writeUInt32LE(0x04034b50, 0);
      common(header, 4, entry);
      write(header);
      write(entry.name);
      write(packed);
    }
    const directoryAt = position;
    for (const entry of entries) {
      const header = Buffer.alloc(46);
      header.writeUInt32LE(0x02014b50, 0);
      header.writeUInt16LE(20, 4);
      common(header, 6, entry);
      header.writeUInt32LE(entry.at, 42);
      write(header);
      write(entry.name);
    }
    const directorySize = position - directoryAt;
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(entries.length, 8);
    end.writeUInt16LE(entries.length, 10);
    end.writeUInt32LE(directorySize, 12);
    end.writeUInt32LE(directoryAt, 16);
    write(end);
  } finally {
    closeSync(descriptor);
  }
}

/** The fields that stand alike before an entry and in the directory. */
function common(header, from, { name, crc, size, packedSize }) {
  header.writeUInt16LE(20, from);
  header.writeUInt16LE(utf8Names, from + 2);
  header.writeUInt16LE(deflated, from + 4);
  header.writeUInt16LE(0, from + 6);
  header.writeUInt16LE(dosDate, from + 8);
  header.writeUInt32LE(crc, from + 10);
  header.writeUInt32LE(packedSize, from + 14);
  header.writeUInt32LE(size, from + 18);
  header.writeUInt16LE(name.length, from + 22);
}
