//go:build darwin || freebsd || netbsd || openbsd

package process

import (
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

func prepare(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// ended returns when the process has ended, and leaves it to be reaped.
func ended(pid int) {
	kq, err := unix.Kqueue()
	if err != nil {
		return
	}
	defer unix.Close(kq) //nolint:errcheck // nothing was written to it
	var ev unix.Kevent_t
	unix.SetKevent(&ev, pid, unix.EVFILT_PROC, unix.EV_ADD|unix.EV_ONESHOT)
	ev.Fflags = unix.NOTE_EXIT
	for {
		// ESRCH: it has ended already.
		_, err := unix.Kevent(kq, []unix.Kevent_t{ev}, make([]unix.Kevent_t, 1), nil)
		if err != unix.EINTR {
			return
		}
	}
}

// bootID is the boot's own name, on macOS; the time of the boot, which others tell, moves when the clock is set.
var bootID = sync.OnceValue(func() string {
	if id, err := unix.Sysctl("kern.bootsessionuuid"); err == nil && id != "" {
		return id
	}
	out, err := exec.Command("sysctl", "-n", "kern.boottime").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
})

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
