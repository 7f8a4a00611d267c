import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Access,
  createFhirDemographics,
  createFhirService,
  createHttpsCaller,
  createKeyAccess,
  createTokenAccess,
  type Demographics,
  type FhirService,
} from '@openmesh/demographics';
import type { Config } from '../config/config.ts';
import type { MachineClock } from './clocks.ts';
import { openWatchedRegister, type WatchedRegisterOptions } from './watched-register.ts';

/** The services the exchange asks; undefined where it is told of none. */
export interface Services {
  readonly demographics: Demographics | undefined;
  readonly organisations: FhirService | undefined;
  close(): void;
}

const patientBytesMax = 1024 * 1024;
/** A page of a thousand organisations takes some three megabytes. */
const organisationsBytesMax = 16 * 1024 * 1024;
const connectionsMax = 8;
const waitMsMax = 5000;
const organisationsPerSecond = 5;

/** Chooses who answers. Rejects with `RegisterFault` when a local register cannot be read. */
export async function openServices(
  config: Config,
  clock: MachineClock,
  registerTold: WatchedRegisterOptions['told'],
): Promise<Services> {
  const demographics = await openDemographics(config, clock, registerTold);
  const organisations = openOrganisations(config, clock);
  return {
    demographics,
    organisations,
    close() {
      demographics?.close();
      organisations?.close();
    },
  };
}

async function openDemographics(
  { services }: Config,
  clock: MachineClock,
  told: WatchedRegisterOptions['told'],
): Promise<Demographics | undefined> {
  const { demographics: place, surnameMatch } = services;
  switch (place.kind) {
    case 'off':
      return undefined;
    case 'file':
      return openWatchedRegister({ path: place.path, surnameMatch, clock, told });
    case 'fhir': {
      const { signing, apiKey, demographicsPerSecond: requestsPerSecond } = services;
      if (signing === undefined || apiKey === undefined)
        throw new Error('access to a service was let through half-set');
      const caller = openCaller(services, patientBytesMax);
      const credentials = {
        apiKey: apiKey.reveal(),
        keyId: signing.keyId,
        privateKey: createPrivateKey(readFileSync(signing.keyFile)),
      };
      const access = createTokenAccess({ caller, tokenUrl: new URL(signing.tokenUrl), credentials, clock });
      const service = openService(services, { url: place.url, caller, access, requestsPerSecond, clock });
      return createFhirDemographics({ service, surnameMatch, clock });
    }
  }
}

function openOrganisations({ services }: Config, clock: MachineClock): FhirService | undefined {
  const { organisationsUrl: url, apiKey } = services;
  if (url === undefined || apiKey === undefined) return undefined;
  const caller = openCaller(services, organisationsBytesMax);
  const access = createKeyAccess(apiKey.reveal());
  return openService(services, { url, caller, access, requestsPerSecond: organisationsPerSecond, clock });
}

type Caller = ReturnType<typeof createHttpsCaller>;

function openCaller({ caFile, timeoutMs }: Config['services'], answerBytesMax: number): Caller {
  const authorities = caFile === undefined ? undefined : readFileSync(caFile, 'utf8');
  return createHttpsCaller({ authorities, timeoutMs, answerBytesMax, connectionsMax });
}

function openService(
  { endUserOrganisation }: Config['services'],
  parts: {
    readonly url: string;
    readonly caller: Caller;
    readonly access: Access;
    readonly requestsPerSecond: number;
    readonly clock: MachineClock;
  },
): FhirService {
  const { url, caller, access, requestsPerSecond, clock } = parts;
  return createFhirService({
    baseUrl: new URL(url),
    caller,
    access,
    requestsPerSecond,
    waitMsMax,
    endUserOrganisation,
    clock,
    sleep: (ms) => sleep(ms),
    random: Math.random,
  });
}
