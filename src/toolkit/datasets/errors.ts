// Errors of datasets.
import { QuatiError } from '../../inference/errors.js';

/** A .npy file is malformed or not supported, or its length does not match its header. */
export class NpyError extends QuatiError {}

/** An IDX file is malformed or not supported, or its length does not match its header. */
export class IdxError extends QuatiError {}

/** A file of CIFAR-10's binary version is missing, cut off, or has a label above 9. */
export class CifarBinaryError extends QuatiError {}

/** The folder holds no prepared dataset. The message names the command that makes it. */
export class DatasetMissingError extends QuatiError {}

/** The files of a prepared dataset contradict its dataset.json or each other. */
export class DatasetDamagedError extends QuatiError {}

/** The package of a dataset could not be fetched, because npm, the network or the package is missing. */
export class DownloadError extends QuatiError {}

/** The fetched files are not the expected ones: a checksum differs or a file is missing. */
export class IntegrityError extends QuatiError {}

/** The layout of a folder shows no categories, or images are missing. */
export class FolderError extends QuatiError {}

/** Some files of a folder are not images. The message names them. */
export class BadImagesError extends QuatiError {}
