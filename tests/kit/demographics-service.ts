import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  type CalendarDate,
  createFhirDemographics,
  createFhirService,
  createHttpsCaller,
  createTokenAccess,
  type Demographics,
  type NhsNumber,
  parseNhsNumber,
  type TraceQuestion,
} from '@openmesh/demographics';
import { type StandIns, startStandIns } from '@openmesh/sandbox/stand-ins/start-stand-ins.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface AdapterChoice {
  readonly requestsPerSecond?: number;
  readonly timeoutMs?: number;
  readonly waitMsMax?: number;
  readonly answerBytesMax?: number;
  /** PEM of the authorities to trust; the stand-in's own when absent. */
  readonly authorities?: string;
  readonly keyId?: string;
  readonly apiKey?: string;
  readonly nowMs?: () => number;
  readonly slept?: number[];
}

/** The stand-ins, and the adapters of the product to talk to them. */
export class StandInWorld implements AsyncDisposable {
  readonly standIns: StandIns;
  readonly #remove: () => Promise<void>;
  readonly #adapters: Demographics[] = [];

  private constructor(standIns: StandIns, remove: () => Promise<void>) {
    this.standIns = standIns;
    this.#remove = remove;
  }

  static async start(nowMs: () => number = Date.now): Promise<StandInWorld> {
    const folder = await temporaryFolder('stand-ins');
    return new StandInWorld(await startStandIns({ folder: folder.path, nowMs }), () => folder.remove());
  }

  setting(name: string): string {
    const value = this.standIns.settings[name];
    if (value === undefined) throw new Error(`the stand-ins set no ${name}`);
    return value;
  }

  /** The FHIR adapter as the exchange builds it. */
  adapter(choice: AdapterChoice = {}): Demographics {
    const caller = createHttpsCaller({
      authorities: choice.authorities ?? readFileSync(this.setting('OPENMESH_SERVICES_CA_FILE'), 'utf8'),
      timeoutMs: choice.timeoutMs ?? 10_000,
      answerBytesMax: choice.answerBytesMax ?? 262_144,
      connectionsMax: 4,
    });
    const clock = { nowMs: choice.nowMs ?? Date.now };
    const credentials = {
      apiKey: choice.apiKey ?? this.setting('OPENMESH_SERVICES_API_KEY'),
      keyId: choice.keyId ?? this.setting('OPENMESH_SERVICES_KEY_ID'),
      privateKey: createPrivateKey(readFileSync(this.setting('OPENMESH_SERVICES_KEY_FILE'))),
    };
    const tokenUrl = new URL(this.setting('OPENMESH_SERVICES_TOKEN_URL'));
    const service = createFhirService({
      baseUrl: new URL(this.setting('OPENMESH_DEMOGRAPHICS').replace(/^fhir:/, '')),
      caller,
      access: createTokenAccess({ caller, tokenUrl, credentials, clock }),
      requestsPerSecond: choice.requestsPerSecond ?? 1000,
      waitMsMax: choice.waitMsMax ?? 1000,
      endUserOrganisation: 'X26',
      clock,
      sleep: (ms) => {
        choice.slept?.push(ms);
        return Promise.resolve();
      },
      random: () => 1,
    });
    const adapter = createFhirDemographics({ service, surnameMatch: 'first-three', clock });
    this.#adapters.push(adapter);
    return adapter;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const adapter of this.#adapters) adapter.close();
    await this.standIns.close();
    await this.#remove();
  }
}

export function questionOf(nhsNumber: string, surname: string, dateOfBirth = '1980-02-29'): TraceQuestion {
  const number: NhsNumber | undefined = parseNhsNumber(nhsNumber);
  if (number === undefined) throw new Error('the test asks for a number that is none');
  return { nhsNumber: number, surname, dateOfBirth: dateOfBirth as CalendarDate };
}
