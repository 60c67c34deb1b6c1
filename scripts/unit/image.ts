// docker/Dockerfile → how its last stage starts the service: command, folder, variables, user.
export interface ImageStart {
  command: string[];
  folder: string;
  /** Each is `NAME=value`. */
  variables: string[];
  /** `<user>:<group>`, by number. */
  user: string;
}

/** @throws Error with the missing instruction. */
export function readImageStart(dockerfile: string): ImageStart {
  const [lastStage = ''] = dockerfile
    .replaceAll('\\\n', ' ')
    .split(/^(?=FROM )/m)
    .slice(-1);
  const instruction = (name: string): string => {
    const found = new RegExp(`^${name} +(.*)$`, 'm').exec(lastStage)?.[1];
    if (found === undefined) throw new Error(`docker/Dockerfile: the last stage has no ${name}`);
    return found.trim();
  };
  const words = (name: string) => JSON.parse(instruction(name)) as string[];
  return {
    command: [...words('ENTRYPOINT'), ...words('CMD')],
    folder: instruction('WORKDIR'),
    variables: instruction('ENV').split(/\s+/),
    user: instruction('USER'),
  };
}
