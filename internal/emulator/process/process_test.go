//go:build unix

package process

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// TestMain lets the test binary be the owner that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PROCESS_TEST_OWNER"); dir != "" {
		p, err := Start(Spec{ID: "owned", Path: "/bin/sh", Args: []string{"-c", script(dir)}, Env: os.Environ(), Record: filepath.Join(dir, "rec")})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		p.Wait()
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// script starts one child in the group and one outside of it (where setsid is
// on the machine), notes their pids, and stays.
func script(dir string) string {
	return `cd "` + dir + `"
sleep 600 & echo $! >inside
if command -v setsid >/dev/null; then setsid sh -c 'echo $$ >outside; exec sleep 600' & else echo 0 >outside; fi
while [ ! -s outside ]; do sleep 0.01; done
echo $$ >self.tmp; mv self.tmp self
wait`
}

func pid(t *testing.T, dir, name string) int {
	t.Helper()
	var n int
	require.Eventually(t, func() bool {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return false
		}
		n, err = strconv.Atoi(strings.TrimSpace(string(b)))
		return err == nil
	}, 20*time.Second, 5*time.Millisecond)
	return n
}

func gone(t *testing.T, pids ...int) {
	t.Helper()
	for _, p := range pids {
		if p == 0 {
			continue
		}
		require.Eventually(t, func() bool { return startTime(p) == "" }, 10*time.Second, 5*time.Millisecond, "process %d", p)
	}
}

func start(t *testing.T, dir, cmd string, out *os.File) *Process {
	t.Helper()
	p, err := Start(Spec{ID: "t-" + filepath.Base(dir), Path: "/bin/sh", Args: []string{"-c", cmd}, Dir: dir, Env: os.Environ(), Stdout: out, Record: filepath.Join(dir, "rec")})
	require.NoError(t, err)
	return p
}

func TestExitCode(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, "exit 3", nil)
	st := p.Wait()
	require.Equal(t, 3, st.Code)
	require.False(t, st.Success())
	require.Equal(t, "ended with exit code 3", st.String())
	left, err := os.ReadDir(filepath.Join(dir, "rec"))
	require.NoError(t, err)
	require.Empty(t, left, "the record is forgotten when the tree has ended")
}

func TestOutputGoesToTheFile(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	p := start(t, dir, "echo hello; echo $"+Marker, f)
	require.True(t, p.Wait().Success())
	require.NoError(t, f.Close())
	b, err := os.ReadFile(filepath.Join(dir, "log"))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(b), "hello\nt-"+filepath.Base(dir)+"."), string(b))
}

// Two owners on one machine may call their trees the same: the end of one is not the other's.
func TestTreesOfTwoOwners(t *testing.T) {
	begin := func() *Process {
		p, err := Start(Spec{ID: "same", Path: "/bin/sh", Args: []string{"-c", "sleep 600"}, Env: os.Environ(), Record: t.TempDir()})
		require.NoError(t, err)
		t.Cleanup(func() { p.Terminate(0) })
		return p
	}
	one, other := begin(), begin()
	one.Terminate(0)
	select {
	case <-other.Done():
		t.Fatal("it was ended with the other owner's")
	case <-time.After(100 * time.Millisecond):
	}
}

func TestStartOfAMissingProgram(t *testing.T) {
	_, err := Start(Spec{ID: "x", Path: "/no/such/program", Record: t.TempDir()})
	require.ErrorContains(t, err, `process: start "/no/such/program"`)
	_, err = Start(Spec{ID: "a b", Path: "/bin/sh", Record: t.TempDir()})
	require.ErrorContains(t, err, `ID "a b"`)
	_, err = Start(Spec{ID: "a", Path: "/bin/sh"})
	require.ErrorContains(t, err, "Record is empty")
}

func TestRecordThatCannotBeWrittenEndsTheTree(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rec"), nil, 0o600))
	_, err := Start(Spec{ID: "x", Path: "/bin/sh", Args: []string{"-c", "echo $$ >self; sleep 600"}, Dir: dir, Record: filepath.Join(dir, "rec")})
	require.Error(t, err)
}

func TestTerminateEndsTheWholeTree(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, script(dir), nil)
	self, in, out := pid(t, dir, "self"), pid(t, dir, "inside"), pid(t, dir, "outside")
	st := p.Terminate(5 * time.Second)
	require.True(t, st.Terminated)
	require.Equal(t, "SIGTERM", st.Signal)
	gone(t, self, in, out)
}

func TestTerminateKillsWhatDoesNotListen(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, "trap '' TERM; echo $$ >self; while :; do sleep 1; done", nil)
	pid(t, dir, "self")
	st := p.Terminate(50 * time.Millisecond)
	require.Equal(t, "SIGKILL", st.Signal)
}

func TestWhatIsLeftBehindEndsWithTheFirst(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, "sleep 600 & echo $! >inside; exit 0", nil)
	in := pid(t, dir, "inside")
	require.True(t, p.Wait().Success())
	gone(t, in)
}

func TestSweepAfterTheOwnerWasKilled(t *testing.T) {
	dir := t.TempDir()
	exe, err := os.Executable()
	require.NoError(t, err)
	owner := exec.Command(exe)
	owner.Env = append(os.Environ(), "PROCESS_TEST_OWNER="+dir)
	owner.Stderr = os.Stderr
	require.NoError(t, owner.Start())
	self, in, out := pid(t, dir, "self"), pid(t, dir, "inside"), pid(t, dir, "outside")
	require.NoError(t, owner.Process.Kill())
	require.Error(t, owner.Wait())
	swept, err := Sweep(filepath.Join(dir, "rec"))
	require.NoError(t, err)
	require.Len(t, swept, 1)
	require.Equal(t, "owned", swept[0].ID)
	require.Positive(t, swept[0].Killed)
	gone(t, self, in, out)
	swept, err = Sweep(filepath.Join(dir, "rec"))
	require.NoError(t, err)
	require.Empty(t, swept)
}

// A pid that was given out again must not be touched.
func TestSweepLeavesOthersAlone(t *testing.T) {
	dir := t.TempDir()
	other := exec.Command("sleep", "600")
	other.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, other.Start())
	defer func() { require.NoError(t, other.Process.Kill()); require.Error(t, other.Wait()) }()
	for i, r := range []record{
		{ID: "reused", PID: other.Process.Pid, Started: "1", Boot: bootID()},
		{ID: "boot", PID: other.Process.Pid, Started: startTime(other.Process.Pid), Boot: "another"},
	} {
		b, err := json.Marshal(r)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.json", i)), b, 0o600))
	}
	swept, err := Sweep(dir)
	require.NoError(t, err)
	require.Len(t, swept, 2)
	require.NotEmpty(t, startTime(other.Process.Pid))
}

func BenchmarkStartAndWait(b *testing.B) {
	dir := b.TempDir()
	for i := 0; b.Loop(); i++ {
		p, err := Start(Spec{ID: fmt.Sprintf("b%d", i), Path: "/bin/true", Record: dir})
		if err != nil {
			b.Fatal(err)
		}
		p.Wait()
	}
}

func BenchmarkBareStartAndWait(b *testing.B) {
	for b.Loop() {
		if err := exec.Command("/bin/true").Run(); err != nil {
			b.Fatal(err)
		}
	}
}
