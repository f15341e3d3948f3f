// Package emulator is the local workspace's server: one HTTP handler that stands for every host of Azure Machine Learning.
//
// A request passes, in this order, the guard (who may talk to this server at all), the faults that tests ask for, and the dispatch by host (in process) or by the first
// segments of the path (over the port) to one of the planes: the resource manager and the regional API, whose routes are one table (see Routes), the blob service,
// tracking, and scoring.
//
// Documents are kept with Azure's own addresses. What leaves over the port is rewritten to the address that the caller used, and what comes in is rewritten back;
// in process nothing is rewritten.
package emulator
