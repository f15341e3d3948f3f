package process

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// ended waits for the process and leaves its handle to be closed by Wait.
func ended(pid int) {
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return
	}
	defer windows.CloseHandle(h)                     //nolint:errcheck // nothing depends on the handle any more
	windows.WaitForSingleObject(h, windows.INFINITE) //nolint:errcheck // an error means that there is nothing to wait for
}

// tree is a job object that kills what it holds when its last handle closes,
// so that a killed owner takes the tree along.
type tree struct{ job windows.Handle }

var ntResumeProcess = windows.NewLazySystemDLL("ntdll.dll").NewProc("NtResumeProcess")

// prepare makes the child start suspended: it must be in the job object before
// it can start others.
func prepare(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.CREATE_SUSPENDED}
}

func adopt(cmd *exec.Cmd, id string) (tree, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return tree{}, fmt.Errorf("create job object: %w", err)
	}
	t := tree{job: job}
	info := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	if _, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info))); err != nil {
		return t, fmt.Errorf("set up job object: %w", err)
	}
	h, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE|windows.PROCESS_SUSPEND_RESUME, false, uint32(cmd.Process.Pid))
	if err != nil {
		return t, fmt.Errorf("open process: %w", err)
	}
	defer windows.CloseHandle(h) //nolint:errcheck // nothing depends on the handle any more
	if err := windows.AssignProcessToJobObject(job, h); err != nil {
		return t, fmt.Errorf("assign to job object: %w", err)
	}
	if r, _, _ := ntResumeProcess.Call(uintptr(h)); r != 0 {
		return t, fmt.Errorf("resume process: status %#x", r)
	}
	return t, nil
}

// interrupt cannot be said to a tree without a console.
func (t tree) interrupt() bool { return false }

func (t tree) kill() int {
	if t.job == 0 || windows.TerminateJobObject(t.job, 1) != nil {
		return 0
	}
	return 1
}

func (t tree) close() {
	if t.job != 0 {
		windows.CloseHandle(t.job) //nolint:errcheck // the job object is done
	}
}

// sweep ends the first process if it is still there; the rest went with the
// owner's handle of the job object.
func sweep(r record) int {
	if r.Started == "" || startTime(r.PID) != r.Started {
		return 0
	}
	p, err := os.FindProcess(r.PID)
	if err != nil || p.Kill() != nil {
		return 0
	}
	return 1
}

// bootID: start times are absolute on Windows, so they tell boots apart.
func bootID() string { return "windows" }

func startTime(pid int) string {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return ""
	}
	defer windows.CloseHandle(h) //nolint:errcheck // read only
	var created, exited, kernel, user windows.Filetime
	if windows.GetProcessTimes(h, &created, &exited, &kernel, &user) != nil {
		return ""
	}
	return strconv.FormatInt(created.Nanoseconds(), 10)
}

func signalName(*os.ProcessState) string { return "" }
