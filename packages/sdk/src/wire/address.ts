import { clientError } from '../errors/client-errors.ts';

/** Where requests go. */
export interface ServiceAddress {
  readonly isSecure: boolean;
  readonly hostname: string;
  readonly port: number;
  /** Before `/messageexchange`; empty unless the service lies behind a gateway's own path. */
  readonly pathPrefix: string;
  /** Scheme, host and port, for texts and saved states. */
  readonly origin: string;
}

const BASE_PATH = '/messageexchange';
const loopback = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/** Reads a URL, with or without `/messageexchange`. Throws `invalid-option` for what is none. */
export function readServiceAddress(url: string): ServiceAddress {
  const parsed = parseUrl(url);
  if (parsed === undefined || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')) {
    throw clientError('invalid-option', 'configure', { detail: 'url must begin with https:// or http://' });
  }
  if (parsed.username !== '' || parsed.password !== '' || parsed.search !== '' || parsed.hash !== '') {
    throw clientError('invalid-option', 'configure', {
      detail: 'url must be no more than scheme, host, port and path',
    });
  }
  const path = parsed.pathname.replace(/\/+$/, '');
  const isSecure = parsed.protocol === 'https:';
  return {
    isSecure,
    hostname: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? (isSecure ? 443 : 80) : Number(parsed.port),
    pathPrefix: path.endsWith(BASE_PATH) ? path.slice(0, -BASE_PATH.length) : path,
    origin: parsed.origin,
  };
}

/** True when what is sent to `hostname` does not leave the machine. */
export function isLoopback(hostname: string): boolean {
  return loopback.test(hostname);
}

/** A proxy and the header that names its user. */
export interface ProxyAddress {
  readonly hostname: string;
  readonly port: number;
  readonly authorization: string | undefined;
}

const proxyPortDefault = 3128;

/** Reads `http://[user:password@]host:port`. Throws `invalid-option`, without the text, which may hold a password. */
export function readProxyAddress(url: string): ProxyAddress {
  const parsed = parseUrl(url);
  if (parsed?.protocol !== 'http:' || parsed.hostname === '' || !/^\/?$/.test(parsed.pathname)) {
    throw clientError('invalid-option', 'configure', { detail: 'proxy must read http://[user:password@]host:port' });
  }
  const user = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`;
  return {
    hostname: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? proxyPortDefault : Number(parsed.port),
    authorization: parsed.username === '' ? undefined : `Basic ${Buffer.from(user).toString('base64')}`,
  };
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
