import { readFileSync } from 'node:fs';
import { join, win32 } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readXml, type XmlElement } from '../xml/read-xml.ts';
import { installSteps, removeSteps, type ServicePlan, scheduledTask, systemdUnit } from './service-definition.ts';

const shipped = (name: string): string =>
  readFileSync(join(fileURLToPath(new URL('../../service', import.meta.url)), name), 'utf8');
const linux: ServicePlan = {
  program: ['/opt/openmesh-client/openmesh-client'],
  configFile: '/etc/openmesh-client/meshclient.cfg',
  sharedKeyFile: '/etc/openmesh-client/shared-key',
  user: 'openmesh-client',
  folder: '/etc/openmesh-client',
};
const windows: ServicePlan = {
  program: [String.raw`C:\OpenMESH\client\openmesh-client.cmd`],
  configFile: String.raw`C:\MESH-APP-HOME\meshclient.cfg`,
  sharedKeyFile: undefined,
  user: '',
  folder: String.raw`C:\OpenMESH\client`,
};
const textOf = (element: XmlElement, ...path: readonly string[]): string | undefined => {
  const found = path.reduce<XmlElement | undefined>(
    (inside, name) => inside?.children.find((child) => child.name === name),
    element,
  );
  return found?.text;
};

const commands = (steps: ReturnType<typeof removeSteps>): readonly string[] =>
  steps.map((step) => (step.kind === 'run' ? step.command.join(' ') : `${step.kind} ${step.path}`));

describe('the definitions of the service', () => {
  it('are, for the usual places, the ones that the pack carries', () => {
    expect(systemdUnit(linux)).toBe(shipped('openmesh-client.service'));
    expect(scheduledTask(windows)).toBe(shipped('openmesh-client.task.xml'));
  });

  it('keep a unit’s words together and expand nothing in them', () => {
    const odd = { ...linux, program: ['/opt/my node', '--flag'], configFile: '/etc/100% "mesh"/$HOME.cfg' };
    expect(systemdUnit(odd)).toContain(
      String.raw`ExecStart="/opt/my node" --flag run "/etc/100%% \"mesh\"/$$HOME.cfg" --quiet`,
    );
  });

  it('keep a task’s words together, and are XML whatever the paths hold', () => {
    const program = [String.raw`C:\R&D <1>\node.exe`, '--flag', String.raw`C:\Program Files\main.js`];
    const task = readXml(scheduledTask({ ...windows, program, configFile: 'C:\\Ablage für MESH\\' }));
    const exec = ['Actions', 'Exec'] as const;
    expect(textOf(task, ...exec, 'Command')).toBe(String.raw`C:\R&D <1>\node.exe`);
    expect(textOf(task, ...exec, 'Arguments')).toBe(
      String.raw`--flag "C:\Program Files\main.js" run "C:\Ablage für MESH\\" --quiet`,
    );
  });

  it('for Windows restart after a failure, run without a time limit, and may do no more than they need', () => {
    const task = readXml(scheduledTask(windows));
    expect(textOf(task, 'Settings', 'RestartOnFailure', 'Interval')).toBe('PT1M');
    expect(textOf(task, 'Settings', 'ExecutionTimeLimit')).toBe('PT0S');
    expect(textOf(task, 'Settings', 'MultipleInstancesPolicy')).toBe('IgnoreNew');
    expect(textOf(task, 'Principals', 'Principal', 'RunLevel')).toBe('LeastPrivilege');
    const winsw = readXml(shipped('openmesh-client.winsw.xml'));
    expect(textOf(winsw, 'startmode')).toBe('Automatic');
    expect(textOf(winsw, 'delayedAutoStart')).toBe('true');
    expect(textOf(winsw, 'executable')).toBe(String.raw`%BASE%\runtime\node.exe`);
    const entry = String.raw`%BASE%\app\node_modules\@openmesh\client\dist\cli\main.js`;
    const flags = JSON.parse(readFileSync(new URL('../../bin/node-flags.json', import.meta.url), 'utf8')) as string[];
    expect(textOf(winsw, 'arguments')).toContain(`${flags.join(' ')} "${win32.normalize(entry)}" run`);
  });

  it('are brought in and taken away by the commands of each system', () => {
    const onLinux = { platform: 'linux', unitFolder: '/etc/systemd/system', temporaryFolder: '/tmp' } as const;
    const onWindows = { platform: 'win32', unitFolder: '', temporaryFolder: String.raw`C:\Temp` } as const;
    const unit = '/etc/systemd/system/openmesh-client.service';
    expect(commands(installSteps(linux, onLinux, true))).toEqual([
      `write ${unit}`,
      'systemctl daemon-reload',
      'systemctl enable --now openmesh-client',
    ]);
    expect(commands(removeSteps(onLinux))).toEqual([
      'systemctl disable --now openmesh-client',
      `remove ${unit}`,
      'systemctl daemon-reload',
    ]);
    const steps = installSteps(windows, onWindows, true);
    expect(commands(steps)).toEqual([
      String.raw`write C:\Temp\openmesh-client.task.xml`,
      String.raw`schtasks /create /tn OpenMESH\Client /xml C:\Temp\openmesh-client.task.xml /f`,
      String.raw`remove C:\Temp\openmesh-client.task.xml`,
      String.raw`schtasks /run /tn OpenMESH\Client`,
    ]);
    expect(steps[0]).toMatchObject({ bytes: expect.objectContaining({ 0: 0xff, 1: 0xfe }) });
    expect(commands(removeSteps(onWindows))).toEqual([
      String.raw`schtasks /end /tn OpenMESH\Client`,
      String.raw`schtasks /delete /tn OpenMESH\Client /f`,
    ]);
  });
});
