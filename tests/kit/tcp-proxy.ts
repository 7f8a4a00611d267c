import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export type Direction = 'to-server' | 'to-client';

/** What goes wrong with one connection. Byte positions count from 0 in the bytes of that direction. */
export type ConnectionFault =
  /** After so many bytes both sides lose the connection: by a reset, or by an orderly end. */
  | { readonly kind: 'cut'; readonly direction: Direction; readonly afterBytes: number; readonly how: 'reset' | 'end' }
  /**
   * After so many bytes the receiving side loses the connection and the sending side is not told: what it still sends
   * vanishes, and nothing comes back.
   */
  | { readonly kind: 'half-open'; readonly direction: Direction; readonly afterBytes: number }
  /** After so many bytes nothing more is passed on, and neither side loses the connection. */
  | { readonly kind: 'silence'; readonly direction: Direction; readonly afterBytes: number }
  /** Every piece of bytes waits so long, in order. */
  | { readonly kind: 'delay'; readonly direction: Direction; readonly delayMs: number }
  /** One byte is changed by exclusive-or with `mask`. */
  | { readonly kind: 'corrupt'; readonly direction: Direction; readonly atByte: number; readonly mask: number };

export interface TcpProxyOptions {
  readonly target: { readonly host: string; readonly port: number };
  /** The faults of the nth connection, counted from 0; none when absent. Asked when the connection is accepted. */
  readonly faults?: (connection: number) => readonly ConnectionFault[];
  /** Bytes sent to the server before the client's, such as a PROXY protocol header. */
  readonly preface?: Uint8Array;
}

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Bytes taken from the senders of a direction so far, all connections together. */
  bytesSeen(direction: Direction): number;
  /** Resets every open connection. */
  cutAll(): void;
  close(): Promise<void>;
}

/** Starts a proxy on a free loopback port that can do to a connection what networks do. */
export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const links = new Set<Link>();
  const seen = { 'to-server': 0, 'to-client': 0 };
  let accepted = 0;
  const server: Server = createServer({ allowHalfOpen: true }, (near) => {
    const faults = options.faults?.(accepted) ?? [];
    accepted += 1;
    const far = connect({ ...options.target, allowHalfOpen: true });
    if (options.preface !== undefined) far.write(options.preface);
    const link = new Link(near, far, faults, (direction, bytes) => {
      seen[direction] += bytes;
    });
    links.add(link);
    void link.closed.then(() => links.delete(link));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cutAll = (): void => {
    for (const link of links) link.reset();
  };
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    cutAll();
    await once(server, 'close');
  };
  return {
    port: (server.address() as AddressInfo).port,
    get accepted() {
      return accepted;
    },
    bytesSeen: (direction) => seen[direction],
    cutAll,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** One client connection and its counterpart to the server. */
class Link {
  readonly closed: Promise<unknown>;
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #faults: readonly ConnectionFault[];
  readonly #count: (direction: Direction, bytes: number) => void;
  #isHalfOpen = false;

  constructor(
    near: Socket,
    far: Socket,
    faults: readonly ConnectionFault[],
    count: (direction: Direction, bytes: number) => void,
  ) {
    this.#near = near;
    this.#far = far;
    this.#faults = faults;
    this.#count = count;
    // A broken side shows as its close, which ends the other.
    near.on('error', () => undefined);
    far.on('error', () => undefined);
    near.on('close', () => this.#isHalfOpen || far.destroy());
    far.on('close', () => this.#isHalfOpen || near.destroy());
    this.closed = Promise.all([closing(near), closing(far)]);
    void this.#pump(near, far, 'to-server');
    void this.#pump(far, near, 'to-client');
  }

  reset(): void {
    for (const socket of [this.#near, this.#far]) {
      // A socket that is shutting down cannot be reset; Node would then never let go of it.
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  async #pump(source: Socket, sink: Socket, direction: Direction): Promise<void> {
    const faults = this.#faults.filter((fault) => fault.direction === direction);
    const delayMs = faults.find((fault) => fault.kind === 'delay')?.delayMs ?? 0;
    let position = 0;
    try {
      // Leaving the loop must not close the source: a half-open connection is one that nobody closed.
      for await (const piece of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        this.#count(direction, piece.length);
        const stop = faults.find((fault) => endsWithin(fault, position + piece.length));
        const bytes = stop === undefined ? piece : piece.subarray(0, Math.max(0, stop.afterBytes - position));
        for (const fault of faults) if (fault.kind === 'corrupt') corrupt(bytes, fault.atByte - position, fault.mask);
        position += piece.length;
        if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
        // Reading stops until the receiver takes more: back-pressure passes through the proxy.
        if (!sink.write(bytes)) await writable(sink);
        if (stop !== undefined) return await this.#stop(stop, source, sink);
      }
      sink.end();
    } catch {
      // The source broke; its 'close' has ended the other side.
    }
  }

  async #stop(fault: Stop, source: Socket, sink: Socket): Promise<void> {
    // What was let through shall arrive before the connection is lost.
    await new Promise((resolve) => sink.write('', resolve));
    if (fault.kind === 'silence') {
      // The source is read to its end, for a paused one would not notice that the other side went.
    } else if (fault.kind === 'half-open') {
      this.#isHalfOpen = true;
      sink.destroy();
    } else if (fault.how === 'reset') {
      this.reset();
    } else {
      sink.end();
      source.end();
    }
    source.resume();
  }
}

/** Resolves when the socket takes more bytes, or is closed and takes them without a word. */
function writable(sink: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      sink.off('drain', done);
      sink.off('close', done);
      resolve();
    };
    sink.on('drain', done);
    sink.on('close', done);
    if (sink.closed) done();
  });
}

function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

type Stop = Extract<ConnectionFault, { afterBytes: number }>;

function endsWithin(fault: ConnectionFault, position: number): fault is Stop {
  return 'afterBytes' in fault && fault.afterBytes <= position;
}

function corrupt(bytes: Buffer, index: number, mask: number): void {
  const byte = index >= 0 ? bytes[index] : undefined;
  if (byte !== undefined) bytes[index] = byte ^ mask;
}
