package mlflow

import (
	"context"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
)

// readSystem samples the machine by its own tools: the kernel tells these numbers to C only. top takes a
// second, for it measures over one.
func readSystem(ctx context.Context) sample {
	s := emptySample()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if total, err := unix.SysctlUint64("hw.memsize"); err == nil {
		s.memoryTotal = float64(total)
	}
	if b, err := exec.CommandContext(ctx, "vm_stat").Output(); err == nil {
		s.memoryUsed = parseVMStat(string(b))
	}
	if b, err := exec.CommandContext(ctx, "netstat", "-ibn").Output(); err == nil {
		s.networkReceived, s.networkSent = parseNetstat(string(b))
	}
	if b, err := exec.CommandContext(ctx, "top", "-l", "2", "-n", "0", "-s", "1").Output(); err == nil {
		s.cpuPercent = parseTop(string(b))
	}
	s.diskUsed, s.diskFree = readDisk("/")
	return s
}
