import { checkBodies, warnOfBodies } from './check-bodies.ts';
import { checkTraces, warnOfTraces } from './check-traces.ts';
import type { ConfigProblem } from './config.ts';
import { isLoopback } from './loopback.ts';
import type { SettingName, SettingValues } from './settings.ts';

interface Findings {
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

/** What no setting can be judged for alone: half-set options, contradictions, and what a profile permits. */
export function checkTogether(values: SettingValues, given: ReadonlySet<SettingName>): Findings {
  const live = values.OPENMESH_PROFILE === 'live';
  return {
    problems: [
      ...(live ? notInLive(values) : []),
      ...checkTls(values, given),
      ...checkSecretsGiven(values),
      ...checkListeners(values),
      ...checkOrder(values),
      ...checkBodies(values),
      ...checkTraces(values, given),
    ],
    warnings: live ? [...warnInLive(values), ...warnOfBodies(values), ...warnOfTraces(values)] : [],
  };
}

function notInLive(values: SettingValues): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const problem = 'is permitted in the sandbox profile only';
  if (values.OPENMESH_WIRE_RULES === 'sandbox')
    problems.push({ name: 'OPENMESH_WIRE_RULES', problem: `=sandbox ${problem}` });
  if (values.OPENMESH_ADMIN_ROUTES === 'on')
    problems.push({ name: 'OPENMESH_ADMIN_ROUTES', problem: `=on ${problem}` });
  if (values.OPENMESH_MOVABLE_CLOCK === 'on')
    problems.push({ name: 'OPENMESH_MOVABLE_CLOCK', problem: `=on ${problem}` });
  if (values.OPENMESH_AUTH_MODE !== 'full') {
    problems.push({ name: 'OPENMESH_AUTH_MODE', problem: `=${values.OPENMESH_AUTH_MODE} ${problem}` });
  }
  if (values.OPENMESH_TLS === 'off' && !isLoopback(values.OPENMESH_MACHINES_HOST)) {
    problems.push({
      name: 'OPENMESH_TLS',
      problem: '=off is permitted in the sandbox profile or on a loopback OPENMESH_MACHINES_HOST only',
    });
  }
  return problems;
}

function warnInLive(values: SettingValues): ConfigProblem[] {
  const warnings: ConfigProblem[] = [];
  if (values.OPENMESH_NONCE_CHECK === 'off') {
    warnings.push({ name: 'OPENMESH_NONCE_CHECK', problem: '=off lets a stolen token be used again' });
  }
  if (values.OPENMESH_TIMESTAMP_CHECK === 'off') {
    warnings.push({ name: 'OPENMESH_TIMESTAMP_CHECK', problem: '=off lets a token of any age be used' });
  }
  if (values.OPENMESH_TLS === 'server') {
    warnings.push({ name: 'OPENMESH_TLS', problem: '=server does not ask callers for a certificate' });
  }
  return warnings;
}

function checkTls(values: SettingValues, given: ReadonlySet<SettingName>): ConfigProblem[] {
  const mode = values.OPENMESH_TLS;
  const anyTls = ['OPENMESH_TLS_CERTIFICATE_FILE', 'OPENMESH_TLS_KEY_FILE'] as const;
  const mutualOnly = ['OPENMESH_TLS_CRL_FILE', 'OPENMESH_TLS_MISSING_CLIENT_CERTIFICATE'] as const;
  const problems: ConfigProblem[] = [];
  const needs = (name: SettingName): void => {
    if (!given.has(name)) problems.push({ name, problem: `is required with OPENMESH_TLS=${mode}` });
  };
  const refuses = (name: SettingName): void => {
    if (given.has(name)) problems.push({ name, problem: `has no meaning with OPENMESH_TLS=${mode}` });
  };
  if (mode === 'off') [...anyTls, 'OPENMESH_TLS_TICKET_KEY_FILE' as const].forEach(refuses);
  else anyTls.forEach(needs);
  if (mode === 'mutual') needs('OPENMESH_TLS_CA_FILE');
  else ['OPENMESH_TLS_CA_FILE' as const, ...mutualOnly].forEach(refuses);

  const certificateSeen = mode === 'mutual' || values.OPENMESH_TRUSTED_PROXIES !== undefined;
  if (given.has('OPENMESH_CERTIFICATE_MATCH') && values.OPENMESH_CERTIFICATE_MATCH !== 'off' && !certificateSeen) {
    problems.push({
      name: 'OPENMESH_CERTIFICATE_MATCH',
      problem: 'needs OPENMESH_TLS=mutual or OPENMESH_TRUSTED_PROXIES: no certificate would be seen',
    });
  }
  if (values.OPENMESH_PROXY_PROTOCOL === 'v2' && values.OPENMESH_TRUSTED_PROXIES === undefined) {
    problems.push({
      name: 'OPENMESH_PROXY_PROTOCOL',
      problem: '=v2 needs OPENMESH_TRUSTED_PROXIES: anyone could claim any address',
    });
  }
  return problems;
}

function checkSecretsGiven(values: SettingValues): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const inline = values.OPENMESH_SHARED_KEY !== undefined;
  const file = values.OPENMESH_SHARED_KEY_FILE !== undefined;
  const inLedger = values.OPENMESH_SHARED_KEY_PLACE === 'ledger';
  if (inLedger && (inline || file)) {
    const problem = '=ledger needs that neither OPENMESH_SHARED_KEY nor OPENMESH_SHARED_KEY_FILE is set';
    problems.push({ name: 'OPENMESH_SHARED_KEY_PLACE', problem });
  } else if (!inLedger && inline === file) {
    const problem = inline
      ? 'and OPENMESH_SHARED_KEY_FILE are both set: keep one'
      : 'or OPENMESH_SHARED_KEY_FILE is required';
    problems.push({ name: 'OPENMESH_SHARED_KEY', problem });
  }
  if (values.OPENMESH_PROFILE === 'live' && values.OPENMESH_SECRET_KEY_FILE === undefined) {
    problems.push({ name: 'OPENMESH_SECRET_KEY_FILE', problem: 'is required in the live profile' });
  } else if (values.OPENMESH_LEDGER.engine === 'postgres' && values.OPENMESH_SECRET_KEY_FILE === undefined) {
    problems.push({
      name: 'OPENMESH_SECRET_KEY_FILE',
      problem: 'is required with PostgreSQL: the nodes share one key',
    });
  }
  return problems;
}

function checkListeners(values: SettingValues): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (!isLoopback(values.OPENMESH_OPERATORS_HOST)) {
    problems.push({
      name: 'OPENMESH_OPERATORS_HOST',
      problem: 'must be a loopback address: mutual TLS for operators comes with a later version',
    });
  }
  const port = values.OPENMESH_OPERATORS_PORT;
  if (port !== 0 && port === values.OPENMESH_MACHINES_PORT) {
    problems.push({ name: 'OPENMESH_OPERATORS_PORT', problem: 'must differ from OPENMESH_MACHINES_PORT' });
  }
  return problems;
}

type NumberName = { [Name in SettingName]: SettingValues[Name] extends number ? Name : never }[SettingName];

/** The first of a pair may not be larger than the second. */
const ordered: readonly (readonly [NumberName, NumberName])[] = [
  ['OPENMESH_HEADERS_TIMEOUT_SECONDS', 'OPENMESH_REQUEST_TIMEOUT_SECONDS'],
  ['OPENMESH_INLINE_BODY_BYTES_MAX', 'OPENMESH_CHUNK_BYTES_MAX'],
  ['OPENMESH_CHUNK_BYTES_MAX', 'OPENMESH_MESSAGE_BYTES_MAX'],
  // A message still waiting has its bytes and can be seen; a message that can be seen has its record.
  ['OPENMESH_INBOX_EXPIRY_DAYS', 'OPENMESH_BODY_RETENTION_DAYS'],
  ['OPENMESH_INBOX_EXPIRY_DAYS', 'OPENMESH_HIDE_DAYS'],
  ['OPENMESH_BODY_RETENTION_DAYS', 'OPENMESH_RECORD_RETENTION_DAYS'],
  ['OPENMESH_HIDE_DAYS', 'OPENMESH_RECORD_RETENTION_DAYS'],
  ['OPENMESH_UPLOAD_ABANDONED_DAYS', 'OPENMESH_BODY_RETENTION_DAYS'],
];

function checkOrder(values: SettingValues): ConfigProblem[] {
  return ordered
    .filter(([smaller, larger]) => values[smaller] > values[larger])
    .map(([smaller, larger]) => ({ name: smaller, problem: `must not be larger than ${larger}` }));
}
