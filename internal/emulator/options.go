package emulator

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/container"
)

// Options says what a server serves. Only Dir is required.
type Options struct {
	// Dir holds everything: made with mode 0700 when it is not there.
	Dir string
	// Full makes what is acknowledged survive a power cut, not only the end of the process.
	Full bool
	// Scope is the workspace made at birth. Empty fields default to DefaultScope's.
	Scope arm.Scope
	// Computes are made at birth in Scope. Nil makes one cluster, cpu-cluster, with as many nodes as the machine has cores. They are not made again on a folder that has
	// been used before.
	Computes []Compute
	// Environments says how a job's environment is honoured: "host" (the default), "venv", "strict", "container".
	Environments string
	// Engine is the program that runs containers. Defaults to docker, else podman. EngineArgs are further arguments of its run.
	Engine     string
	EngineArgs []string
	// PassEnv names variables of this process that jobs and deployments inherit besides PATH, HOME, TMPDIR, LANG and SystemRoot.
	PassEnv []string
	// Images maps ready-made images to the command that serves them in online deployments.
	Images map[string][]string
	// NoAuth lets everybody in who reaches the listener. Listen refuses addresses beyond loopback then.
	NoAuth bool
	// OperationDelay is how long a long-running operation without work of its own takes. Defaults to 50 ms, and to none with a Clock, by which it is measured; negative: none, and such calls answer at once.
	OperationDelay time.Duration
	// PageSize is the most items a list answers when the caller does not say. Defaults to 100.
	PageSize int
	// Faults are applied to requests in their order.
	Faults []Fault
	// Clock tells the time of documents, operations, tokens and signatures, and when schedules and computes act. Defaults to time.Now.
	Clock func() time.Time
	moved bool // the clock is not the machine's
	// Logger takes one line for each refused or failed request. Defaults to none.
	Logger *slog.Logger
}

// Compute is a compute at birth.
type Compute struct {
	// Name as jobs say it.
	Name string
	// Instance makes a compute instance instead of a cluster.
	Instance bool
	// Nodes is the most nodes of a cluster. Defaults to the machine's cores; 1 for an instance.
	Nodes int
	// Size is the virtual machine size that documents say. Defaults to STANDARD_DS3_V2.
	Size string
	// IdleTime is how long a node stays without work. Defaults to 120 s.
	IdleTime time.Duration
}

// DefaultScope is the workspace at birth.
var DefaultScope = arm.Scope{Subscription: "00000000-0000-0000-0000-00000000a2e0", ResourceGroup: "local", Workspace: "local"}

func (o *Options) complete() error {
	if o.Dir == "" {
		return errors.New("emulator: Options.Dir is empty")
	}
	for _, p := range []struct {
		field *string
		value string
	}{{&o.Scope.Subscription, DefaultScope.Subscription}, {&o.Scope.ResourceGroup, DefaultScope.ResourceGroup}, {&o.Scope.Workspace, DefaultScope.Workspace}} {
		if *p.field == "" {
			*p.field = p.value
		}
	}
	if err := nameOf(arm.Workspaces, o.Scope.Workspace); err != nil {
		return fmt.Errorf("emulator: Options.Scope: %w", err)
	}
	if o.Computes == nil {
		o.Computes = []Compute{{Name: "cpu-cluster"}}
	}
	seen := map[string]bool{}
	for i := range o.Computes {
		c := &o.Computes[i]
		if err := nameOf(arm.Computes, c.Name); err != nil {
			return fmt.Errorf("emulator: Options.Computes: %w", err)
		}
		if seen[c.Name] {
			return fmt.Errorf("emulator: Options.Computes: %q is there twice", c.Name)
		}
		seen[c.Name] = true
		if c.Nodes < 0 {
			return fmt.Errorf("emulator: Options.Computes: %q: %d nodes are none", c.Name, c.Nodes)
		}
		if c.Nodes == 0 {
			c.Nodes = runtime.NumCPU()
			if c.Instance {
				c.Nodes = 1
			}
		}
		if c.Size == "" {
			c.Size = "STANDARD_DS3_V2"
		}
		if c.IdleTime == 0 {
			c.IdleTime = 2 * time.Minute
		}
	}
	switch o.Environments {
	case "":
		o.Environments = "host"
	case "host", "venv", "strict", "container":
	default:
		return fmt.Errorf("emulator: Options.Environments: %q is none of host, venv, strict, container", o.Environments)
	}
	if o.Environments != "container" && (o.Engine != "" || len(o.EngineArgs) > 0) {
		return fmt.Errorf("emulator: Options.Containers: Options.Environments is %q, and runs no containers", o.Environments)
	}
	if flag, ok := container.CheckArgs(o.EngineArgs); !ok {
		return fmt.Errorf("emulator: Options.Containers.Args: %s is the workspace's own to say", flag)
	}
	if o.OperationDelay == 0 && o.Clock == nil { // a clock that somebody moves may stand still, and with it all who wait for an operation
		o.OperationDelay = 50 * time.Millisecond
	}
	o.OperationDelay = max(o.OperationDelay, 0)
	if o.PageSize <= 0 {
		o.PageSize = 100
	}
	for i := range o.Faults {
		if err := o.Faults[i].check(); err != nil {
			return fmt.Errorf("emulator: Options.Faults[%d]: %w", i, err)
		}
	}
	if o.moved = o.Clock != nil; !o.moved {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}
