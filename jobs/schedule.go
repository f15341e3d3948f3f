package jobs

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// Schedule starts something again and again.
type Schedule struct {
	azureml.Meta
	Schema      string            `yaml:"$schema" json:"-"`
	Name        string            `yaml:"name,required" json:"name,ro"`
	DisplayName string            `yaml:"display_name" json:"displayName"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags,null" json:"tags,keep"`
	Properties  map[string]string `yaml:"properties,null" json:"properties,keep"`
	// Trigger says when. Required.
	Trigger Trigger `yaml:"trigger,required" json:"trigger"`
	// Action says what. Required. In a file it is create_job, create_monitor or import_data.
	Action Action `yaml:"-" json:"action"`

	// Enabled is false when the schedule is switched off. See ScheduleClient.BeginEnable.
	Enabled           *bool  `yaml:"is_enabled,ro" json:"isEnabled"`
	ProvisioningState string `yaml:"provisioning_state,ro" json:"provisioningState,ro"`

	doc wire.Document
}

var schedule = wire.Layout{Name: "schedule", Base: "properties", At: wire.Table{"name": "/name"}}

// WireLayout places the fields.
func (Schedule) WireLayout() *wire.Layout { return &schedule }

// WireDocument is what the service answered.
func (s *Schedule) WireDocument() *wire.Document { return &s.doc }

// Action is what a schedule does: *ScheduledJob, *Monitor, *DataImport, *BatchInvocation and, of what the service answers, *UnknownAction.
type Action interface {
	// checkAction reports what is wrong with the action as it stands here.
	checkAction(ctx context.Context, c *checker, s *Schedule)
	// resolveAction gives a copy in which names are ids and local files are uploaded.
	resolveAction(ctx context.Context, r *resolver, s *Schedule) (Action, error)
}

var _ = wire.RegisterSum[Action](&wire.Sum{
	Name: "action", REST: "actionType",
	Arms: []wire.Arm{
		wire.ArmOf[ScheduledJob]("create_job", "CreateJob"),
		wire.ArmOf[Monitor]("create_monitor", "CreateMonitor"),
		wire.ArmOf[DataImport]("import_data", "ImportData"),
		wire.ArmOf[BatchInvocation]("invoke_batch_endpoint", "InvokeBatchEndpoint"),
	},
	Unknown: func() any { return new(UnknownAction) },
})

// actions are the keys of a file that say what a schedule does.
var actions = []string{"create_job", "create_monitor", "import_data"}

// DecodeWire reads the schedule.
func (s *Schedule) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*s = Schedule{}
	if d.Spelling() != wire.YAML {
		d.Plain(n, s)
		return
	}
	d.Plain(n.Without(actions...), s)
	for _, key := range actions {
		at := n.Get(key)
		if at.IsNull() {
			continue
		}
		if s.Action != nil {
			d.At(key).Fault(at, "a schedule does one thing: one of %s", strings.Join(actions, ", "))
			return
		}
		s.Action = readAction(d.At(key), key, at)
	}
	if s.Action == nil {
		d.Fault(n, "what the schedule does is missing: one of %s", strings.Join(actions, ", "))
	}
}

func readAction(d *wire.Decoding, key string, at *wire.Node) Action {
	switch key {
	case "create_job":
		j := new(ScheduledJob)
		d.Into(at, j)
		return j
	case "create_monitor":
		m := new(Monitor)
		d.Into(at, m)
		return m
	}
	i := new(DataImport)
	if file, ok := at.Str(); ok {
		if at = d.Open(at, file); at == nil {
			return i
		}
	}
	d.Into(at, i)
	return i
}

// EncodeWire writes the schedule.
func (s Schedule) EncodeWire(e *wire.Encoding) (any, error) {
	m, err := e.Plain(s)
	if err != nil || e.Spelling() != wire.YAML || s.Action == nil {
		return m, err
	}
	var key string
	switch s.Action.(type) {
	case *ScheduledJob:
		key = actions[0]
	case *Monitor:
		key = actions[1]
	case *DataImport:
		key = actions[2]
	case *BatchInvocation:
		return nil, fmt.Errorf("a schedule that invokes a batch endpoint cannot be written to a file: files have no word for it")
	default:
		return nil, fmt.Errorf("an action of a kind that is not known cannot be written to a file")
	}
	m[key], err = e.Value(s.Action)
	return m, err
}

// UnknownAction is an action of a kind that this version does not know, as the service answered it.
type UnknownAction struct {
	Raw azureml.Raw `yaml:"-" json:"."`
}

// EncodeWire writes what was read.
func (a UnknownAction) EncodeWire(*wire.Encoding) (any, error) {
	return maps.Clone(map[string]any(a.Raw)), nil
}

// DecodeWire keeps what it reads.
func (a *UnknownAction) DecodeWire(_ *wire.Decoding, n *wire.Node) {
	if m, ok := n.Tree().(map[string]any); ok {
		a.Raw = m
	}
}

func (a *UnknownAction) checkAction(context.Context, *checker, *Schedule) {}

func (a *UnknownAction) resolveAction(context.Context, *resolver, *Schedule) (Action, error) {
	return a, nil
}

func (i *DataImport) checkAction(_ context.Context, c *checker, _ *Schedule) {
	for _, f := range i.faults() {
		c.add("import_data."+f.Field, "%s", f.Message)
	}
}

func (i *DataImport) resolveAction(context.Context, *resolver, *Schedule) (Action, error) {
	return i, nil
}

// check reports what is wrong with the schedule.
func (s *Schedule) check(ctx context.Context, c *checker) {
	if !scheduleName.MatchString(s.Name) {
		c.add("name", "%q cannot be a schedule's name: letters, digits, '-' and '_', beginning with a letter or digit, 255 at most", s.Name)
	}
	if s.Trigger == nil {
		c.add("trigger", "a trigger is required: jobs.Cron or jobs.Every")
	} else if f := s.Trigger.fault(); f != "" {
		c.add("trigger", "%s", f)
	}
	if s.Action == nil {
		c.add("action", "what the schedule does is missing: a *jobs.ScheduledJob, *jobs.Monitor, *jobs.DataImport or *jobs.BatchInvocation")
		return
	}
	s.Action.checkAction(ctx, c, s)
}

var scheduleName = jobName
