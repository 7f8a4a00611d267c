/** What a service manager is to start. Paths are absolute. */
export interface ServicePlan {
  /** The program and its arguments before the client's own. */
  readonly program: readonly string[];
  readonly configFile: string;
  /** A file that holds the shared key; undefined where the configuration or the environment names one. */
  readonly sharedKeyFile: string | undefined;
  /** Account of the service, on Linux. */
  readonly user: string;
  /** Folder it is started in, on Windows. */
  readonly folder: string;
}

export const serviceName = 'openmesh-client';
/** Of the Task Scheduler. */
export const taskName = String.raw`OpenMESH\Client`;

/** A unit for systemd. */
export function systemdUnit({ program, configFile, sharedKeyFile, user }: ServicePlan): string {
  const start = [...program, 'run', configFile, '--quiet'].map(unitWord).join(' ');
  const credential =
    sharedKeyFile === undefined
      ? []
      : [
          '# The shared key: one line in this file, readable by root alone.',
          `LoadCredential=openmesh-shared-key:${unitText(sharedKeyFile)}`,
        ];
  return [
    '# A unit for systemd. "openmesh-client service install" writes it; or copy it to /etc/systemd/system, then:',
    '# systemctl enable --now openmesh-client',
    '[Unit]',
    'Description=OpenMESH folder client',
    'Documentation=file:///opt/openmesh-client/GUIDE.md',
    'After=network-online.target remote-fs.target',
    'Wants=network-online.target',
    '',
    '[Service]',
    '# Node has no datagram sockets of the local kind; systemd-notify, a child, speaks for it.',
    'Type=notify',
    'NotifyAccess=all',
    `ExecStart=${start}`,
    'WorkingDirectory=/var/lib/openmesh-client',
    'StateDirectory=openmesh-client',
    ...credential,
    `User=${user}`,
    'Restart=on-failure',
    'RestartSec=10',
    '# 1 configuration, 3 another client has the folder, 4 key store: starting again would not help.',
    'RestartPreventExitStatus=1 3 4',
    'TimeoutStartSec=60',
    'TimeoutStopSec=30',
    'UMask=0027',
    'LimitNOFILE=65536',
    'NoNewPrivileges=yes',
    'PrivateTmp=yes',
    'ProtectSystem=full',
    'ProtectKernelTunables=yes',
    'ProtectControlGroups=yes',
    'RestrictSUIDSGID=yes',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

/** A word of a command line in a unit: quoted where it has to be, and nothing in it is expanded. */
function unitWord(word: string): string {
  const plain = unitText(word).replaceAll('$', '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(plain) ? plain : `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function unitText(text: string): string {
  return text.replaceAll('%', '%%');
}

/** A task of Windows' scheduler that runs from the start of the machine and again after a failure. */
export function scheduledTask({ program: [command = '', ...before], configFile, folder }: ServicePlan): string {
  const words = [...before, 'run', configFile, '--quiet'].map(windowsWord).join(' ');
  return [
    '<Task version="1.4" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">',
    '  <RegistrationInfo>',
    '    <Description>OpenMESH folder client: runs from the start of the machine, and again when it ends.</Description>',
    `    <URI>\\${taskName}</URI>`,
    '  </RegistrationInfo>',
    '  <Triggers>',
    '    <BootTrigger>',
    '      <Enabled>true</Enabled>',
    '      <Delay>PT1M</Delay>',
    '    </BootTrigger>',
    '  </Triggers>',
    '  <Principals>',
    '    <Principal id="Author">',
    '      <UserId>S-1-5-19</UserId>',
    '      <RunLevel>LeastPrivilege</RunLevel>',
    '    </Principal>',
    '  </Principals>',
    '  <Settings>',
    '    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>',
    '    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>',
    '    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>',
    '    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>',
    '    <RestartOnFailure>',
    '      <Interval>PT1M</Interval>',
    '      <Count>999</Count>',
    '    </RestartOnFailure>',
    '  </Settings>',
    '  <Actions Context="Author">',
    '    <Exec>',
    `      <Command>${xmlText(command)}</Command>`,
    `      <Arguments>${xmlText(words)}</Arguments>`,
    `      <WorkingDirectory>${xmlText(folder)}</WorkingDirectory>`,
    '    </Exec>',
    '  </Actions>',
    '</Task>',
    '',
  ].join('\n');
}

/** A word as the programs of Windows take a command line apart: a backslash counts only before a quote. */
function windowsWord(word: string): string {
  if (word !== '' && !/[\s"]/.test(word)) return word;
  return `"${word.replace(/(\\*)"/g, String.raw`$1$1\"`).replace(/(\\+)$/, '$1$1')}"`;
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** One thing to do, in order; what may fail does not keep the others from being done. */
export type ServiceStep =
  | { readonly kind: 'write'; readonly path: string; readonly bytes: Buffer }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'run'; readonly command: readonly [string, ...string[]]; readonly mayFail?: boolean };

export interface ServicePlace {
  readonly platform: NodeJS.Platform;
  /** Where units of systemd lie, and where a definition for Windows is written for a moment. */
  readonly unitFolder: string;
  readonly temporaryFolder: string;
}

export function installSteps(plan: ServicePlan, place: ServicePlace, start: boolean): readonly ServiceStep[] {
  if (place.platform === 'win32') {
    const path = `${place.temporaryFolder}\\openmesh-client.task.xml`;
    // With a mark of its byte order any letter of a path arrives as it is.
    const bytes = Buffer.from(`\u{feff}${scheduledTask(plan)}`, 'utf16le');
    return [
      { kind: 'write', path, bytes },
      { kind: 'run', command: ['schtasks', '/create', '/tn', taskName, '/xml', path, '/f'] },
      { kind: 'remove', path },
      ...(start ? [{ kind: 'run', command: ['schtasks', '/run', '/tn', taskName] } as const] : []),
    ];
  }
  return [
    { kind: 'write', path: unitFile(place), bytes: Buffer.from(systemdUnit(plan)) },
    { kind: 'run', command: ['systemctl', 'daemon-reload'] },
    ...(start ? [{ kind: 'run', command: ['systemctl', 'enable', '--now', serviceName] } as const] : []),
  ];
}

export function removeSteps(place: ServicePlace): readonly ServiceStep[] {
  if (place.platform === 'win32') {
    return [
      { kind: 'run', command: ['schtasks', '/end', '/tn', taskName], mayFail: true },
      { kind: 'run', command: ['schtasks', '/delete', '/tn', taskName, '/f'] },
    ];
  }
  return [
    { kind: 'run', command: ['systemctl', 'disable', '--now', serviceName], mayFail: true },
    { kind: 'remove', path: unitFile(place) },
    { kind: 'run', command: ['systemctl', 'daemon-reload'] },
  ];
}

export function unitFile({ unitFolder }: ServicePlace): string {
  return `${unitFolder}/${serviceName}.service`;
}
