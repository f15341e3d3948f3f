package process

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

func prepare(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// ended returns when the process has ended, and leaves it to be reaped.
func ended(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return
		}
	}
}

var bootID = sync.OnceValue(func() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
})

// startTime is field 22 of /proc/PID/stat: clock ticks since boot. A process
// that has ended and waits for its parent counts as gone.
func startTime(pid int) string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	// The second field, the name, is in parentheses and may hold anything.
	i := bytes.LastIndexByte(b, ')')
	f := strings.Fields(string(b[i+1:]))
	if i < 0 || len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return ""
	}
	return f[19]
}

// escaped lists the processes that carry the marker and were started after
// first, other than those that begin trees. Those that have ended and are not yet reaped are left out: they have
// no environment any more.
func escaped(id string, first int) []int {
	want := []byte(Marker + "=" + id)
	var out []int
	look := func(pid int) {
		if _, first := mine.Load(pid); first {
			return
		}
		env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
		if err != nil {
			return
		}
		for v := range bytes.SplitSeq(env, []byte{0}) {
			if bytes.Equal(v, want) {
				out = append(out, pid)
				return
			}
		}
	}
	// Pids are given out in rising order: what a short job started lies
	// between its own pid and the newest one, so a few reads are enough.
	last := lastPID()
	if first > 0 && last >= first && last-first < 256 {
		for pid := first; pid <= last; pid++ {
			look(pid)
		}
		return out
	}
	d, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil
	}
	for _, n := range names {
		if pid, err := strconv.Atoi(n); err == nil {
			look(pid)
		}
	}
	return out
}

// lastPID is the pid that was given out last; 0 when unknown.
func lastPID() int {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b))
	if len(f) < 5 {
		return 0
	}
	n, err := strconv.Atoi(f[4])
	if err != nil {
		return 0
	}
	return n
}
