package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/wire"
)

// ParallelComponent runs a function over mini-batches of its input, on many machines.
type ParallelComponent struct {
	azureml.Meta
	Schema          string              `yaml:"$schema" json:"-"`
	Name            string              `yaml:"name" json:"-"`
	Version         string              `yaml:"version,text" json:"-"`
	DisplayName     string              `yaml:"display_name,empty" json:"-"`
	Description     string              `yaml:"description,empty" json:"-"`
	Tags            map[string]string   `yaml:"tags" json:"-"`
	IsDeterministic *bool               `yaml:"is_deterministic" json:"-"`
	Inputs          ComponentInputs     `yaml:"inputs" json:"-"`
	Outputs         ComponentOutputs    `yaml:"outputs" json:"-"`
	Resources       *ComponentResources `yaml:"resources" json:"-"`
	Batching
	// Task is what is run on each mini-batch.
	Task  *ParallelTask  `yaml:"task" json:"-"`
	Extra map[string]any `yaml:"-" json:"-" extra:""`

	made      provenance
	anonymous bool

	doc wire.Document
}

// WireDocument is what the definition noted of its file.
func (c *ParallelComponent) WireDocument() *wire.Document { return &c.doc }

var parallelComponent = wire.Layout{Name: "parallel component", YAML: wire.Fixed{"type": "parallel"}}

// WireLayout places the fields.
func (ParallelComponent) WireLayout() *wire.Layout { return &parallelComponent }

// Batching says how an input is cut into mini-batches, and what failures are borne.
type Batching struct {
	// InputData is the input that is cut: "${{inputs.rows}}".
	InputData string `yaml:"input_data" json:"-"`
	// MiniBatchSize is a number of files, or for tables a number of bytes, which may end in kb, mb or gb.
	MiniBatchSize string `yaml:"mini_batch_size" json:"-"`
	// PartitionKeys cut a partitioned table by the values of these columns instead.
	PartitionKeys []string `yaml:"partition_keys" json:"-"`
	// LoggingLevel is DEBUG, INFO or WARNING. Defaults to INFO.
	LoggingLevel string `yaml:"logging_level" json:"-"`
	// MaxConcurrencyPerInstance defaults to 1.
	MaxConcurrencyPerInstance *int `yaml:"max_concurrency_per_instance" json:"-"`
	// ErrorThreshold and MiniBatchErrorThreshold are how many items and mini-batches may fail. -1, the default, is all.
	ErrorThreshold          *int           `yaml:"error_threshold" json:"-"`
	MiniBatchErrorThreshold *int           `yaml:"mini_batch_error_threshold" json:"-"`
	RetrySettings           *RetrySettings `yaml:"retry_settings" json:"-"`
}

// RetrySettings say how often a mini-batch is tried again, and how many seconds each try may take.
type RetrySettings struct {
	MaxRetries *int           `yaml:"max_retries" json:"maxRetries"`
	Timeout    *int           `yaml:"timeout" json:"timeout"`
	Extra      map[string]any `yaml:"-" json:"-" extra:""`
}

// ParallelTask is what is run on each mini-batch.
type ParallelTask struct {
	// Type is run_function, function or model. Required.
	Type             string `yaml:"type,required" json:"-"`
	Code             Code   `yaml:"code" json:"-"`
	EntryScript      string `yaml:"entry_script" json:"-"`
	ProgramArguments string `yaml:"program_arguments,empty" json:"-"`
	Model            string `yaml:"model" json:"-"`
	// AppendRowTo is the output to which the results are appended: "${{outputs.scores}}".
	AppendRowTo string                   `yaml:"append_row_to" json:"-"`
	Environment assets.EnvironmentSource `yaml:"environment,required" json:"-"`
	Extra       map[string]any           `yaml:"-" json:"-" extra:""`

	doc wire.Document
}

// WireDocument is what the definition noted of its file.
func (c *ParallelTask) WireDocument() *wire.Document { return &c.doc }

var parallelTasks = []string{"run_function", "function", "model"}

// AfterDecodeWire leaves out what a file says beyond the settings: specifications have none of it.
func (r *RetrySettings) AfterDecodeWire(d *wire.Decoding, _ *wire.Node) { leaveOut(d, &r.Extra) }

// leaveOut drops the unknown keys of a file where the reference does not send them.
func leaveOut(d *wire.Decoding, extra *map[string]any) {
	if d.Spelling() == wire.YAML {
		*extra = nil
	}
}

// AfterDecodeWire checks the type and makes the environment of a file anonymous.
func (t *ParallelTask) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	leaveOut(d, &t.Extra)
	anonymous(d, t.Environment)
	if t.Type = strings.ToLower(t.Type); t.Type != "" && !contains(parallelTasks, t.Type) {
		d.At("type").Fault(n.Get("type"), "%q is none of %s", t.Type, strings.Join(parallelTasks, ", "))
	}
}

var miniBatch = regexp.MustCompile(`^(\d+)((?i)[kmg]b)*$`)

// size is the mini-batch's size as a number, 0 when it is not given.
func (b *Batching) size() (int64, error) {
	if b.MiniBatchSize == "" {
		return 0, nil
	}
	m := miniBatch.FindStringSubmatch(b.MiniBatchSize)
	if m == nil {
		return 0, fmt.Errorf("%q is no size: a number, which may end in kb, mb or gb", b.MiniBatchSize)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is too large", b.MiniBatchSize)
	}
	shift := map[string]uint{"": 0, "kb": 10, "mb": 20, "gb": 30}[strings.ToLower(m[2])]
	if n > (1<<62)>>shift {
		return 0, fmt.Errorf("%q is too large", b.MiniBatchSize)
	}
	return n << shift, nil
}

var loggingLevels = []string{"DEBUG", "INFO", "WARN", "WARNING"}

// check says what is wrong with the batching.
func (b *Batching) check(c *checker) {
	if !isExpression(b.MiniBatchSize) {
		if _, err := b.size(); err != nil {
			c.add("mini_batch_size", "%v", err)
		}
	}
	if b.LoggingLevel != "" && !isExpression(b.LoggingLevel) && !contains(loggingLevels, strings.ToUpper(b.LoggingLevel)) {
		c.add("logging_level", "%q is none of DEBUG, INFO, WARNING", b.LoggingLevel)
	}
	least := func(field string, n *int, least int) {
		if n != nil && *n < least {
			c.add(field, "%d is less than %d", *n, least)
		}
	}
	least("error_threshold", b.ErrorThreshold, -1)
	least("mini_batch_error_threshold", b.MiniBatchErrorThreshold, -1)
	least("max_concurrency_per_instance", b.MaxConcurrencyPerInstance, 1)
	if r := b.RetrySettings; r != nil {
		least("retry_settings.max_retries", r.MaxRetries, 0)
		least("retry_settings.timeout", r.Timeout, 1)
	}
}

// entryThere says that the entry script is not in the code, where that is a folder here.
func (t *ParallelTask) entryThere(c *checker) {
	if t.Code.Path == "" || t.EntryScript == "" || c.bare {
		return
	}
	st, err := os.Stat(t.Code.Path)
	if err != nil || !st.IsDir() {
		return // the check of the code says so
	}
	if _, err := os.Stat(filepath.Join(t.Code.Path, filepath.FromSlash(t.EntryScript))); errors.Is(err, fs.ErrNotExist) {
		c.add("task.entry_script", "there is no %s in %s", t.EntryScript, t.Code.Path)
	}
}

func (c *ParallelComponent) common() component {
	return component{
		id: &c.ID, name: &c.Name, version: &c.Version, schema: &c.Schema, displayName: &c.DisplayName, description: &c.Description,
		tags: &c.Tags, inputs: c.Inputs, outputs: c.Outputs, made: &c.made, anonymous: &c.anonymous,
	}
}

// AfterDecodeWire notes where the component came from, and reads what specifications write as text.
func (c *ParallelComponent) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	leaveOut(d, &c.Extra)
	if d.Spelling() == wire.YAML {
		c.made = fromYAML
	}
	c.PartitionKeys = partitionKeys(c.PartitionKeys, n)
}

// partitionKeys reads the JSON text that services have for the list.
func partitionKeys(have []string, n *wire.Node) []string {
	if text, ok := n.Get("partition_keys").Str(); ok && strings.HasPrefix(text, "[") {
		var keys []string
		if json.Unmarshal([]byte(text), &keys) == nil {
			return keys
		}
	}
	return have
}

// AfterEncodeWire fills in the specification's defaults.
func (c ParallelComponent) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	deterministic(e, m)
	if e.Spelling() != wire.Spec {
		return nil
	}
	size, err := c.size()
	if err != nil {
		return err
	}
	m["mini_batch_size"] = strconv.FormatInt(size, 10)
	return nil
}

// afterHash writes the keys as the service wants them: the hash is made of the list.
func (c *ParallelComponent) afterHash(spec map[string]any) {
	if len(c.PartitionKeys) > 0 {
		spec["partition_keys"] = pythonList(c.PartitionKeys)
	}
}

// pythonList is Python's json.dumps of a list of strings.
func pythonList(list []string) string {
	items := make([]any, len(list))
	for i, s := range list {
		items[i] = s
	}
	text, err := wire.PythonJSON(items)
	if err != nil {
		return "[]" // strings: it cannot fail
	}
	return string(text)
}

// ComponentRef is the component's id when it is registered, else "".
func (c *ParallelComponent) ComponentRef() azureml.Ref { return azureml.Ref(c.ID) }

func (c *ParallelComponent) cloneComponent() Component {
	out := *c
	if c.Task != nil {
		t := *c.Task
		out.Task = &t
	}
	return &out
}

// sameBatching is whether two say the same.
func sameBatching(a, b *Batching) bool { return reflect.DeepEqual(a, b) }

func (c *ParallelComponent) check(ctx context.Context, k *checker) {
	k.componentHead(c.common())
	c.Batching.check(k)
	if c.Task == nil {
		k.add("task", "what is to be run on each mini-batch is required")
		return
	}
	k.code(ctx, "task.code", c.Task.Code)
	c.Task.entryThere(k)
	k.environment(ctx, "task.environment", c.Task.Environment)
	in, out := promised(c.Inputs, c.Outputs)
	k.references("input_data", c.InputData, in, nil, nil)
	k.references("task.append_row_to", c.Task.AppendRowTo, nil, out, nil)
	k.references("task.program_arguments", c.Task.ProgramArguments, in, out, nil)
}

func (c *ParallelComponent) resolve(ctx context.Context, r *resolver) error {
	if c.Task == nil {
		return nil
	}
	return c.Task.resolve(ctx, r)
}

func (t *ParallelTask) resolve(ctx context.Context, r *resolver) (err error) {
	if t.Environment, err = r.environment(ctx, "task.environment", t.Environment); err != nil {
		return err
	}
	if t.Environment, err = r.register(ctx, "task.environment", t.Environment); err != nil {
		return err
	}
	t.Code, _, err = r.componentCode(ctx, "task.code", t.Code, "", nil)
	return err
}
