// Package execution runs jobs: it checks what a job asks for, queues it for a
// slot of its compute, makes its folder, starts its processes, and keeps what
// they leave.
//
// A job is stored before it is acknowledged. While it is not ended its state
// lives in memory; only the states that matter after a crash (submitted,
// running, ended) are written, so that a job costs few commits. After a crash
// what was running is Failed with that reason, and what was queued is queued
// again.
package execution
