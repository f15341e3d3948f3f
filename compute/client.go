package compute

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// Client makes, finds and runs the computes of a workspace. It is safe for use by many goroutines.
type Client struct{ rest *rest.Client }

// NewClient makes the client on the workspace's shared one.
func NewClient(c *rest.Client) *Client { return &Client{rest: c} }

// AllOptions choose the computes of a list.
type AllOptions struct {
	// Kind is the service's word, such as AmlCompute; all others are left out. The service itself cannot choose.
	Kind string
}

// BeginOptions are the choices of what begins a long-running operation.
type BeginOptions struct {
	// ResumeToken continues what an earlier poller began; nothing is sent.
	ResumeToken string
}

func (o *BeginOptions) token() string {
	if o == nil {
		return ""
	}
	return o.ResumeToken
}

func op(verb, name string) string { return fmt.Sprintf("compute: %s %q", verb, name) }

func decode(raw json.RawMessage) (Compute, error) {
	var c Compute
	if len(raw) == 0 {
		return nil, errors.New("the service answered no compute")
	}
	return c, wire.FromREST(raw, &c)
}

// Get reads a compute (Compute_Get).
func (c *Client) Get(ctx context.Context, name string) (Compute, error) {
	var out Compute
	err := c.rest.Do(ctx, &rest.Call{Op: op("get", name), Path: c.rest.Path("computes", name), Group: "computes", Out: &out})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// All yields the computes of the workspace (Compute_List).
func (c *Client) All(ctx context.Context, o *AllOptions) iter.Seq2[Compute, error] {
	kind := ""
	if o != nil {
		kind = o.Kind
	}
	all := rest.All(ctx, c.rest, &rest.Call{Op: "compute: list", Path: c.rest.Path("computes"), Group: "computes"}, decode)
	return func(yield func(Compute, error) bool) {
		for v, err := range all {
			if err == nil && kind != "" && !strings.EqualFold(kind, v.Kind()) {
				continue
			}
			if !yield(v, err) {
				return
			}
		}
	}
}

// BeginCreate makes or attaches a compute, or changes one that exists (Compute_CreateOrUpdate). v is not changed.
// Without a location it is the workspace's; only clusters may be elsewhere.
func (c *Client) BeginCreate(ctx context.Context, v Compute, o *BeginOptions) (*runtime.Poller[Compute], error) {
	return c.put(ctx, "create", v, o)
}

// BeginUpdate changes a compute that was read (Compute_CreateOrUpdate): what the service said and the struct does not
// know is kept.
func (c *Client) BeginUpdate(ctx context.Context, v Compute, o *BeginOptions) (*runtime.Poller[Compute], error) {
	return c.put(ctx, "update", v, o)
}

func (c *Client) put(ctx context.Context, verb string, v Compute, o *BeginOptions) (*runtime.Poller[Compute], error) {
	if v == nil {
		return nil, fmt.Errorf("compute: %s: the compute is nil", verb)
	}
	call := &rest.Call{Op: op(verb, v.ComputeName()), Method: http.MethodPut, Path: c.rest.Path("computes", v.ComputeName()), Group: "computes", ResumeToken: o.token()}
	if call.ResumeToken == "" {
		body, err := c.prepare(ctx, v)
		if err != nil {
			return nil, rest.WithOp(call.Op, err)
		}
		call.Body = body
	}
	return rest.Begin(ctx, c.rest, call, decode)
}

// prepare is a copy of v, checked, with what only the workspace and the disk know filled in.
func (c *Client) prepare(ctx context.Context, v Compute) (Compute, error) {
	if err := check(v); err != nil {
		return nil, err
	}
	place := func(own string, free bool) (string, error) {
		if own != "" && free {
			return own, nil
		}
		w, err := c.rest.Workspace(ctx)
		if err != nil {
			return "", err
		}
		return w.Location, nil
	}
	var err error
	switch v := v.(type) {
	case *Cluster:
		k := *v
		k.Network = c.network(k.Network)
		k.Location, err = place(k.Location, true)
		return &k, err
	case *Instance:
		k := *v
		k.Network = c.network(k.Network)
		k.Location, err = place(k.Location, false)
		return &k, err
	case *Kubernetes:
		k := *v
		k.Location, err = place(k.Location, false)
		return &k, err
	case *VirtualMachine:
		k := *v
		if k.SSH != nil && k.SSH.PrivateKeyFile != "" && k.SSH.PrivateKey == "" {
			key, err := os.ReadFile(k.SSH.PrivateKeyFile)
			if err != nil {
				return nil, fmt.Errorf("ssh_settings.ssh_private_key_file: %w", err)
			}
			ssh := *k.SSH
			ssh.PrivateKey, k.SSH = string(key), &ssh
		}
		k.Location, err = place(k.Location, false)
		return &k, err
	case *SynapseSpark:
		k := *v
		k.Location, err = place(k.Location, false)
		return &k, err
	}
	return v, nil
}

// network makes a resource id of a subnet's name.
func (c *Client) network(n *Network) *Network {
	if n == nil || n.Subnet == "" || strings.HasPrefix(n.Subnet, "/") {
		return n
	}
	return &Network{VNet: n.VNet, Subnet: c.rest.GroupPath("providers", "Microsoft.Network", "virtualNetworks", n.VNet, "subnets", n.Subnet)}
}

var computeName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9-]{0,30}[a-zA-Z0-9]$`)

// check finds what the service would refuse, all of it at once.
func check(v Compute) error {
	var f azureml.Faults
	fault := func(field, format string, a ...any) {
		f = append(f, &azureml.Fault{Field: field, Message: fmt.Sprintf(format, a...)})
	}
	if _, other := v.(*Other); other {
		fault("type", "computes of the kind %s can be read, deleted and detached only", v.Kind())
	}
	if name := v.ComputeName(); !computeName.MatchString(name) {
		fault("name", "%q is no name of a compute: it has 2 to 32 letters, digits and dashes, and begins with a letter", name)
	}
	net := func(n *Network) {
		if n != nil && n.VNet == "" && n.Subnet != "" && !strings.HasPrefix(n.Subnet, "/") {
			fault("network_settings.vnet_name", "is required when subnet is a name and no resource id")
		}
		if n != nil && n.Subnet == "" {
			fault("network_settings.subnet", "is required")
		}
	}
	switch k := v.(type) {
	case *Cluster:
		net(k.Network)
		if k.MinInstances < 0 {
			fault("min_instances", "is %d; zero or more is wanted", k.MinInstances)
		}
		most := k.MaxInstances
		if most == 0 {
			most = 4
		}
		if most < k.MinInstances {
			fault("max_instances", "is %d, below min_instances, which is %d", most, k.MinInstances)
		}
	case *Instance:
		net(k.Network)
		if k.Size == "" {
			fault("size", "is required, such as STANDARD_DS3_V2")
		}
		if d := k.IdleTimeBeforeShutdown; d < 0 || d%time.Minute != 0 {
			if was, err := wire.ParseDuration(k.idle); err != nil || was != d { // the service's own word is sent as it is
				fault("idle_time_before_shutdown", "is %v; whole minutes are wanted", d)
			}
		}
		if k.Schedules != nil {
			for i, s := range k.Schedules.StartStop {
				field := fmt.Sprintf("schedules.compute_start_stop.%d.", i)
				if _, ok := actions.Parse(string(s.Action)); !ok {
					fault(field+"action", "%q is none of %s", s.Action, strings.Join(actions.Values(), ", "))
				}
				if (s.Trigger.Cron == nil) == (s.Trigger.Recurrence == nil) {
					fault(field+"trigger", "either Cron or Recurrence is required, one of them")
				}
			}
		}
	case *Kubernetes:
		id(fault, k.ResourceID)
	case *VirtualMachine:
		id(fault, k.ResourceID)
		if k.SSH == nil {
			fault("ssh_settings", "is required: jobs reach the machine by SSH")
		}
	case *SynapseSpark:
		id(fault, k.ResourceID)
	}
	if len(f) > 0 {
		return f
	}
	return nil
}

func id(fault func(string, string, ...any), id string) {
	if !strings.HasPrefix(strings.ToLower(id), "/subscriptions/") {
		fault("resource_id", "%q is no resource id", id)
	}
}

// BeginDelete deletes a compute and its machines (Compute_Delete). Attached computes are detached by BeginDetach.
func (c *Client) BeginDelete(ctx context.Context, name string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return c.remove(ctx, "delete", name, "Delete", o)
}

// BeginDetach takes an attached compute out of the workspace and leaves its machines alone (Compute_Delete).
func (c *Client) BeginDetach(ctx context.Context, name string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return c.remove(ctx, "detach", name, "Detach", o)
}

func (c *Client) remove(ctx context.Context, verb, name, action string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return rest.Begin(ctx, c.rest, &rest.Call{
		Op: op(verb, name), Method: http.MethodDelete, Path: c.rest.Path("computes", name), Group: "computes",
		Query: url.Values{"underlyingResourceAction": {action}}, ResumeToken: o.token(),
	}, rest.Nothing)
}
