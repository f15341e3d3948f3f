//go:build unix && !linux

package process

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

func prepare(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

func bootID() string {
	out, err := exec.Command("sysctl", "-n", "kern.boottime").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// startTime is what ps says of the process's start.
func startTime(pid int) string {
	out, err := exec.Command("ps", "-o", "lstart=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// escaped lists the processes of this user whose environment, which ps shows
// behind the command, carries the marker. While the owner lives the process
// group is enough for all but what calls setsid, so ps is asked only then.
func escaped(id string, first int) []int {
	if first != 0 {
		return nil
	}
	out, err := exec.Command("ps", "-x", "-E", "-ww", "-o", "pid=,command=").Output()
	if err != nil {
		return nil
	}
	var pids []int
	for line := range strings.Lines(string(out)) {
		pid, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.Atoi(pid); ok && err == nil && strings.Contains(rest+" ", Marker+"="+id+" ") {
			pids = append(pids, n)
		}
	}
	return pids
}
