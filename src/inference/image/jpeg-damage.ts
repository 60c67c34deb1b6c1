// Why the check of a JPEG ends before the end of the file.

/** The image is not whole; the message is for the sender of the file. */
export class JpegDamage extends Error {}

/** The coding is not one that is checked here. */
export class UncheckedCoding extends Error {}
