import { existsSync } from 'node:fs';
import { doctor } from '@openmesh/sdk';
import { journalFileIn, SharedKeyMissing } from '../compose.ts';
import type { Environment } from '../config/build-config.ts';
import type { ClientConfig } from '../config/config.ts';
import { readProxy } from '../config/proxy-ini.ts';
import { describeProblem } from '../config/raw-settings.ts';
import { examineJournal } from '../journal/examine-journal.ts';
import { type Credentials, KeyStoreFault } from '../keystore/credentials.ts';
import { certificatesOf } from '../observe/certificates.ts';
import { checkFolders } from './check-folders.ts';
import type { Finding } from './finding.ts';
import { readCredentials, serviceOptions } from './make-service.ts';

/** Everything that sending and receiving stand on, in the order in which it is needed. Changes nothing. */
export async function runCheck(config: ClientConfig, env: Environment, online: boolean): Promise<readonly Finding[]> {
  const findings: Finding[] = [
    {
      about: 'client',
      name: 'configuration',
      status: 'ok',
      finding: `${config.mailboxes.length} mailbox(es)`,
      fix: undefined,
    },
  ];
  for (const warning of config.warnings) {
    findings.push({
      about: 'client',
      name: 'configuration',
      status: 'warning',
      finding: describeProblem(warning),
      fix: undefined,
    });
  }
  const missing = config.sharedKey === undefined;
  const keyText = new SharedKeyMissing().message;
  findings.push({
    about: 'client',
    name: 'shared-key',
    status: missing ? 'failed' : 'ok',
    finding: missing ? 'is missing' : 'is there',
    fix: missing ? keyText : undefined,
  });
  const file = journalFileIn(config.workPath);
  if (existsSync(file)) {
    const fault = examineJournal(file);
    findings.push({
      about: 'client',
      name: 'journal',
      status: fault === undefined ? 'ok' : 'failed',
      finding: fault === undefined ? 'is whole' : 'cannot be used, and nothing is sent or fetched without it',
      fix: fault,
    });
  }
  const credentials = checkKeys(config, findings);
  for (const mailbox of config.mailboxes) {
    findings.push(...(await checkFolders(mailbox)));
    if (!online || credentials === undefined || config.sharedKey === undefined) continue;
    const choice = {
      config,
      sharedKey: config.sharedKey,
      credentials,
      proxy: readProxy(config.proxyPath, env),
      log: () => undefined,
    };
    const { checks } = await doctor(serviceOptions(choice, mailbox));
    findings.push(...checks.map((check) => ({ about: mailbox.id, ...check })));
  }
  return findings;
}

function checkKeys(config: ClientConfig, findings: Finding[]): Credentials | undefined {
  try {
    const credentials = readCredentials(config);
    const certificates = certificatesOf(credentials, Date.now());
    for (const { name, endsAt, daysLeft } of certificates) {
      const status = daysLeft < 0 ? 'failed' : daysLeft <= config.certificateWarnDays ? 'warning' : 'ok';
      const fix = status === 'ok' ? undefined : 'ask for its successor, and put it into the key store';
      findings.push({
        about: 'client',
        name: `certificate ${name}`,
        status,
        finding: `${daysLeft} days left, until ${endsAt}`,
        fix,
      });
    }
    if (credentials.identity === undefined) {
      const fix = 'a live service wants one: set KeyStorePath, or CertificateFile and KeyFile';
      findings.push({ about: 'client', name: 'certificate client', status: 'warning', finding: 'there is none', fix });
    }
    return credentials;
  } catch (error) {
    if (!(error instanceof KeyStoreFault)) throw error;
    findings.push({
      about: 'client',
      name: 'key-store',
      status: 'failed',
      finding: error.message,
      fix: 'put the key store right; import-keystore says more',
    });
    return undefined;
  }
}
