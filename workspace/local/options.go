package local

import (
	"log/slog"
	"time"

	"github.com/azureml-go/azureml/internal/emulator"
	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/workspace"
)

// Options are the choices of Start. Nil, and the zero value, is a workspace in a temporary folder.
type Options struct {
	// Dir keeps the workspace's state. It is made, readable by its owner alone, when it is not there; a second Start on it is refused while the first is open.
	// Defaults to a temporary folder that Close removes.
	Dir string
	// ID names the workspace. Empty fields default to subscription 00000000-0000-0000-0000-00000000a2e0, resource group local, name local.
	ID workspace.ID
	// Computes are there at first start. Defaults to one cluster, cpu-cluster, with a node for each core of the machine. Jobs that name no compute run on serverless
	// compute, which is always there.
	Computes []Compute
	// Environments is how the environments of jobs and deployments are honoured. Defaults to Host.
	Environments Environments
	// Containers says how Container runs jobs. It is refused beside other Environments.
	Containers Containers
	// PassEnv names variables of this process that jobs and deployments inherit, besides PATH, HOME, TMPDIR, LANG and SystemRoot. Credentials (AZURE_*, AZUREML_*, …) are
	// never passed on.
	PassEnv []string
	// Images maps ready-made images of online deployments to the command that serves them on this machine.
	Images map[string][]string
	// Listen is an address and port to listen on from the start: "127.0.0.1:8080", port 0 for any. Defaults to any port of 127.0.0.1, opened when something needs it.
	Listen string
	// Auth says whether callers need the workspace's token. Defaults to AuthOn.
	Auth Auth
	// OperationDelay is how long long-running operations without work of their own take. Defaults to 50 ms, and to none where a Clock
	// is given, by which they are measured: it may stand still. Negative: none, and they answer at once.
	OperationDelay time.Duration
	// PageSize is the most items that a list answers at once when its caller does not say. Defaults to 100.
	PageSize int
	// Faults go wrong on purpose. A request can ask for one of its own by the header x-azureml-fault, whose value is a Fault's Do; ";times=N" behind it bounds it to the first N
	// attempts. Defaults to none.
	Faults []Fault
	// Clock tells the time of documents, operations, tokens and signatures, and when schedules and computes act: a test that moves it makes them. When it jumps over several
	// ticks of a schedule, the last of them runs. Limits of jobs end by it or by the machine's clock, whichever comes first. Defaults to time.Now.
	Clock func() time.Time
	// Logger takes what is refused or fails. Defaults to none.
	Logger *slog.Logger
	// Sync says what acknowledged work survives. Defaults to Normal.
	Sync Sync
}

// Compute is a cluster or an instance at first start.
type Compute struct {
	// Name is what jobs say.
	Name string
	// Instance makes it a compute instance, which runs one job at a time. Defaults to a cluster.
	Instance bool
	// Nodes is the most nodes of a cluster: so many nodes' worth of jobs run at the same time, others queue. Defaults to the machine's cores.
	Nodes int
	// Size is the virtual machine size that the service would say. It changes nothing here. Defaults to STANDARD_DS3_V2.
	Size string
	// IdleTime is how long a node stays without work. Defaults to 120 s.
	IdleTime time.Duration
}

// Environments is how environments are honoured.
type Environments string

const (
	// Host runs on this machine as it is. A job's properties and the first line of its log name the image and the packages that were not provided.
	Host Environments = "host"
	// Venv makes Python environments of conda files and package lists, with uv. What that cannot give is refused by name.
	Venv Environments = "venv"
	// Strict refuses what this machine, as it is, does not give.
	Strict Environments = "strict"
	// Container runs jobs in containers of their environments' images, by docker or podman. See Containers.
	Container Environments = "container"
)

// Containers is how jobs run in containers.
//
// An environment's image is used as it is, and pulled when the engine does not have it; with a conda file an image is built on it once, by the image's own conda; a build
// context is built once for its content. What the engine says of that is the job's azureml-logs/20_image_build_log.txt. The folders of a job are in its container under the paths
// that they have outside; inputs that are mounted for reading can only be read. A job has the image's PATH and HOME and the variables of Azure ML, is root in the container (where
// the engine itself is root's and this process is not, it is this process's user, so that files belong to it), and has this machine's network, or, where the engine keeps its
// containers in a virtual machine (macOS, Windows, Docker Desktop), reaches this machine under the engine's name for it. resources.shm_size (2g unless it is said) and
// resources.docker_args count.
//
// Sweeps, pipelines, parallel steps and batch endpoints run in containers in the same way; each process of a distributed job has a container of its own, all on this machine's
// network. Refused at submission: distributions of type Ray, several processes where the engine has a virtual machine, environments without an image, docker_args that would take
// the container from its job (--name, --rm, --detach, …). Online deployments run as with Host.
//
// What was tried is podman on Linux, as root. With an engine in a virtual machine, jobs are given http://host.docker.internal (podman: host.containers.internal), which MLflow's
// clients take, and workspace.FromEnvironment, which takes literal loopback addresses alone, does not; Go programs of jobs are built for this machine unless the workspace or the
// compute has the tags goos (linux) and goarch.
type Containers struct {
	// Engine is the engine's program, a path or a name in PATH: docker, podman, or one that takes their arguments. Defaults to docker, and to podman where docker is not there or
	// does not answer. Start fails when there is none that does.
	Engine string
	// Args are further arguments of its run command, before those of a job's resources.docker_args: "--gpus=all", "--memory=8g".
	Args []string
}

// Auth says who may call.
type Auth string

const (
	// AuthOn asks every caller for the workspace's token.
	AuthOn Auth = "on"
	// AuthOff lets everybody in who reaches the port; only loopback addresses are listened on then. Storage and scoring keep their signatures and keys.
	AuthOff Auth = "off"
)

// Sync is what acknowledged work survives.
type Sync string

const (
	// Normal survives the end of the process, SIGKILL included.
	Normal Sync = "normal"
	// Full survives a power cut too. It is slower.
	Full Sync = "full"
)

// Fault is something that goes wrong with requests, for tests of what calls them.
type Fault struct {
	// Method it applies to. Defaults to all.
	Method string
	// Path is compared with the whole path, without regard to case; a star stands for any text: "*/jobs/*". In storage it begins with the account. Defaults to all.
	Path string
	// Query must be in the request's query as it was sent, such as "comp=blocklist". Defaults to all.
	Query string
	// Skip lets the first matching requests pass; Times is how many after them fail. Times 0: all of them.
	Skip, Times int
	// Do says what happens:
	//	STATUS[,retry-after=DURATION]   an answer of that status without the request being carried out: 429, 500, 503 …
	//	reset-before                    the connection breaks and nothing was done
	//	reset-after                     the request is carried out and the connection breaks before the answer
	//	truncate[=BYTES]                the body breaks off after so many bytes; defaults to half of it
	//	truncate-request[=BYTES]        so many bytes of the request's body arrive, then the connection breaks; defaults to half of it
	//	latency=DURATION                the request waits so long before it is carried out
	//	slow=DURATION                   the body comes in eight parts with this wait before each
	//	expired-token                   401, as for a token that has expired
	//	expired-sas                     403, as for a shared access signature that has expired
	//	disk-full                       what the request writes finds no space on the disk: 507
	//	operation=DURATION              a long-running operation that the request begins takes so long
	Do string
}

func (o *Options) server(dir string) emulator.Options {
	e := emulator.Options{
		Dir: dir, Full: o.Sync == Full, Scope: arm.Scope{Subscription: o.ID.Subscription, ResourceGroup: o.ID.ResourceGroup, Workspace: o.ID.Name},
		Environments: string(o.Environments), Engine: o.Containers.Engine, EngineArgs: o.Containers.Args, PassEnv: o.PassEnv, Images: o.Images, NoAuth: o.Auth == AuthOff, OperationDelay: o.OperationDelay, PageSize: o.PageSize,
		Clock: o.Clock, Logger: o.Logger,
	}
	for _, c := range o.Computes {
		e.Computes = append(e.Computes, emulator.Compute(c))
	}
	for _, f := range o.Faults {
		e.Faults = append(e.Faults, emulator.Fault(f))
	}
	return e
}
