package container

import (
	_ "embed"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/process"
)

// Run says what runs in a container.
type Run struct {
	// Name names the container. It must be unique on the machine.
	Name string
	// Image is there already: it is never pulled.
	Image string
	// Job is for those who look at the engine's list.
	Job string
	// Dir is the working folder.
	Dir string
	// Home is HOME where the user of the container is none of the image's.
	Home string
	// Mounts are shown in the container.
	Mounts []Mount
	// Env is NAME=value, over what the image says.
	Env []string
	// Shm is the size of /dev/shm, such as 2g; "" is the engine's default.
	Shm string
	// Args are further arguments of the engine's run.
	Args []string
	// Line is what a shell runs: bash, or sh where there is no bash. Command is
	// what runs without one, when Line is empty.
	Line    string
	Command []string
}

// Mount is a folder or file of this machine in a container.
type Mount struct {
	From, To string
	ReadOnly bool
}

// keeper is the first process of each container.
//
//go:embed keeper.sh
var keeper string

// label is the one that containers of an owner carry.
const label = "azureml.local.owner"

// arguments are those of the engine, and the variables that it needs for them
// besides its own: tokens and passwords are not for the list of processes.
func (e *Engine) arguments(r *Run, stdin bool) (args, env []string) {
	args = []string{"run", "--rm", "--name", r.Name, "--label", label + "=" + e.Owner, "--label", "azureml.local.run=" + r.Job, "--label", "azureml.local.boot=" + process.Boot(), "--pull", "never", "--log-driver", "none"}
	if stdin {
		args = append(args, "--interactive")
	}
	if e.Machine {
		if !e.Podman && runtime.GOOS == "linux" {
			args = append(args, "--add-host", e.HostName()+":host-gateway")
		}
	} else {
		// Folders of jobs have no labels of SELinux that a container may read.
		args = append(args, "--network", "host", "--security-opt", "label=disable")
	}
	user := "0:0"
	if uid := os.Getuid(); uid > 0 && !e.Rootless && !e.Machine {
		user = strconv.Itoa(uid) + ":" + strconv.Itoa(os.Getgid())
		if r.Home != "" && !slices.ContainsFunc(r.Env, func(v string) bool { return strings.HasPrefix(v, "HOME=") }) {
			args = append(args, "--env", "HOME="+r.Home)
		}
	}
	args = append(args, "--user", user)
	if r.Shm != "" {
		args = append(args, "--shm-size", r.Shm)
	}
	for _, m := range r.Mounts {
		v := m.From + ":" + m.To
		if m.ReadOnly {
			v += ":ro"
		}
		args = append(args, "--volume", v)
	}
	seen := map[string]bool{}
	for _, v := range slices.Backward(r.Env) { // the last of a name counts, as for processes
		name, _, _ := strings.Cut(v, "=")
		if name == "" || seen[name] {
			continue
		}
		seen[name] = true
		if engineReads(name) {
			args = append(args, "--env", v)
			continue
		}
		args, env = append(args, "--env", name), append(env, v)
	}
	args = append(args, "--workdir", r.Dir, "--entrypoint", "sh")
	args = append(append(args, e.Args...), r.Args...)
	args = append(args, r.Image, "-c", keeper, "sh")
	if r.Line != "" {
		return append(args, "line", r.Line), env
	}
	return append(append(args, "words"), r.Command...), env
}

// engineReads is true of variables that mean something to the engine itself, which
// must not get a job's.
func engineReads(name string) bool {
	n := strings.ToUpper(name)
	for _, p := range []string{"DOCKER", "CONTAINER", "BUILD", "XDG_", "LD_", "DYLD_", "GO", "SSL_", "TMP", "TEMP", "STORAGE_", "REGISTRY_AUTH", "NOTIFY_", "LISTEN_", "_", "COMPOSE_", "OTEL_"} {
		if strings.HasPrefix(n, p) {
			return true
		}
	}
	_, has := os.LookupEnv(name)
	return has || strings.HasSuffix(n, "_PROXY") || slices.Contains([]string{"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "PWD", "HOSTNAME"}, n)
}

// ownArgs are flags that containers of jobs have from here alone.
var ownArgs = []string{"--name", "--detach", "-d", "--entrypoint", "--rm", "--cidfile", "--restart", "--label-file", "--tty", "-t", "--interactive", "-i", "--sig-proxy", "--attach", "-a", "--pull", "--log-driver"}

// CheckArgs refuses arguments of run that would take the container from its job.
// flag is the first of them.
func CheckArgs(args []string) (flag string, ok bool) {
	for _, a := range args {
		name, _, _ := strings.Cut(a, "=")
		if slices.Contains(ownArgs, name) {
			return name, false
		}
		// -dit is three flags in one word
		if len(name) > 1 && name[0] == '-' && name[1] != '-' && strings.Trim(name[1:], "ditPq") == "" && strings.ContainsAny(name, "dit") {
			return name, false
		}
	}
	return "", true
}

// Inside is a path of this machine as containers have it: the same, but on Windows.
func Inside(path string) string {
	if len(path) > 2 && path[1] == ':' && (path[2] == '\\' || path[2] == '/') {
		return "/" + strings.ToLower(path[:1]) + strings.ReplaceAll(path[2:], `\`, "/")
	}
	return path
}
