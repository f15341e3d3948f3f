package mlflow

import (
	"context"
	"os"
)

// readSystem samples the machine from /proc.
func readSystem(context.Context) sample {
	s := emptySample()
	if b, err := os.ReadFile("/proc/stat"); err == nil {
		s.cpuBusy, s.cpuTotal = parseProcStat(string(b))
	}
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		s.memoryUsed, s.memoryTotal = parseMeminfo(string(b))
	}
	if b, err := os.ReadFile("/proc/net/dev"); err == nil {
		s.networkReceived, s.networkSent = parseNetDev(string(b))
	}
	s.diskUsed, s.diskFree = readDisk("/")
	return s
}
