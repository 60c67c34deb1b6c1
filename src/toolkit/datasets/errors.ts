// What can go wrong between a package on the registry and arrays in memory.
import { QuatiError } from '../../inference/errors.js';

/** A .npy file is malformed, of an unsupported kind, or shorter or longer than its header says. */
export class NpyError extends QuatiError {}

/** An IDX file is malformed, of an unsupported kind, or shorter or longer than its header says. */
export class IdxError extends QuatiError {}

/** A file of CIFAR-10's binary version is missing, cut off, or holds a label beyond 9. */
export class CifarBinaryError extends QuatiError {}

/** No prepared dataset lies in the folder; the message names the command that makes it. */
export class DatasetMissingError extends QuatiError {}

/** A prepared dataset lies in the folder, but its files contradict dataset.json or each other. */
export class DatasetDamagedError extends QuatiError {}

/** The package that holds a dataset could not be fetched: no npm, no network, no such package. */
export class DownloadError extends QuatiError {}

/** What was fetched is not what was pinned: another checksum, or files missing. */
export class IntegrityError extends QuatiError {}

/** A folder is laid out in a way that says nothing of categories, or is short of images. */
export class FolderError extends QuatiError {}

/** Files among a folder's images are no images; the message names them. */
export class BadImagesError extends QuatiError {}
