// Package blob is the local workspace's blob service: Azure Blob Storage's REST
// protocol for block and append blobs over one folder, and the same blobs as a
// Go API for the packages beside it.
//
// Names, properties and metadata are rows of the store; contents up to 8 KiB are
// rows too, larger ones are files under generated names that say nothing of the
// blob's name. A content is written before the row that names it is committed, and
// the commit is what makes it visible: a crash leaves files that nothing names,
// which the next start removes. A committed file never changes, so that a list of
// blocks is committed by naming their files, without copying.
//
// The exceptions are append blobs and live blobs ([Service.Live], growing logs):
// their one file grows, and what was written stays as it is.
package blob
