package wire_test

import (
	"strings"
	"testing"
	"time"

	. "github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/internal/wire/wiretest"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A connection: the credentials choose a field of the object around them.

type connection struct {
	Name        string            `yaml:"name,required" json:"name,ro"`
	Target      string            `yaml:"target" json:"target"`
	Shared      *bool             `yaml:"is_shared" json:"isSharedToAll,default=true"`
	Metadata    map[string]string `yaml:"metadata" json:"metadata,keep"`
	Credentials connCredentials   `yaml:"credentials" json:"."`
	doc         Document
}

var connectionLayout = Layout{Name: "git connection", Base: "properties", At: Table{"name": "/name"}, YAML: Fixed{"type": "git"}, REST: Fixed{"category": "Git"}}

func (connection) WireLayout() *Layout        { return &connectionLayout }
func (c *connection) WireDocument() *Document { return &c.doc }

type connCredentials struct {
	PAT  *pat  `yaml:"pat" json:"PAT"`
	User *user `yaml:"username_password" json:"UsernamePassword"`
	AAD  *none `yaml:"aad" json:"AAD"`
}

var connUnion = Union{YAML: "type", REST: "authType"}

func (connCredentials) WireUnion() *Union { return &connUnion }

type pat struct {
	PAT string `yaml:"pat,required" json:"pat"`
}
type user struct {
	Name     string `yaml:"username,required" json:"username"`
	Password string `yaml:"password" json:"password"`
}
type none struct{}

var inCredentials = Layout{Base: "credentials"}

func (pat) WireLayout() *Layout  { return &inCredentials }
func (user) WireLayout() *Layout { return &inCredentials }

// A deployment: a count on the envelope, settings nested in YAML and flat in REST.

type deployment struct {
	Name     string        `yaml:"name,required" json:"name,ro"`
	Model    string        `yaml:"model" json:"model"`
	Count    int           `yaml:"instance_count" json:"instanceCount"`
	Code     *codeConfig   `yaml:"code_configuration" json:"codeConfiguration"`
	Settings *settings     `yaml:"settings" json:"."`
	Probe    *probe        `yaml:"liveness_probe" json:"livenessProbe"`
	Timeout  time.Duration `yaml:"request_timeout_ms,ms" json:"timeout"`
	doc      Document
}

var deploymentLayout = Layout{
	Name: "deployment", Base: "properties",
	At:   Table{"name": "/name", "instance_count": "/sku/capacity", "request_timeout_ms": "requestSettings/requestTimeout"},
	YAML: Fixed{"type": "managed"}, REST: Fixed{"endpointComputeType": "Managed", "/sku/name": "Default"},
}

func (deployment) WireLayout() *Layout        { return &deploymentLayout }
func (d *deployment) WireDocument() *Document { return &d.doc }

type codeConfig struct {
	Code   string `yaml:"code,local" json:"codeId"`
	Script string `yaml:"scoring_script" json:"scoringScript"`
}

type settings struct {
	Batch  int     `yaml:"mini_batch_size" json:"miniBatchSize"`
	Action actions `yaml:"output_action" json:"outputAction"`
}

type actions string

func (actions) WireEnum() *Enum { return actionTable }

var actionTable = PascalEnum("append_row", "summary_only")

type probe struct {
	Period time.Duration `yaml:"period,seconds" json:"period"`
}

// A schedule: a job without its envelope, or a reference, or a file.

type schedule struct {
	Name    string       `yaml:"name,required" json:"name,ro"`
	Job     scheduledJob `yaml:"create_job,required" json:"jobDefinition,bare"`
	Display string       `yaml:"display_name" json:"displayName"`
	doc     Document
}

var scheduleLayout = Layout{Name: "schedule", Base: "properties", At: Table{"name": "/name", "create_job": "action/jobDefinition"}, REST: Fixed{"action/actionType": "CreateJob"}}

func (schedule) WireLayout() *Layout        { return &scheduleLayout }
func (s *schedule) WireDocument() *Document { return &s.doc }

type scheduledJob interface{ scheduled() }

func (autoML) scheduled()   {}
func (pipeline) scheduled() {}
func (jobRef) scheduled()   {}

type jobRef string

func (r jobRef) EncodeWire(e *Encoding) (any, error) {
	if e.Spelling() == REST {
		return e.Tag(map[string]any{"jobType": "Pipeline", "sourceJobId": string(r)}, "jobType"), nil
	}
	return "azureml:" + string(r), nil
}

func (r *jobRef) DecodeWire(d *Decoding, n *Node) {
	if s, ok := n.Get("sourceJobId").Str(); ok {
		*r = jobRef(s)
	}
}

var _ = RegisterSum[scheduledJob](&Sum{
	Name: "job", YAML: "type", REST: "properties/jobType",
	Arms: []Arm{ArmOf[autoML]("automl", "AutoML"), ArmOf[pipeline]("pipeline", "Pipeline")},
	Text: func(d *Decoding, n *Node, s string) (any, bool) {
		if strings.HasPrefix(s, "azureml:") {
			return jobRef(strings.TrimPrefix(s, "azureml:")), true
		}
		f := d.Open(n, s)
		if f == nil {
			return nil, false
		}
		var j scheduledJob
		d.Into(f, &j)
		return j, j != nil
	},
	Pick: func(d *Decoding, n *Node) any {
		if d.Spelling() == REST && n.Has("sourceJobId") {
			return new(jobRef)
		}
		if t, _ := n.Get("jobType").Str(); t == "AutoML" {
			return new(autoML)
		}
		if t, _ := n.Get("type").Str(); t == "automl" {
			return new(autoML)
		}
		return new(pipeline)
	},
})

// A component: its YAML, as JSON, is one field of REST.

type component struct {
	Name    string               `yaml:"name,required" json:"name"`
	Version string               `yaml:"version,text" json:"version"`
	Command string               `yaml:"command,required" json:"command"`
	Tags    map[string]string    `yaml:"tags" json:"tags"`
	Inputs  map[string]parameter `yaml:"inputs" json:"inputs"`
	Limits  *cmdLimits           `yaml:"limits" json:"limits"`
	doc     Document
}

var componentLayout = Layout{Name: "command component", YAML: Fixed{"type": "command"}}

func (component) WireLayout() *Layout        { return &componentLayout }
func (c *component) WireDocument() *Document { return &c.doc }

func (c component) EncodeWire(e *Encoding) (any, error) {
	if e.Spelling() != REST {
		return e.Plain(c)
	}
	spec, err := e.As(Spec).Plain(c)
	if err != nil {
		return nil, err
	}
	p := map[string]any{"componentSpec": spec}
	if c.Tags != nil {
		if p["tags"], err = e.Value(c.Tags); err != nil {
			return nil, err
		}
	}
	return map[string]any{"properties": p}, nil
}

func (c *component) DecodeWire(d *Decoding, n *Node) {
	if d.Spelling() == REST {
		if n = n.Get("properties", "componentSpec"); n.IsNull() {
			return
		}
		d = d.As(Spec)
	}
	d.Plain(n, c)
}

type parameter struct {
	Type    string  `yaml:"type,required" json:"type"`
	Default literal `yaml:"default" json:"default"`
}

// literal is any scalar in YAML, its text in a specification.
type literal struct{ v any }

func (l literal) EncodeWire(e *Encoding) (any, error) {
	if l.v == nil {
		return Omit, nil
	}
	if e.Spelling() == YAML {
		return l.v, nil
	}
	return PythonStr(l.v), nil
}

func (l *literal) DecodeWire(d *Decoding, n *Node) {
	if !n.IsScalar() {
		d.Fault(n, "wants a literal")
		return
	}
	l.v = n.Value
}

func TestShapes(t *testing.T) {
	for name, x := range map[string]struct {
		into       func() any
		yaml, rest string
	}{
		"pat":       {func() any { return new(connection) }, "name: n\ntype: git\ntarget: t\ncredentials: {type: pat, pat: p}", `{"properties":{"category":"Git","target":"t","authType":"PAT","credentials":{"pat":"p"},"isSharedToAll":true,"metadata":{}}}`},
		"aad":       {func() any { return new(connection) }, "name: n\nis_shared: no\ncredentials: {type: AAD}", `{"properties":{"category":"Git","authType":"AAD","isSharedToAll":false,"metadata":{}}}`},
		"none":      {func() any { return new(connection) }, "name: n\nmetadata: {a: b}", `{"properties":{"category":"Git","isSharedToAll":true,"metadata":{"a":"b"}}}`},
		"deploy":    {func() any { return new(deployment) }, "name: d\nmodel: azureml:m:1\ninstance_count: 3\nsettings: {mini_batch_size: 5, output_action: summaryOnly}\nliveness_probe: {period: 10}\nrequest_timeout_ms: 600", `{"sku":{"name":"Default","capacity":3},"properties":{"endpointComputeType":"Managed","model":"azureml:m:1","miniBatchSize":5,"outputAction":"SummaryOnly","livenessProbe":{"period":"PT10S"},"requestSettings":{"requestTimeout":"PT0.6S"}}}`},
		"schedule":  {func() any { return new(schedule) }, "name: s\ncreate_job: {type: automl, task: regression, target_column_name: y}", `{"properties":{"action":{"actionType":"CreateJob","jobDefinition":{"jobType":"AutoML","tags":{},"taskDetails":{"taskType":"Regression","targetColumnName":"y"}}}}}`},
		"reference": {func() any { return new(schedule) }, "name: s\ncreate_job: azureml:j", `{"properties":{"action":{"actionType":"CreateJob","jobDefinition":{"jobType":"Pipeline","sourceJobId":"j"}}}}`},
		"component": {func() any { return new(component) }, "name: c\ntype: command\nversion: 2\ncommand: echo\ntags: {a: b}\ninputs: {x: {type: number, default: 0.5}, b: {type: boolean, default: yes}}", `{"properties":{"tags":{"a":"b"},"componentSpec":{"name":"c","type":"command","version":"2","command":"echo","tags":{"a":"b"},"inputs":{"x":{"type":"number","default":"0.5"},"b":{"type":"boolean","default":"True"}}}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			v := x.into()
			require.NoError(t, Check(v))
			require.NoError(t, LoadYAML([]byte(x.yaml), "", v, nil))
			m, err := ToREST(v)
			require.NoError(t, err)
			require.JSONEq(t, x.rest, asJSON(t, m))
			text, err := DumpYAML(v)
			require.NoError(t, err)
			again := x.into()
			require.NoError(t, LoadYAML(text, "", again, nil), string(text))
			require.Equal(t, v, again)
			back := x.into()
			require.NoError(t, FromREST([]byte(x.rest), back))
			m, err = ToREST(back)
			require.NoError(t, err)
			require.JSONEq(t, x.rest, asJSON(t, m))
		})
	}
}

func TestShapesHold(t *testing.T) {
	lit := wiretest.Value(func(t *rapid.T) literal {
		return literal{rapid.SampledFrom([]any{nil, "a", "yes", "a: b"}).Draw(t, "literal")}
	})
	cv := wiretest.Value(func(t *rapid.T) crossValidations { return crossValidations{Auto: true} })
	t.Run("connection", func(t *testing.T) { wiretest.Kind[connection](t) })
	t.Run("deployment", func(t *testing.T) { wiretest.Kind[deployment](t) })
	t.Run("component", func(t *testing.T) { wiretest.Kind[component](t, lit) })
	t.Run("schedule", func(t *testing.T) {
		wiretest.Kind[schedule](t, cv, wiretest.Interface(func(t *rapid.T) scheduledJob {
			if rapid.Bool().Draw(t, "pipeline") {
				return &pipeline{Settings: map[string]any{"a": int64(1)}}
			}
			return &autoML{Name: "", Task: &regression{table{Target: "y"}}}
		}))
	})
}
