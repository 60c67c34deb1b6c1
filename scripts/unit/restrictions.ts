// docker/compose.yaml and docker/kubernetes/quati.yaml → the restrictions of the container, and a systemd unit with the same restrictions.
import { parse, parseAllDocuments } from 'yaml';
import type { ImageStart } from './image.js';

export interface Restrictions {
  /** `<user>:<group>`, by number; undefined: the image's. */
  user: string | undefined;
  /** The only writable folders, in memory. A folder without `bytes` has no separate limit. */
  writable: { folder: string; bytes?: number }[];
  memoryBytes: number;
}

interface Compose {
  services: {
    quati: {
      read_only?: boolean;
      cap_drop?: string[];
      security_opt?: string[];
      tmpfs?: string[];
      volumes?: string[];
      mem_limit?: string;
    };
  };
}

interface Deployment {
  kind: string;
  spec: {
    template: {
      spec: {
        securityContext?: {
          runAsNonRoot?: boolean;
          runAsUser?: number;
          runAsGroup?: number;
          seccompProfile?: { type?: string };
        };
        containers: {
          resources?: { limits?: { memory?: string } };
          securityContext?: {
            allowPrivilegeEscalation?: boolean;
            readOnlyRootFilesystem?: boolean;
            capabilities?: { drop?: string[] };
          };
          volumeMounts?: { name: string; mountPath: string }[];
        }[];
        volumes?: { name: string; emptyDir?: { sizeLimit?: string } }[];
      };
    };
  };
}

/** @throws Error if a documented restriction is missing. */
export function composeRestrictions(text: string): Restrictions {
  const { quati } = (parse(text) as Compose).services;
  const need = needing('docker/compose.yaml');
  need('read_only', quati.read_only === true);
  need('cap_drop: [ALL]', quati.cap_drop?.join() === 'ALL');
  need('no-new-privileges', quati.security_opt?.join() === 'no-new-privileges:true');
  const volumes = quati.volumes?.map((volume) => volume.split(':')) ?? [];
  const kept = volumes.flatMap(([, folder, mode]) => (folder !== undefined && mode !== 'ro' ? [folder] : []));
  return {
    user: undefined,
    writable: [...(quati.tmpfs ?? []), ...kept].map((folder) => ({ folder })),
    memoryBytes: bytes(quati.mem_limit),
  };
}

/** @throws Error if a documented restriction is missing. */
export function kubernetesRestrictions(text: string): Restrictions {
  const documents = parseAllDocuments(text).map((document) => document.toJS() as { kind: string });
  const deployment = documents.find(({ kind }) => kind === 'Deployment') as Deployment | undefined;
  const pod = deployment?.spec.template.spec;
  const [container] = pod?.containers ?? [];
  const need = needing('docker/kubernetes/quati.yaml');
  need('runAsNonRoot', pod?.securityContext?.runAsNonRoot === true);
  need('seccompProfile RuntimeDefault', pod?.securityContext?.seccompProfile?.type === 'RuntimeDefault');
  need('allowPrivilegeEscalation: false', container?.securityContext?.allowPrivilegeEscalation === false);
  need('readOnlyRootFilesystem', container?.securityContext?.readOnlyRootFilesystem === true);
  need('capabilities: drop: [ALL]', container?.securityContext?.capabilities?.drop?.join() === 'ALL');
  return {
    user: `${pod?.securityContext?.runAsUser}:${pod?.securityContext?.runAsGroup}`,
    writable: (container?.volumeMounts ?? []).map(({ name, mountPath }) => {
      const volume = pod?.volumes?.find((one) => one.name === name);
      return { folder: mountPath, bytes: bytes(volume?.emptyDir?.sizeLimit) };
    }),
    memoryBytes: bytes(container?.resources?.limits?.memory),
  };
}

function needing(file: string) {
  return (what: string, isThere: boolean) => {
    if (!isThere) throw new Error(`${file}: ${what} is missing`);
  };
}

/** Parses `512m` of Docker and `512Mi` of Kubernetes. */
function bytes(size: string | undefined): number {
  const [, number, unit] = /^(\d+)(m|Mi)$/.exec(size ?? '') ?? [];
  if (number === undefined || unit === undefined) throw new Error(`${size}: expected a size in m or Mi`);
  return Number(number) * 2 ** 20;
}

/**
 * The calls that Docker's default profile refuses to a container without capabilities. Docker's documentation lists them ("Seccomp
 * security profiles for Docker", significant calls that are blocked); io_uring came later. RuntimeDefault of Kubernetes is the profile
 * of containerd or CRI-O, which follow Docker's. Systemd ignores a call that the processor does not have.
 */
const refusedCalls = [
  ...[
    'acct',
    'add_key',
    'bpf',
    'clock_adjtime',
    'clock_settime',
    'create_module',
    'delete_module',
    'finit_module',
  ],
  ...[
    'get_kernel_syms',
    'get_mempolicy',
    'init_module',
    'ioperm',
    'iopl',
    'kcmp',
    'kexec_file_load',
    'kexec_load',
  ],
  ...['keyctl', 'lookup_dcookie', 'mbind', 'mount', 'move_pages', 'nfsservctl', 'open_by_handle_at'],
  ...[
    'perf_event_open',
    'pivot_root',
    'process_vm_readv',
    'process_vm_writev',
    'ptrace',
    'query_module',
    'quotactl',
  ],
  ...[
    'reboot',
    'request_key',
    'set_mempolicy',
    'setns',
    'settimeofday',
    'stime',
    'swapon',
    'swapoff',
    'sysfs',
  ],
  ...['_sysctl', 'umount', 'umount2', 'unshare', 'uselib', 'userfaultfd', 'ustat', 'vm86', 'vm86old'],
  ...['io_uring_setup', 'io_uring_enter', 'io_uring_register'],
];

/** Mounts the files of the package in /opt/quati at the paths to which docker/Dockerfile copies them. */
export function restrictedUnit(
  image: ImageStart,
  { user = image.user, writable, memoryBytes }: Restrictions,
): string {
  const [userId, groupId] = user.split(':');
  const [, ...args] = image.command;
  const installed = '/opt/quati/node_modules';
  const copies = [
    ...['dist', 'package.json'].map((name) => `${installed}/quati/${name}:${image.folder}/${name}`),
    ...[`${installed}:${image.folder}/node_modules`, `${installed}/quati/models:/models`],
  ];
  const folders = writable.map(({ folder, bytes }) => {
    const size = bytes === undefined ? '' : `,size=${bytes}`;
    return `TemporaryFileSystem=${folder}:mode=700,uid=${userId},gid=${groupId}${size}`;
  });
  return `[Service]
ExecStart=/usr/bin/node ${args.join(' ')}
WorkingDirectory=${image.folder}
Environment=${image.variables.join(' ')}
User=${userId}
Group=${groupId}
MemoryMax=${memoryBytes}
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ReadOnlyPaths=/
ReadWritePaths=${writable.map(({ folder }) => folder).join(' ')}
BindReadOnlyPaths=${copies.join(' ')}
${folders.join('\n')}
PrivateDevices=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictAddressFamilies=~AF_VSOCK
SystemCallFilter=~${refusedCalls.join(' ')}
SystemCallFilter=~clone3:ENOSYS
SystemCallErrorNumber=EPERM
`;
}
