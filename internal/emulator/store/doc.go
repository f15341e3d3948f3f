// Package store keeps the local workspace's state in one SQLite file.
//
// There is one writer and there are many readers. Calls of [DB.Update] are
// serialised and share commits: while one commit is under way others queue, and
// the next commit takes all of them, so that many concurrent callers pay for one.
// Each caller's changes stand or fall alone. [DB.View] reads a consistent
// snapshot and never waits for the writer.
//
// An Update that has returned nil survives the end of the process, SIGKILL
// included. With [Options.Full] it survives the loss of power too.
//
// Neither kind of transaction may be held across a wait for the network or a
// process, and an Update must not be called inside another.
package store
