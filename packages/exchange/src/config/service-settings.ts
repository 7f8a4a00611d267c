import { readHttpAddress, withoutSlash } from './http-address.ts';
import {
  choice,
  file,
  optionalSetting,
  type Parsed,
  type SettingKind,
  secret,
  setting,
  visibleText,
  wholeNumber,
} from './setting.ts';

/** Who is asked at which practice a patient is registered. */
export type DemographicsPlace =
  | { readonly kind: 'off' }
  | { readonly kind: 'fhir'; readonly url: string }
  /** Absolute path of a local register. */
  | { readonly kind: 'file'; readonly path: string };

function readHttps(text: string): string | undefined {
  const url = readHttpAddress(text);
  return url?.protocol === 'https:' ? withoutSlash(url) : undefined;
}

/** An https address without name, password, query and fragment. */
function httpsAddress(): SettingKind<string> {
  return {
    type: 'place',
    unit: '',
    limits: 'https address',
    parse(text): Parsed<string> {
      const value = readHttps(text);
      return value === undefined
        ? { ok: false, problem: 'must be an https address without password, query and fragment' }
        : { ok: true, value };
    },
  };
}

function demographicsPlace(): SettingKind<DemographicsPlace> {
  const asFile = file();
  return {
    type: 'place',
    unit: '',
    limits: 'off, fhir:https://…/FHIR/R4, or file:PATH',
    parse(text): Parsed<DemographicsPlace> {
      if (text === 'off') return { ok: true, value: { kind: 'off' } };
      const url = text.startsWith('fhir:') ? readHttps(text.slice('fhir:'.length)) : undefined;
      if (url !== undefined) return { ok: true, value: { kind: 'fhir', url } };
      const place = /^file:(?!\/\/(?!\/))(.+)$/.exec(text)?.[1];
      const path = place === undefined ? undefined : asFile.parse(place);
      if (path?.ok === true) return { ok: true, value: { kind: 'file', path: path.value } };
      return { ok: false, problem: 'must be off, fhir: with an https address, or file:PATH' };
    },
  };
}

/** How fast callers may ask us. */
export const lookups = {
  OPENMESH_LOOKUPS_PER_SECOND: setting(wholeNumber('requests/s', 0, 1_000_000), {
    default: 5,
    help: 'The steady rate of lookups under one client certificate, whatever address they come from, ten times as many at once; 0 turns the limit off.',
  }),
};

/** The services the exchange asks: demographics and organisation data. */
export const services = {
  OPENMESH_DEMOGRAPHICS: setting(demographicsPlace(), {
    default: 'off',
    help: "Who says at which practice a patient is registered, for messages to a patient's practice: the FHIR R4 demographics API, or a local register in a file. Off refuses such messages.",
  }),
  OPENMESH_DEMOGRAPHICS_REQUESTS_PER_SECOND: setting(wholeNumber('requests/s', 1, 1000), {
    default: 5,
    help: 'The rate agreed with the demographics service.',
  }),
  OPENMESH_DEMOGRAPHICS_ORGANISATION: optionalSetting(visibleText(10), {
    help: 'The ODS code of the organisation on whose behalf the demographics service is asked.',
  }),
  OPENMESH_SURNAME_MATCH: setting(choice('first-three', 'full'), {
    default: 'first-three',
    help: "How much of a patient's surname must agree with the record: its first three letters, or all.",
  }),
  OPENMESH_ROUTING_HOURS_MAX: setting(wholeNumber('h', 1, 72), {
    default: 4,
    help: 'How long a message waits for the demographics service before its sender is told that it could not be routed.',
  }),
  OPENMESH_ORGANISATIONS: optionalSetting(httpsAddress(), {
    help: 'The organisation data API (FHIR R4) that keeps the directory current; without it the directory is what was loaded from files.',
  }),
  OPENMESH_ORGANISATIONS_REFRESH_HOURS: setting(wholeNumber('h', 1, 168), {
    default: 24,
    help: 'How often the directory asks for what has changed.',
  }),
  OPENMESH_SERVICES_TOKEN_URL: optionalSetting(httpsAddress(), {
    help: 'Where a signed client assertion is exchanged for a token. Required with demographics by FHIR.',
  }),
  OPENMESH_SERVICES_API_KEY: optionalSetting(secret(1024), {
    help: "This application's API key with the services. Either this or the file.",
  }),
  OPENMESH_SERVICES_API_KEY_FILE: optionalSetting(file(), { help: 'The same in a file of one line.' }),
  OPENMESH_SERVICES_KEY_ID: optionalSetting(visibleText(256), {
    help: 'The key id under which the public half of the signing key was registered. Required with demographics by FHIR.',
  }),
  OPENMESH_SERVICES_KEY_FILE: optionalSetting(file(), {
    help: 'The RSA key, PEM, that signs client assertions. Required with demographics by FHIR.',
  }),
  OPENMESH_SERVICES_CA_FILE: optionalSetting(file(), {
    help: "The authorities, PEM, of the services' certificates; without it those the system trusts.",
  }),
  OPENMESH_SERVICES_TIMEOUT_SECONDS: setting(wholeNumber('s', 1, 120), {
    default: 20,
    help: 'How long an answer of a service is waited for.',
  }),
};
