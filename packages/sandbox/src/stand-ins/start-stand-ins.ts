import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createDevAuthority, tlsPolicy } from '@openmesh/exchange';
import { createDemographicsStandIn } from './demographics.ts';
import { commit, createFaultQueue, type FaultQueue } from './faults.ts';
import { readRequest, type StandIn, type StandInAnswer } from './json-answer.ts';
import { createOrganisationsStandIn, type FixtureOrganisation, readOrganisations } from './organisations.ts';
import { type FixturePatient, readPatients } from './patients.ts';
import { createTokenStandIn } from './tokens.ts';

/** Services that stand in for the national ones on this machine: true TLS, true tokens, patients of no flesh. */
export interface StandIns {
  readonly origin: string;
  /** The settings with which an exchange finds them. */
  readonly settings: Readonly<Record<string, string>>;
  readonly patients: readonly FixturePatient[];
  readonly faults: FaultQueue;
  /** How often each was asked. */
  readonly asked: ReadonlyMap<StandIn['name'], number>;
  /** Ends every token that was given out. */
  endTokens(): void;
  /** Puts other organisations in place of those that are told. */
  tellOrganisations(organisations: readonly FixtureOrganisation[]): void;
  close(): Promise<void>;
}

export interface StandInOptions {
  /** For keys and certificates; made when it is not there. */
  readonly folder: string;
  /** 0 takes a free one. */
  readonly port?: number;
  readonly nowMs?: () => number;
}

const apiKey = 'openmesh-sandbox';
const keyId = 'sandbox-1';
const rsaBits = 2048;
const paths = {
  token: '/oauth2/token',
  demographics: '/personal-demographics/FHIR/R4',
  organisations: '/organisation-data-terminology-api/fhir',
} as const;

/** Starts them all on one loopback port. */
export async function startStandIns(options: StandInOptions): Promise<StandIns> {
  const { folder, port = 0, nowMs = Date.now } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const authority = await createDevAuthority({ folder, now: Date.now });
  const certificate = await authority.server();
  const keyFile = join(folder, 'application-key.pem');
  const publicKey = createPublicKey(await openApplicationKey(keyFile));
  const patients = readPatients();
  let organisations = readOrganisations();
  const tokens = createTokenStandIn({ apiKey, keyId, publicKey }, { path: paths.token, nowMs });
  const faults = createFaultQueue();
  const asked = new Map<StandIn['name'], number>();
  const standIns: readonly StandIn[] = [
    tokens,
    createDemographicsStandIn(patients, { path: paths.demographics, letsIn: (request) => tokens.letsIn(request) }),
    createOrganisationsStandIn(() => organisations, { path: paths.organisations, apiKey }),
  ];
  const server = createServer({
    cert: await readFile(certificate.certificateFile),
    key: await readFile(certificate.keyFile),
    ...tlsPolicy,
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
    serve(standIns, { origin, faults, asked }, incoming, response).catch(() => response.destroy());
  });
  return {
    origin,
    settings: settingsFor(origin, authority.authorityFile, keyFile),
    patients,
    faults,
    asked,
    endTokens: () => tokens.endAll(),
    tellOrganisations(others) {
      organisations = others;
    },
    close: () => close(server),
  };
}

function settingsFor(origin: string, authorityFile: string, keyFile: string): Record<string, string> {
  return {
    OPENMESH_DEMOGRAPHICS: `fhir:${origin}${paths.demographics}`,
    OPENMESH_ORGANISATIONS: `${origin}${paths.organisations}`,
    OPENMESH_SERVICES_TOKEN_URL: `${origin}${paths.token}`,
    OPENMESH_SERVICES_API_KEY: apiKey,
    OPENMESH_SERVICES_KEY_ID: keyId,
    OPENMESH_SERVICES_KEY_FILE: keyFile,
    OPENMESH_SERVICES_CA_FILE: authorityFile,
  };
}

interface Serving {
  readonly origin: string;
  readonly faults: FaultQueue;
  readonly asked: Map<StandIn['name'], number>;
}

async function serve(
  standIns: readonly StandIn[],
  { origin, faults, asked }: Serving,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const request = await readRequest(incoming, origin);
  const standIn = standIns.find(({ path }) => request.url.pathname.startsWith(path));
  if (standIn === undefined) return write({ status: 404, body: '' }, response);
  asked.set(standIn.name, (asked.get(standIn.name) ?? 0) + 1);
  const fault = faults.take(standIn.name);
  if (fault === undefined) write(standIn.answer(request), response);
  else commit(fault, response);
}

function write({ status, headers = {}, body }: StandInAnswer, response: ServerResponse): void {
  response.writeHead(status, { ...headers, 'content-length': String(Buffer.byteLength(body)) });
  response.end(body);
}

/** Made once for a folder: making one takes a good part of a second. */
async function openApplicationKey(file: string): Promise<KeyObject> {
  try {
    return createPrivateKey(await readFile(file, 'utf8'));
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
  }
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: rsaBits });
  await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return privateKey;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
